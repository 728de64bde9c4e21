// Dates and typed arrays can't be watched by a draft: a method that changes one in place would change the state without
// a record, and a throw would not undo it (G1, G4). The guard copies each when a draft first hands it out, finds such a change
// when a call ends, undoes it and lets the call fail with a message that says what to write instead. Nobody gets hold of
// one but through a draft, so those that nobody looked at need no copy and no comparison.

import { isOpaque } from '../../checkpoint/codec.ts'
import { StateError } from '../errors.ts'

type Opaque = Date | ArrayBufferView

const bytesOf = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

export class OpaqueGuard {
  /** Those in the state. Undefined while there is none: most states hold no such value. */
  #members: WeakSet<Opaque> | undefined
  /** Of those that were handed out. */
  readonly #copies = new Map<Opaque, number | Uint8Array>()

  /** The whole state: at the start, and when it was replaced. */
  reset(state: unknown): void {
    this.#members = undefined
    this.#copies.clear()
    this.watch(state)
  }

  /** For drafts: sees every value that they hand out. Undefined where there is nothing to see. */
  get touch(): ((value: unknown) => void) | undefined {
    return this.#members && this.#touch
  }

  readonly #touch = (value: unknown): void => {
    if (!isOpaque(value) || this.#members?.has(value) !== true || this.#copies.has(value)) return
    this.#copies.set(value, value instanceof Date ? value.getTime() : bytesOf(value).slice())
  }

  /** Values that became part of the state. */
  watch(value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    if (isOpaque(value)) {
      this.#members ??= new WeakSet()
      this.#members.add(value)
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
