// Where a node listens. A peer should be found again where it was last, so an asked-for port 0 means "the port used last
// time, if it is free", and only then any free port.

import type { DataDirectory } from './data-directory.ts'
import type { LibP2pNetwork } from './transport/index.ts'
import { TransportError } from './transport/index.ts'

export const DEFAULT_LISTEN: readonly string[] = ['/ip4/127.0.0.1/tcp/0']

/** Starts on the ports of last time where the asked-for port is 0; on any free port when those are taken meanwhile. */
export async function listenAgain(
  directory: DataDirectory,
  wanted: readonly string[],
  start: (listen: readonly string[]) => Promise<LibP2pNetwork>,
): Promise<LibP2pNetwork> {
  const last = await directory.lastPorts()
  const again = wanted.map((address) => withPort(address, last[address]))
  let network: LibP2pNetwork
  try {
    network = await start(again)
  } catch (error) {
    const taken = error instanceof TransportError && error.code === 'PORT_IN_USE'
    if (!taken || again.every((address, index) => address === wanted[index])) throw error
    network = await start(wanted)
  }
  const ports: Record<string, number> = {}
  for (const [index, address] of wanted.entries()) {
    const listening = network.addresses()[index]
    const port = Number(/\/tcp\/(\d+)/.exec(listening ?? '')?.[1])
    if (asksForAnyPort(address) && port > 0) ports[address] = port
  }
  await directory.rememberPorts(ports)
  return network
}

const asksForAnyPort = (address: string): boolean => /(\/tcp\/|:)0$/.test(address)

const withPort = (address: string, port: number | undefined): string =>
  port !== undefined && asksForAnyPort(address) ? address.replace(/0$/, String(port)) : address
