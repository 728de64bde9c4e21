// The numbers of this peer's own calls, and the floors they carry: what lets hosts forget results (call-table.ts).

import type { CallFloors } from '../../checkpoint/call-table.ts'
import type { ActorKey } from '../../mesh/ids.ts'

export class CallNumbers {
  #next = 1
  /** Unanswered numbers with their actor, ascending. */
  readonly #open = new Map<number, ActorKey>()
  readonly #perActor = new Map<ActorKey, Set<number>>()

  get unanswered(): number {
    return this.#open.size
  }

  take(actor: ActorKey): number {
    const n = this.#next++
    this.#open.set(n, actor)
    const numbers = this.#perActor.get(actor) ?? new Set()
    this.#perActor.set(actor, numbers.add(n))
    return n
  }

  /** Answered, or given up: its caller will not ask again. */
  settle(n: number): void {
    const actor = this.#open.get(n)
    if (actor === undefined) return
    this.#open.delete(n)
    const numbers = this.#perActor.get(actor)
    numbers?.delete(n)
    if (numbers?.size === 0) this.#perActor.delete(actor)
  }

  floors(actor: ActorKey): CallFloors {
    return {
      own: first(this.#perActor.get(actor)) ?? this.#next,
      all: first(this.#open.keys()) ?? this.#next,
    }
  }
}

function first(numbers: Iterable<number> | undefined): number | undefined {
  for (const n of numbers ?? []) return n
  return undefined
}
