// The pointer: the newest chosen registry term this store knows of. It only ever moves forward (I12), only to chosen
// successors, and is on disk before anything is answered that relies on it (R2).

import type { Env } from './env.ts'
import type { Pointer } from './log-types.ts'

/** Positive when `a` is newer than `b`. */
export function comparePointers(a: Pointer, b: Pointer | undefined): number {
  if (b === undefined) return 1
  return a.generation - b.generation || a.term - b.term
}

export class PointerStore {
  readonly #env: Env
  readonly #changed: (pointer: Pointer) => void
  #current: Pointer | undefined
  /** Newest pointer being written, with those who wait for it. */
  #writing: { pointer: Pointer; waiting: (() => void)[] } | undefined

  constructor(env: Env, stored: Pointer | undefined, changed: (pointer: Pointer) => void) {
    this.#env = env
    this.#current = stored
    this.#changed = changed
  }

  /** The newest pointer that is on disk. */
  get current(): Pointer | undefined {
    return this.#current
  }

  /** Stores a chosen pointer if it is newer; `then` runs when this or a newer one is on disk. */
  adopt(pointer: Pointer, then: () => void = () => {}): void {
    if (this.#current && pointer.meshId !== this.#current.meshId) {
      this.#env.event({
        kind: 'warning',
        code: 'OTHER_MESH',
        text: `a peer spoke for mesh ${pointer.meshId}, this is mesh ${this.#current.meshId}: ignored`,
      })
      return
    }
    if (comparePointers(pointer, this.#current) <= 0) return then()
    if (this.#writing && comparePointers(pointer, this.#writing.pointer) <= 0) {
      this.#writing.waiting.push(then)
      return
    }
    const write = { pointer, waiting: [then] }
    this.#writing = write
    this.#env.persist({ pointer }, () => {
      if (comparePointers(pointer, this.#current) > 0) {
        this.#current = pointer
        this.#changed(pointer)
      }
      if (this.#writing === write) this.#writing = undefined
      for (const waiting of write.waiting) waiting()
    })
  }
}
