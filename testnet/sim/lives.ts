// Names that are deleted, or stopped, and made again: which of its lives an answer was about (A7, G1, C3).
//
//  1. A life of a ledger, as its state tells it, belongs to one incarnation that a registry had, and an incarnation to one
//     life: a state that was begun anew has lost what was acknowledged.
//  2. A name has no more lives than somebody asked for ends of them, and one.
//  3. After a deletion was answered nobody sees a life that anybody had seen before it was asked for.

import type { ActorKey } from '../../mesh/ids.ts'
import type { ActorEntry, RegistryState } from '../../mesh/registry/types.ts'
import type { ListOperation } from '../check/linearizability.ts'

interface Deletion {
  readonly start: number
  readonly end: number
}

export class Lives {
  /** By name and epoch, with which a life begins. */
  readonly #incarnations = new Map<string, number>()
  readonly #seen = new Map<ActorKey, ActorEntry>()
  readonly #asked = new Map<string, number>()
  readonly #deletions = new Map<string, Deletion[]>()

  /** Names of which somebody asked for an end. */
  get ended(): number {
    return this.#asked.size
  }

  /** What a process has applied. */
  watch({ actors }: RegistryState): void {
    for (const entry of actors.values()) {
      if (this.#seen.get(entry.key) === entry) continue
      this.#seen.set(entry.key, entry)
      this.#incarnations.set(`${entry.key} ${entry.epoch}`, entry.incarnation)
    }
  }

  /** Somebody asks for the end of the actor's life. */
  asked(actor: string): void {
    this.#asked.set(actor, (this.#asked.get(actor) ?? 0) + 1)
  }
  /** It was asked for, and is deleted. */
  deleted(actor: string, start: number, end: number): void {
    const deletions = this.#deletions.get(actor) ?? []
    deletions.push({ start, end })
    this.#deletions.set(actor, deletions)
  }

  /** What is wrong with the lives that the operations on one actor saw. */
  check(actor: string, operations: readonly ListOperation[]): readonly string[] {
    const placed = operations.flatMap((operation) => {
      const { place, start, end } = operation
      const who = operation.kind === 'append' ? operation.value : operation.what
      return place && end !== undefined ? { who, start, end, life: place.life } : []
    })
    const wrong: string[] = []
    const lifeOf = new Map<number, number>()
    for (const life of new Set(placed.map((each) => each.life))) {
      const incarnation = this.#incarnations.get(`${actor} ${life}`)
      if (incarnation === undefined) {
        wrong.push(`${actor}: no registry had it under epoch ${life}, with which a life of it began`)
        continue
      }
      const other = lifeOf.get(incarnation)
      if (other !== undefined)
        wrong.push(`${actor}: incarnation ${incarnation} began in epoch ${other} and again in epoch ${life}`)
      lifeOf.set(incarnation, life)
    }
    const asked = this.#asked.get(actor) ?? 0
    if (lifeOf.size > asked + 1)
      wrong.push(`${actor}: it had ${lifeOf.size} lives, and ${asked} were asked to end`)
    for (const { start, end } of this.#deletions.get(actor) ?? []) {
      const before = placed.filter((each) => each.end < start)
      const last = Math.max(...before.map(({ life }) => life))
      for (const each of placed)
        if (each.start > end && each.life <= last)
          wrong.push(
            `${actor}: ${each.who} saw life ${each.life}, which was deleted by ${end.toFixed(0)} (it began at ${each.start.toFixed(0)})`,
          )
    }
    return wrong
  }
}
