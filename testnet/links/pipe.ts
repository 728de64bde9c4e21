// One direction of one proxied connection: reads from one socket, writes to the other, as its condition of the moment allows.

import type { Socket } from 'node:net'
import type { Condition } from './condition.ts'

/** Held for a slow or cut direction; beyond it the sender's own socket fills up, as it would on a real link. */
const MAX_HELD_BYTES = 256 * 1024
/** Written per turn while the speed is limited: a tenth of a second's worth, but not less than a small packet. */
const SLICE_SECONDS = 0.1
const MIN_SLICE_BYTES = 512

interface Piece {
  readonly bytes: Buffer
  readonly arrivedAt: number
}

export class Pipe {
  readonly #from: Socket
  readonly #to: Socket
  readonly #condition: () => Condition
  readonly #pieces: Piece[] = []
  #held = 0
  #ended = false
  #timer: NodeJS.Timeout | undefined
  /** When the last slice of a limited direction has left. */
  #freeAt = 0

  constructor(from: Socket, to: Socket, condition: () => Condition) {
    this.#from = from
    this.#to = to
    this.#condition = condition
    from.on('data', (bytes: Buffer) => this.#receive(bytes))
    from.on('end', () => {
      this.#ended = true
      this.changed()
    })
    to.on('drain', () => this.changed())
    from.on('close', () => clearTimeout(this.#timer))
  }

  /** The condition may be another one now: what waits is looked at again. */
  changed(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const now = performance.now()
    const { cut, delayMs, bytesPerSecond } = this.#condition()
    while (!cut && this.#pieces.length > 0 && !this.#to.writableNeedDrain) {
      const at = Math.max(this.#pieces[0]!.arrivedAt + delayMs, this.#freeAt)
      if (at > now) {
        this.#timer = setTimeout(() => this.changed(), at - now)
        break
      }
      this.#write(bytesPerSecond, now)
    }
    if (this.#held < MAX_HELD_BYTES) this.#from.resume()
    if (this.#ended && this.#pieces.length === 0 && !this.#to.writableEnded) this.#to.end()
  }

  #receive(bytes: Buffer): void {
    this.#pieces.push({ bytes, arrivedAt: performance.now() })
    this.#held += bytes.length
    if (this.#held >= MAX_HELD_BYTES) this.#from.pause()
    this.changed()
  }

  #write(bytesPerSecond: number, now: number): void {
    const { bytes, arrivedAt } = this.#pieces.shift()!
    const limited = Number.isFinite(bytesPerSecond)
    const most = limited ? Math.max(MIN_SLICE_BYTES, bytesPerSecond * SLICE_SECONDS) : bytes.length
    const slice = bytes.subarray(0, Math.ceil(most))
    if (slice.length < bytes.length) this.#pieces.unshift({ bytes: bytes.subarray(slice.length), arrivedAt })
    if (limited) this.#freeAt = now + (slice.length / bytesPerSecond) * 1000
    this.#held -= slice.length
    this.#to.write(slice)
  }
}
