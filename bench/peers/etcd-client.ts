// Jobs of the process that puts to etcd over gRPC: unary calls on one HTTP/2 connection, their few bytes encoded by hand, so
// that no client library is measured with it.

import { type ClientHttp2Session, connect as dial } from 'node:http2'
import { drive, type Plan, payload } from '../harness/drive.ts'
import type { Measured } from '../harness/statistics.ts'

const HEADERS = {
  ':method': 'POST',
  ':path': '/etcdserverpb.KV/Put',
  'content-type': 'application/grpc',
  te: 'trailers',
}

let session: ClientHttp2Session | undefined

/** Protocol buffers: the length of a field as a varint. */
function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}

/** `PutRequest { bytes key = 1; bytes value = 2; }` in one gRPC message. */
export function putRequest(key: Uint8Array, value: Uint8Array): Buffer {
  const body = [
    Uint8Array.from([0x0a, ...varint(key.length)]),
    key,
    Uint8Array.from([0x12, ...varint(value.length)]),
    value,
  ]
  const head = Buffer.alloc(5)
  head.writeUInt32BE(
    body.reduce((sum, part) => sum + part.length, 0),
    1,
  )
  return Buffer.concat([head, ...body])
}

function put(message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session!.request(HEADERS)
    let status = ''
    const seen = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined)
        status = `${headers['grpc-status']} ${headers['grpc-message'] ?? ''}`
    }
    stream.on('response', seen)
    stream.on('trailers', seen)
    stream.on('error', reject)
    stream.on('close', () =>
      status.startsWith('0') ? resolve() : reject(new Error(`etcd answered ${status || 'nothing'}`)),
    )
    stream.resume()
    stream.end(message)
  })
}

/** Waits until a put succeeds: the members have a leader then. */
export async function connect(port: number): Promise<void> {
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      session = dial(`http://127.0.0.1:${port}`)
      session.on('error', () => {})
      await put(putRequest(Buffer.from('ready'), Buffer.from('yes')))
      return
    } catch (error) {
      session?.destroy()
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

export function puts({ keys, ...plan }: Plan & { readonly keys: number }): Promise<Measured> {
  const value = payload(plan.bytes)
  const messages = Array.from({ length: keys }, (_, n) => putRequest(Buffer.from(`bench/${n}`), value))
  return drive((n) => put(messages[n % keys]!), plan)
}
