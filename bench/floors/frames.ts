// Frames of the bare echo floors: a length in four bytes, then that many. Answers come in the order of the questions.

const HEAD_BYTES = 4

export function framed(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + payload.length)
  new DataView(frame.buffer).setUint32(0, payload.length)
  frame.set(payload, HEAD_BYTES)
  return frame
}

/** Cuts what arrives into frames. */
export class FrameReader {
  readonly #onFrame: (payload: Uint8Array) => void
  #held: Uint8Array[] = []
  #heldBytes = 0

  constructor(onFrame: (payload: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  push(bytes: Uint8Array): void {
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#held.length > 1 && this.#heldBytes < this.#wanted()) return
    let rest: Uint8Array = this.#held.length === 1 ? bytes : Buffer.concat(this.#held)
    for (let wanted = frameBytes(rest); rest.length >= wanted; wanted = frameBytes(rest)) {
      this.#onFrame(rest.subarray(HEAD_BYTES, wanted))
      rest = rest.subarray(wanted)
    }
    this.#held = rest.length > 0 ? [rest] : []
    this.#heldBytes = rest.length
  }

  #wanted(): number {
    const first = this.#held[0]!
    return first.length >= HEAD_BYTES ? frameBytes(first) : HEAD_BYTES
  }
}

/** Bytes of the frame that these begin with; infinite while its head is not there. */
const frameBytes = (bytes: Uint8Array): number =>
  bytes.length < HEAD_BYTES
    ? Number.POSITIVE_INFINITY
    : HEAD_BYTES + new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES).getUint32(0)

/** Writes what one turn of the event loop brought in one go, and stops while the far end does not keep up. */
export class TurnWriter {
  readonly #write: (bytes: Uint8Array) => boolean
  #frames: Uint8Array[] = []
  #scheduled = false
  #full = false

  /** `write` is false when no more is wanted until {@link drained}. */
  constructor(write: (bytes: Uint8Array) => boolean) {
    this.#write = write
  }

  send(frame: Uint8Array): void {
    this.#frames.push(frame)
    if (this.#scheduled || this.#full) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  drained(): void {
    this.#full = false
    this.#flush()
  }

  #flush(): void {
    if (this.#full || this.#frames.length === 0) return
    const bytes = this.#frames.length === 1 ? this.#frames[0]! : Buffer.concat(this.#frames)
    this.#frames = []
    this.#full = !this.#write(bytes)
  }
}

/** Asks and waits, any number at a time. */
export class Asker {
  readonly #write: (frame: Uint8Array) => void
  readonly #waiting: (() => void)[] = []
  #answered = 0

  constructor(write: (frame: Uint8Array) => void) {
    this.#write = write
  }

  ask(payload: Uint8Array): Promise<void> {
    this.#write(framed(payload))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  answer(): void {
    this.#waiting[this.#answered]?.()
    this.#answered += 1
    if (this.#answered < 1024 && this.#answered < this.#waiting.length) return
    this.#waiting.splice(0, this.#answered)
    this.#answered = 0
  }
}
