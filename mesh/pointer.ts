// The pointer: the newest chosen registry term this store knows of. It only ever moves forward (I12), only to chosen
// successors, and is on disk before anything is answered that relies on it (R2).
//
// P1 it moves only within one line of descent: the same mesh, and every rescue that this store knows of. Two rescues that
//    did not know of each other are two meshes from then on; they are never merged (ADR 0009).

import type { Env } from './env.ts'
import type { Pointer } from './log-types.ts'

/** Positive when `a` is newer than `b`, which are of one line. */
export function comparePointers(a: Pointer, b: Pointer | undefined): number {
  return b === undefined ? 1 : a.term - b.term
}

/** True when one of the two descends from the other (P1). */
export function ofOneLine(a: Pointer, b: Pointer): boolean {
  const [shorter, longer] = a.rescues.length < b.rescues.length ? [a, b] : [b, a]
  return a.meshId === b.meshId && shorter.rescues.every((key, index) => longer.rescues[index] === key)
}

export class PointerStore {
  readonly #env: Env
  readonly #changed: (pointer: Pointer, before: Pointer | undefined) => void
  #current: Pointer | undefined
  /** Newest pointer being written, with those who wait for it. */
  #writing: { pointer: Pointer; waiting: (() => void)[] } | undefined

  constructor(
    env: Env,
    stored: Pointer | undefined,
    changed: (pointer: Pointer, before: Pointer | undefined) => void,
  ) {
    this.#env = env
    this.#current = stored
    this.#changed = changed
  }

  /** The newest pointer that is on disk. */
  get current(): Pointer | undefined {
    return this.#current
  }

  /** False when the pointer can never be followed from here (P1). */
  accepts(pointer: Pointer): boolean {
    const known = this.#writing?.pointer ?? this.#current
    return known === undefined || ofOneLine(pointer, known)
  }

  /** Stores a chosen pointer if it is newer; `then` runs when this or a newer one is on disk. */
  adopt(pointer: Pointer, then: () => void = () => {}): void {
    if (!this.accepts(pointer)) return
    if (comparePointers(pointer, this.#current) <= 0) return then()
    if (this.#writing && comparePointers(pointer, this.#writing.pointer) <= 0) {
      this.#writing.waiting.push(then)
      return
    }
    const write = { pointer, waiting: [then] }
    this.#writing = write
    this.#env.persist({ pointer }, () => {
      const before = this.#current
      if (comparePointers(pointer, before) > 0) {
        this.#current = pointer
        this.#changed(pointer, before)
      }
      if (this.#writing === write) this.#writing = undefined
      for (const waiting of write.waiting) waiting()
    })
  }
}
