// Dates and typed arrays can't be watched by a draft: a method that changes one in place would change the state without
// a record, and a throw would not undo it (G1, G4). The guard keeps a copy of each, finds such a change when a call ends,
// undoes it and lets the call fail with a message that says what to write instead.

import { isOpaque } from '../../checkpoint/codec.ts'
import { StateError } from '../errors.ts'

type Opaque = Date | ArrayBufferView

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

/** What it costs to look at one value, in units of what it costs to compare BYTES of one. */
const costOf = (value: object): number => (ArrayBuffer.isView(value) ? 1 + value.byteLength / BYTES : 1)
const BYTES = 64

export class OpaqueGuard {
  /** Undefined while there is none: most states hold no such value. */
  #copies: Map<Opaque, number | Uint8Array> | undefined
  /** Cost of walking through the state, as it was when that was last done. */
  #walked = 0
  /** Cost of comparing what was watched since then, and may have taken the place of something. */
  #added = 0
  /** Cost of all comparisons with what was added. */
  #wasted = 0

  /** The whole state: at the start, when it was replaced, and when values that are no part of it any more cost too much. */
  reset(state: unknown): void {
    this.#copies = undefined
    this.#added = 0
    this.watch(state)
    this.#walked = this.#added
    this.#added = 0
    this.#wasted = 0
  }

  /** Comparing values that may be gone has cost as much as walking through the state would. */
  get isWasteful(): boolean {
    return this.#wasted > this.#walked
  }

  /** Values that became part of the state. */
  watch(value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    this.#added += costOf(value)
    if (isOpaque(value)) {
      this.#copies ??= new Map()
      this.#copies.set(value, value instanceof Date ? value.getTime() : bytesOf(value).slice())
      return
    }
    if (value instanceof Map) {
      for (const [key, item] of value) {
        this.watch(key)
        this.watch(item)
      }
    } else if (Array.isArray(value) || value instanceof Set) for (const item of value) this.watch(item)
    else for (const item of Object.values(value)) this.watch(item)
  }

  /** Throws StateError when one was changed in place, after undoing it. */
  check(): void {
    if (this.#copies === undefined) return
    this.#wasted += this.#added
    let changed: Opaque | undefined
    for (const [value, copy] of this.#copies) {
      if (value instanceof Date) {
        if (Object.is(value.getTime(), copy)) continue
        value.setTime(copy as number)
      } else {
        if (Buffer.compare(bytesOf(value), copy as Uint8Array) === 0) continue
        bytesOf(value).set(copy as Uint8Array)
      }
      changed = value
    }
    if (changed === undefined) return
    throw new StateError(
      `a ${changed.constructor.name} in the state was changed in place, where the change can't be seen: assign a new one (this.state.x = new ${changed.constructor.name}(…))`,
    )
  }
}
