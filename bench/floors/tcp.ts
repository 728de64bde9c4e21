// Floor: frames echoed over bare TCP between two node processes, written once per turn of the event loop.

import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { drive, type Plan, payload } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'
import { Asker, FrameReader, framed, TurnWriter } from './frames.ts'

function writerOf(socket: Socket): TurnWriter {
  socket.setNoDelay(true)
  const writer = new TurnWriter((bytes) => socket.write(bytes))
  socket.on('drain', () => writer.drained())
  return writer
}

/** Resolves with its port. */
export function serve(): Promise<number> {
  const server = createServer((socket) => {
    const writer = writerOf(socket)
    const reader = new FrameReader((frame) => writer.send(framed(frame)))
    socket.on('data', (bytes: Buffer) => reader.push(bytes))
    socket.on('error', () => {})
  })
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
}

let asker: Asker | undefined

export function connect(port: number): Promise<void> {
  const socket = dial(port, '127.0.0.1')
  const writer = writerOf(socket)
  const client = new Asker((frame) => writer.send(frame))
  asker = client
  const reader = new FrameReader(() => client.answer())
  socket.on('data', (bytes: Buffer) => reader.push(bytes))
  return new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
}

export function echo(plan: Plan): Promise<Measured> {
  const data = payload(plan.bytes)
  return drive(() => asker!.ask(data), plan)
}

/** Milliseconds of wall time at which a server that answers at `standby` was reached, once the one connected to is gone. */
export function failOver({ port, standby }: { readonly port: number; readonly standby: number }): {
  readonly armed: true
} {
  const socket = dial(port, '127.0.0.1')
  socket.on('error', () => {})
  failedOver = new Promise((resolve) => {
    socket.once('close', () => {
      const refused = dial(port, '127.0.0.1')
      refused.once('error', async () => {
        await connect(standby)
        await asker!.ask(payload(64))
        resolve(Date.now())
      })
    })
  })
  return { armed: true }
}

let failedOver: Promise<number> = Promise.resolve(0)
export const failedOverAt = (): Promise<number> => failedOver
