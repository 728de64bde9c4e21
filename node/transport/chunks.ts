// The wire format of a link, inbound side: chunks of 4 bytes header and up to CHUNK_BYTES payload, assembled into frames.
//
//   byte 0      lane, and 0x80 on the last chunk of a frame
//   bytes 1…3   payload length, big endian
//
// C1 Frames of one lane arrive whole and in order; chunks of different lanes interleave.
// C2 What is held is bounded per lane by that lane's limit, whatever the bytes say.
// C3 After the first violation nothing more is read.

import { CHUNK_BYTES, MAX_FRAME_BYTES, MAX_HANDSHAKE_BYTES } from './limits.ts'

/** Lanes in order of urgency. Within a lane frames keep their order. */
export const Lane = { handshake: 0, control: 1, membership: 2, protocol: 3, service: 4, bulk: 5 } as const
export type Lane = (typeof Lane)[keyof typeof Lane]
export const LANES: readonly Lane[] = [0, 1, 2, 3, 4, 5]

export const HEADER_BYTES = 4
const LAST = 0x80

const limitOf = (lane: Lane): number =>
  lane === Lane.handshake || lane === Lane.control ? MAX_HANDSHAKE_BYTES : MAX_FRAME_BYTES

export const writeHeader = (
  target: Uint8Array,
  at: number,
  lane: Lane,
  length: number,
  last: boolean,
): void => {
  target[at] = lane | (last ? LAST : 0)
  target[at + 1] = length >>> 16
  target[at + 2] = (length >>> 8) & 0xff
  target[at + 3] = length & 0xff
}

export class ChunkReader {
  readonly #onFrame: (lane: Lane, payload: Uint8Array) => void
  readonly #parts: Uint8Array[][] = LANES.map(() => [])
  readonly #sizes: number[] = LANES.map(() => 0)
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerHas = 0
  #lane: Lane = Lane.handshake
  #last = false
  #missing = 0
  #failed: string | undefined

  constructor(onFrame: (lane: Lane, payload: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  /** Bytes held for frames that are not complete yet. */
  get held(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0)
  }

  /** Returns what was wrong with the bytes, or undefined. Calls `onFrame` for each frame they complete. */
  push(bytes: Uint8Array): string | undefined {
    let at = 0
    while (at < bytes.length && this.#failed === undefined) {
      if (this.#headerHas < HEADER_BYTES) {
        this.#header[this.#headerHas++] = bytes[at++] as number
        if (this.#headerHas === HEADER_BYTES) this.#failed = this.#begin()
        if (this.#failed === undefined && this.#headerHas === HEADER_BYTES && this.#missing === 0) this.#end()
        continue
      }
      const end = Math.min(bytes.length, at + this.#missing)
      this.#parts[this.#lane]?.push(bytes.subarray(at, end))
      this.#missing -= end - at
      at = end
      if (this.#missing === 0) this.#end()
    }
    return this.#failed
  }

  #begin(): string | undefined {
    const [first, high, middle, low] = this.#header as unknown as [number, number, number, number]
    const lane = first & ~LAST
    const length = (high << 16) | (middle << 8) | low
    if (lane >= LANES.length) return `there is no lane ${lane}`
    if (length > CHUNK_BYTES) return `a chunk of ${length} bytes`
    this.#lane = lane as Lane
    this.#last = (first & LAST) !== 0
    this.#missing = length
    const size = (this.#sizes[lane] ?? 0) + length
    this.#sizes[lane] = size
    return size > limitOf(this.#lane) ? `a frame of more than ${limitOf(this.#lane)} bytes` : undefined // C2
  }

  #end(): void {
    this.#headerHas = 0
    if (!this.#last) return
    const lane = this.#lane
    // Always a copy of its own: views into it (byte arrays of a message) then keep nothing else alive.
    const payload = Buffer.concat(this.#parts[lane] as Uint8Array[], this.#sizes[lane])
    this.#parts[lane] = []
    this.#sizes[lane] = 0
    this.#onFrame(lane, new Uint8Array(payload.buffer, payload.byteOffset, payload.length))
  }
}
