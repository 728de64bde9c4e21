// What waits for one actor, by caller.
//
//  M1 Callers take turns: however much one of them sends, each other one's first waits for one call of every caller at most.
//  M2 Calls of one caller keep their order.
//  M3 In a full mailbox room is made for a caller at the cost of the one that has most waiting there, by its newest call.

import type { CallerId } from '../../mesh/ids.ts'

export class Mailbox<Call> {
  #turns: Map<CallerId, Call[]> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** In the order of their turns; each has something waiting. An empty mailbox has no table: there are many of them. */
  get #callers(): Map<CallerId, Call[]> {
    this.#turns ??= new Map()
    return this.#turns
  }

  *[Symbol.iterator](): Iterator<Call> {
    for (const waiting of this.#turns?.values() ?? []) yield* waiting
  }

  push(caller: CallerId, call: Call): void {
    this.#size++
    const waiting = this.#callers.get(caller)
    if (waiting === undefined) this.#callers.set(caller, [call])
    else waiting.push(call)
  }

  shift(): Call | undefined {
    for (const [caller, waiting] of this.#turns ?? []) {
      this.#size--
      const call = waiting.shift() // M2
      this.#callers.delete(caller)
      if (waiting.length > 0) this.#callers.set(caller, waiting) // M1
      if (this.#size === 0) this.#turns = undefined
      return call
    }
    return undefined
  }

  /** False when it does not wait here. */
  remove(caller: CallerId, call: Call): boolean {
    const waiting = this.#turns?.get(caller) ?? []
    const index = waiting.indexOf(call)
    if (index < 0) return false
    this.#size--
    waiting.splice(index, 1)
    if (waiting.length === 0) this.#callers.delete(caller)
    return true
  }

  /** Takes out what has to give way for a call of this caller; undefined when nobody has more waiting than it would have. */
  giveWay(caller: CallerId): Call | undefined {
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
