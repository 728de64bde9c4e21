// One libp2p stream as a pipe of frames: what is sent in one turn of the event loop leaves at its end, the first of many frames
// before (EARLY_FRAMES); the outbox decides what goes first, and the stream's back-pressure is obeyed.
//
// F1 Handlers are attached in the constructor: unread data resets a stream.
// F2 Before `open()` only handshake frames are delivered. Others are held, within a small limit, because a peer may send
//    right behind its `open`; who sends more before the handshake is over is cut off.
// F3 `closed` is called once, and no frame is delivered after it.

import type { Stream } from '@libp2p/interface'
import { ChunkReader, Lane } from './chunks.ts'
import { messageOf } from './errors.ts'
import { renewWindowLate } from './fewer-writes.ts'
import {
  BATCH_BYTES,
  EARLY_FRAMES,
  EARLY_WRITES,
  MAX_HELD_BYTES,
  MAX_QUEUED_BYTES,
  TURN_BYTES,
} from './limits.ts'
import { Outbox } from './outbox.ts'

export type FrameHandler = (lane: Lane, payload: Uint8Array) => void

/** Why a stream ended. `garbage`: the peer sent bytes that no peer of this version sends. */
export interface StreamEnd {
  readonly kind: 'local' | 'remote' | 'garbage' | 'stalled'
  readonly detail: string
}

export class FramedStream {
  readonly #stream: Stream
  readonly #outbox = new Outbox()
  readonly #reader: ChunkReader
  #onHandshake: ((payload: Uint8Array) => void) | undefined
  #onFrame: FrameHandler | undefined
  #handshakes: Uint8Array[] = []
  #held: { lane: Lane; payload: Uint8Array }[] = []
  #heldBytes = 0
  #scheduled = false
  /** Frames since the last write. */
  #unsent = 0
  /** In this turn of the event loop, before its end. */
  #earlyWrites = 0
  #end: StreamEnd | undefined
  readonly #ended = Promise.withResolvers<StreamEnd>()
  /** Monotonic milliseconds at which bytes last arrived. */
  lastHeard = performance.now()

  constructor(stream: Stream) {
    this.#stream = stream
    renewWindowLate(stream)
    this.#reader = new ChunkReader((lane, payload) => this.#frame(lane, payload))
    stream.addEventListener('message', (event) => this.#bytes(event.data.subarray())) // F1
    stream.addEventListener('drain', () => this.#schedule())
    stream.addEventListener('remoteCloseWrite', () =>
      this.close({ kind: 'remote', detail: 'the peer closed the stream' }),
    )
    stream.addEventListener('close', (event) =>
      this.close({
        kind: 'remote',
        detail: event.error === undefined ? 'the stream closed' : messageOf(event.error),
      }),
    )
    if (stream.status !== 'open')
      this.close({ kind: 'remote', detail: 'the stream was closed before it was used' })
  }

  get end(): StreamEnd | undefined {
    return this.#end
  }
  /** Resolves when the stream has ended, for whatever reason. */
  get ended(): Promise<StreamEnd> {
    return this.#ended.promise
  }
  get queued(): number {
    return this.#end === undefined ? this.#outbox.bytes + this.#stream.writeBufferLength : 0
  }

  onHandshake(handler: (payload: Uint8Array) => void): void {
    this.#onHandshake = handler
    for (const payload of this.#handshakes.splice(0)) handler(payload)
  }

  /** The handshake is over: frames flow, beginning with those held. */
  open(handler: FrameHandler): void {
    this.#onFrame = handler
    const held = this.#held
    this.#held = []
    for (const { lane, payload } of held) this.#frame(lane, payload)
  }

  /** False when the stream has ended or the queue is full; then nothing was queued. */
  send(lane: Lane, payload: Uint8Array): boolean {
    if (this.#end !== undefined || this.queued + payload.length > MAX_QUEUED_BYTES) return false
    this.#outbox.push(lane, payload)
    this.#unsent++
    this.#schedule()
    if (this.#unsent >= EARLY_FRAMES && this.#earlyWrites < EARLY_WRITES) {
      this.#earlyWrites++
      this.#write()
    }
    return true
  }

  /** Waits until everything queued was handed to the connection, or the stream ended. */
  async flush(timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs
    while (this.#end === undefined && this.queued > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  /** Idempotent. The stream is reset: what was not handed over is lost. */
  close(end: StreamEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#onFrame = undefined // F3
    this.#onHandshake = undefined
    this.#held = []
    try {
      this.#stream.abort(new Error(end.detail))
    } catch {
      // Already gone.
    }
    this.#ended.resolve(end)
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#end !== undefined) return
    this.lastHeard = performance.now()
    const wrong = this.#reader.push(bytes)
    if (wrong !== undefined) this.close({ kind: 'garbage', detail: wrong })
    else if (this.#onFrame === undefined && this.#heldBytes + this.#reader.held > MAX_HELD_BYTES)
      this.#early() // F2
  }

  #early(): void {
    this.close({ kind: 'garbage', detail: 'data before the end of the handshake' })
  }

  #frame(lane: Lane, payload: Uint8Array): void {
    if (this.#end !== undefined) return
    if (lane === Lane.handshake) {
      if (this.#onFrame !== undefined) this.close({ kind: 'garbage', detail: 'a second handshake' })
      else if (this.#onHandshake !== undefined) this.#onHandshake(payload)
      else if (this.#handshakes.length < 2) this.#handshakes.push(payload)
      else this.#early()
    } else if (this.#onFrame !== undefined) this.#onFrame(lane, payload)
    else {
      this.#held.push({ lane, payload })
      this.#heldBytes += payload.length
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#end !== undefined) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#earlyWrites = 0
      this.#write()
    })
  }

  #write(): void {
    let written = 0
    this.#unsent = 0
    try {
      // When the stream is full it keeps the rest of the last batch and tells us by `drain`.
      while (this.#end === undefined && !this.#stream.writableNeedsDrain) {
        if (written >= TURN_BYTES) {
          this.#schedule()
          return
        }
        const batch = this.#outbox.take(BATCH_BYTES)
        if (batch === undefined) return
        written += batch.length
        if (!this.#stream.send(batch)) return
      }
    } catch (error) {
      this.close({ kind: 'remote', detail: messageOf(error) })
    }
  }
}
