// The registry's actors, with what they take up on each boot: sums kept up with every change, because a command that
// gives an actor a home must know what is left there, whatever else is in the mesh.

import { type ActorKey, type BootId, typeOfActor } from '../ids.ts'
import { Occupancy, type Occupant } from '../occupancy.ts'
import type { ActorEntry, Actors } from './types.ts'

export const occupantOf = ({ key, options }: ActorEntry): Occupant => ({
  type: typeOfActor(key),
  ...(options.placement ? { placement: options.placement } : {}),
})

export class ActorTable extends Map<ActorKey, ActorEntry> implements Actors {
  readonly #boots = new Map<BootId, Occupancy>()

  static of(entries: Iterable<ActorEntry>): ActorTable {
    const table = new ActorTable()
    for (const entry of entries) table.set(entry.key, entry)
    return table
  }

  at(boot: BootId): Occupancy {
    return this.#boots.get(boot) ?? new Occupancy()
  }

  override set(key: ActorKey, entry: ActorEntry): this {
    const before = this.get(key)
    if (!before || before.home !== entry.home || before.options !== entry.options) {
      if (before) this.#count(before, -1)
      this.#count(entry, 1)
    }
    return super.set(key, entry)
  }

  override delete(key: ActorKey): boolean {
    const before = this.get(key)
    if (before) this.#count(before, -1)
    return super.delete(key)
  }

  override clear(): void {
    this.#boots.clear()
    super.clear()
  }

  #count(entry: ActorEntry, by: 1 | -1): void {
    const boot = entry.home
    if (boot === null) return
    const occupancy = this.at(boot)
    occupancy.count(occupantOf(entry), { load: by, room: by })
    if (occupancy.load > 0) this.#boots.set(boot, occupancy)
    else this.#boots.delete(boot)
  }
}
