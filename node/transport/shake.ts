// Runs a handshake script over a framed stream, as one it-pipe: frames in, decoded, script, encoded, frames out.

import { pipe } from 'it-pipe'
import { Lane } from './chunks.ts'
import { NO_ANSWER } from './errors.ts'
import type { FramedStream } from './framed-stream.ts'
import {
  decodeHandshake,
  encodeHandshake,
  Handshake,
  type HandshakeMessage,
  type HandshakeSide,
  type Verdict,
} from './handshake.ts'

/** Handshake frames as they arrive; ends when the stream does. A handshake has five messages, so the queue stays short. */
async function* frames(stream: FramedStream): AsyncGenerator<Uint8Array> {
  const queue: Uint8Array[] = []
  let wake: (() => void) | undefined
  stream.onHandshake((payload) => {
    if (queue.length < 8) queue.push(payload)
    wake?.()
  })
  void stream.ended.then(() => wake?.())
  for (;;) {
    const payload = queue.shift()
    if (payload !== undefined) yield payload
    else if (stream.end !== undefined) return
    else
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
}

async function* decoded(source: AsyncIterable<Uint8Array>): AsyncGenerator<HandshakeMessage | undefined> {
  for await (const payload of source) yield decodeHandshake(payload)
}

async function* encoded(source: AsyncIterable<HandshakeMessage>): AsyncGenerator<Uint8Array> {
  for await (const value of source) yield encodeHandshake(value)
}

/** Never rejects. After a verdict other than `open` the last message is on its way and the stream is still open. */
export const shake = async (
  stream: FramedStream,
  role: 'dial' | 'listen',
  side: HandshakeSide,
  timeoutMs: number,
): Promise<Verdict> => {
  const handshake = new Handshake(side)
  const timer = setTimeout(
    () => stream.close({ kind: 'local', detail: `${NO_ANSWER}: no handshake within ${timeoutMs} ms` }),
    timeoutMs,
  )
  try {
    await pipe(
      frames(stream),
      decoded,
      (incoming) => handshake[role](incoming),
      encoded,
      async (outgoing: AsyncIterable<Uint8Array>) => {
        for await (const payload of outgoing) stream.send(Lane.handshake, payload)
      },
    )
  } catch (error) {
    return { kind: 'failed', detail: String(error) }
  } finally {
    clearTimeout(timer)
  }
  if (handshake.verdict.kind === 'failed' && stream.end !== undefined)
    return { kind: 'failed', detail: stream.end.detail }
  return handshake.verdict
}
