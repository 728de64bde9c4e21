// Homes for the actors of one registry: each that is placed is counted before the next one is.

import type { ActorKey, BootId, PeerId } from '../ids.ts'
import { type HostActor, type HostCandidate, Places } from '../placement.ts'
import { occupantOf } from './actor-table.ts'
import type { ActorEntry, RegistryState } from './types.ts'

export const hostActorOf = (actor: ActorEntry): HostActor => ({
  ...occupantOf(actor),
  key: actor.key,
  labels: actor.options.labels,
  ...(actor.options.keyId === undefined ? {} : { keyId: actor.options.keyId }),
})

export class HomePlan {
  readonly #state: RegistryState
  readonly #candidates: () => readonly HostCandidate[]
  readonly #holders: (actor: ActorEntry) => readonly PeerId[]
  #made: Places | undefined

  constructor(
    state: RegistryState,
    candidates: () => readonly HostCandidate[],
    holders: (actor: ActorEntry) => readonly PeerId[],
  ) {
    this.#state = state
    this.#candidates = candidates
    this.#holders = holders
  }

  /** Places as they will be when those under way have arrived. */
  get places(): Places {
    if (this.#made) return this.#made
    const places = new Places(this.#candidates())
    for (const actor of this.#state.actors.values()) {
      const to = this.#target(actor)
      if (actor.home !== null && to) places.send(occupantOf(actor), actor.home, to)
    }
    this.#made = places
    return places
  }

  /** New homes, also for actors that are about to lose theirs; those that nobody can run are missing. */
  place(actors: readonly ActorEntry[]): ReadonlyMap<ActorKey, BootId> {
    const homes = new Map<ActorKey, BootId>()
    for (const actor of actors) {
      const home = this.#placeOne(actor)
      if (home !== undefined) homes.set(actor.key, home)
    }
    return homes
  }

  #placeOne(actor: ActorEntry): BootId | undefined {
    const { places } = this
    const asked = hostActorOf(actor)
    const to = this.#target(actor)
    if (actor.home !== null && to) places.callBack(asked, actor.home, to)
    if (actor.home !== null) places.withdraw(asked, actor.home)
    // Where a move wants it, unless it cannot live there.
    const home =
      to && places.allows(asked, to) ? to : places.choose(asked, this.#holders(actor))?.candidate.boot
    if (home !== undefined) places.settle(asked, home)
    return home
  }

  #target({ status }: ActorEntry): BootId | undefined {
    return status.kind === 'moving' && status.to ? this.#state.peers.get(status.to)?.boot : undefined
  }
}
