// Floor: frames echoed over one libp2p stream (TCP, noise, yamux, as the transport sets them up) between two processes,
// written once per turn of the event loop.

import type { Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { drive, type Plan, payload } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'
import { Asker, FrameReader, framed, TurnWriter } from './frames.ts'

const PROTOCOL = '/actor-mesh-bench/echo/1'

const open = () =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })

function writerOf(stream: Stream): TurnWriter {
  const writer = new TurnWriter((bytes) => stream.send(bytes))
  stream.addEventListener('drain', () => writer.drained())
  return writer
}

/** Resolves with its address. */
export async function serve(): Promise<string> {
  const node = await open()
  await node.handle(PROTOCOL, (stream) => {
    const writer = writerOf(stream)
    const reader = new FrameReader((frame) => writer.send(framed(frame)))
    stream.addEventListener('message', (event) => reader.push(event.data.subarray()))
  })
  return node.getMultiaddrs()[0]!.toString()
}

let asker: Asker | undefined

export async function connect(address: string): Promise<void> {
  const node = await open()
  const stream = await node.dialProtocol(multiaddr(address), PROTOCOL)
  const writer = writerOf(stream)
  const client = new Asker((frame) => writer.send(frame))
  asker = client
  const reader = new FrameReader(() => client.answer())
  stream.addEventListener('message', (event) => reader.push(event.data.subarray()))
}

export function echo(plan: Plan): Promise<Measured> {
  const data = payload(plan.bytes)
  return drive(() => asker!.ask(data), plan)
}
