// What waits for one actor, by caller.
//
//  M1 Callers take turns: however much one of them sends, each other one's first waits for one call of every caller at most.
//  M2 Calls of one caller keep their order.
//  M3 In a full mailbox room is made for a caller at the cost of the one that has most waiting there, by its newest call.

import type { BootId } from '../../mesh/ids.ts'

export class Mailbox<Call> {
  /** In the order of their turns; each has something waiting. */
  readonly #callers = new Map<BootId, Call[]>()

  #size = 0

  get size(): number {
    return this.#size
  }

  *[Symbol.iterator](): Iterator<Call> {
    for (const waiting of this.#callers.values()) yield* waiting
  }

  push(caller: BootId, call: Call): void {
    this.#size++
    const waiting = this.#callers.get(caller)
    if (waiting === undefined) this.#callers.set(caller, [call])
    else waiting.push(call)
  }

  shift(): Call | undefined {
    for (const [caller, waiting] of this.#callers) {
      this.#size--
      const call = waiting.shift() // M2
      this.#callers.delete(caller)
      if (waiting.length > 0) this.#callers.set(caller, waiting) // M1
      return call
    }
    return undefined
  }

  /** False when it does not wait here. */
  remove(caller: BootId, call: Call): boolean {
    const waiting = this.#callers.get(caller) ?? []
    const index = waiting.indexOf(call)
    if (index < 0) return false
    this.#size--
    waiting.splice(index, 1)
    if (waiting.length === 0) this.#callers.delete(caller)
    return true
  }

  /** Takes out what has to give way for a call of this caller; undefined when nobody has more waiting than it would have. */
  giveWay(caller: BootId): Call | undefined {
    let most: Call[] = []
    for (const waiting of this.#callers.values()) if (waiting.length > most.length) most = waiting
    const own = this.#callers.get(caller)?.length ?? 0
    if (most.length <= own + 1) return undefined // M3
    this.#size--
    return most.pop()
  }

  /** Everything, in the order of the turns. */
  takeAll(): Call[] {
    const all: Call[] = []
    for (let call = this.shift(); call !== undefined; call = this.shift()) all.push(call)
    return all
  }
}
