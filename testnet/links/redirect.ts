// Inside a peer's process: dials to other peers of the testnet go through their proxies. Node's own `net` is what libp2p
// and the probe of a lost peer dial with, so it is replaced there, before either is loaded.

import { syncBuiltinESMExports } from 'node:module'
import net, { type NetConnectOpts, type Socket } from 'node:net'

/** How one peer reaches the port of another. */
export interface Route {
  readonly port: number
  readonly via: number
  /** Packets are lost: a dial hangs, as it does where a cable is pulled. */
  readonly cut: boolean
}

let routes: ReadonlyMap<number, Route> | undefined

/** Takes effect for dials from now on. The first call replaces `net.connect`. */
export function redirect(table: readonly Route[]): void {
  if (routes === undefined) install()
  routes = new Map(table.map((route) => [route.port, route]))
}

function install(): void {
  const original = net.connect
  const redirected = (...args: Parameters<typeof net.connect>): Socket => {
    const [options] = args as unknown as [NetConnectOpts]
    const route = typeof options === 'object' && 'port' in options ? routes?.get(options.port) : undefined
    if (route === undefined) return original(...args)
    return route.cut ? new net.Socket() : original({ ...options, port: route.via } as NetConnectOpts)
  }
  Object.assign(net, { connect: redirected, createConnection: redirected })
  syncBuiltinESMExports()
}
