// The wire format of a link, outbound side: frames wait per lane and leave as chunks, the most urgent lane first.
//
// O1 Frames of one lane leave in the order they came, whole, without another frame of that lane in between.
// O2 Handshake, control and membership frames always go first: they are small and the failure detector waits for them.
// O3 Among the others the more urgent lane goes first, but one that waited PATIENCE_CHUNKS gets a turn.

import { HEADER_BYTES, LANES, Lane, writeHeader } from './chunks.ts'
import { CHUNK_BYTES, PATIENCE_CHUNKS } from './limits.ts'

interface Waiting {
  readonly payload: Uint8Array
  sent: number
}

export class Outbox {
  readonly #lanes: Waiting[][] = LANES.map(() => [])
  readonly #waited: number[] = LANES.map(() => 0)
  #bytes = 0

  /** Payload bytes not taken yet. */
  get bytes(): number {
    return this.#bytes
  }

  get empty(): boolean {
    return this.#lanes.every((lane) => lane.length === 0)
  }

  push(lane: Lane, payload: Uint8Array): void {
    this.#lanes[lane]?.push({ payload, sent: 0 })
    this.#bytes += payload.length
  }

  /** The next chunks as one buffer of about `maxBytes`, at least one chunk; undefined when nothing waits. */
  take(maxBytes: number): Uint8Array | undefined {
    const pieces: { lane: Lane; bytes: Uint8Array; last: boolean }[] = []
    let size = 0
    for (let lane = this.#next(); lane !== undefined && size < maxBytes; lane = this.#next()) {
      const queue = this.#lanes[lane] as Waiting[]
      const head = queue[0] as Waiting
      const end = Math.min(head.payload.length, head.sent + CHUNK_BYTES)
      const bytes = head.payload.subarray(head.sent, end)
      const last = end === head.payload.length
      if (size > 0 && size + HEADER_BYTES + bytes.length > maxBytes) break
      head.sent = end
      if (last) queue.shift()
      this.#served(lane)
      this.#bytes -= bytes.length
      pieces.push({ lane, bytes, last })
      size += HEADER_BYTES + bytes.length
    }
    if (size === 0) return undefined
    const batch = new Uint8Array(size)
    let at = 0
    for (const piece of pieces) {
      writeHeader(batch, at, piece.lane, piece.bytes.length, piece.last)
      batch.set(piece.bytes, at + HEADER_BYTES)
      at += HEADER_BYTES + piece.bytes.length
    }
    return batch
  }

  #next(): Lane | undefined {
    const waiting = LANES.filter((lane) => (this.#lanes[lane] as Waiting[]).length > 0)
    const first = waiting[0]
    if (first === undefined || first <= Lane.membership) return first // O2
    return waiting.find((lane) => (this.#waited[lane] ?? 0) >= PATIENCE_CHUNKS) ?? first // O3
  }

  #served(lane: Lane): void {
    for (const other of LANES) {
      if (other === lane || (this.#lanes[other] as Waiting[]).length === 0) this.#waited[other] = 0
      else this.#waited[other] = (this.#waited[other] ?? 0) + 1
    }
  }
}
