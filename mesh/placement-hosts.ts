// Which boot runs an actor. Pure and deterministic, like placement.ts. What a home must have is in placement-fit.ts (P3).
//
// P4 Among the homes that an actor may have, in this order: most of the labels it prefers, fewest alike where its type is
//    spread, a peer that holds its journal, the least busy, and the hash. rebalance.ts relies on the first two.

import { rendezvousScore } from './hash.ts'
import type { ActorKey, BootId, PeerId } from './ids.ts'
import type { Occupancy, Occupant } from './occupancy.ts'
import {
  type HostActor,
  type HostCandidate,
  hasRoom,
  isOpen,
  spreadValue,
  suits,
  unmet,
} from './placement-fit.ts'

/**
 * A peer that holds the actor's journal starts it without a transfer, so it may be this much busier than the mean: half
 * as much again, and a few actors more, so that the rule means something in a nearly empty mesh.
 */
const HOLDER_FACTOR = 1.5
const HOLDER_EXTRA = 4

/** A candidate, and what will be there when everything that was planned is done. */
export interface Place {
  readonly candidate: HostCandidate
  readonly occupancy: Occupancy
}

/** The items with the smallest measure, in their order. */
function smallest<Item>(items: readonly Item[], measure: (item: Item) => number): readonly Item[] {
  const measured = items.map((item) => ({ item, size: measure(item) }))
  const least = Math.min(...measured.map(({ size }) => size))
  return measured.filter(({ size }) => size === least).map(({ item }) => item)
}

/** The least busy place; rendezvous hashing decides among equals, so that equal peers share the actors. */
function leastBusy(key: ActorKey, places: readonly Place[]): Place | undefined {
  let best: Place | undefined
  let bestScore = 0
  for (const place of places) {
    const load = place.occupancy.load
    if (best !== undefined && load > best.occupancy.load) continue
    const score = rendezvousScore(key, place.candidate.boot)
    if (best === undefined || load < best.occupancy.load || score > bestScore) {
      best = place
      bestScore = score
    }
  }
  return best
}

function nearest(key: ActorKey, able: readonly Place[], prefer: ReadonlySet<PeerId>): Place | undefined {
  if (prefer.size > 0) {
    const mean = able.reduce((sum, place) => sum + place.occupancy.load, 0) / Math.max(1, able.length)
    const limit = HOLDER_FACTOR * mean + HOLDER_EXTRA
    const holder = leastBusy(
      key,
      able.filter((place) => prefer.has(place.candidate.peer) && place.occupancy.load <= limit),
    )
    if (holder !== undefined) return holder
  }
  return leastBusy(key, able)
}

const WHOLE = { load: 1, room: 1 } as const
const GONE = { load: -1, room: -1 } as const

/** Candidates with what is planned for them: each actor that is placed is counted before the next one is. */
export class Places {
  readonly #places: readonly Place[]
  readonly #byBoot: ReadonlyMap<BootId, Place>
  readonly #suitable = new Map<string, readonly Place[]>()

  constructor(candidates: readonly HostCandidate[]) {
    this.#places = candidates.map((candidate) => ({ candidate, occupancy: candidate.occupancy.copy() }))
    this.#byBoot = new Map(this.#places.map((place) => [place.candidate.boot, place]))
  }

  /** Places that take actors. */
  get open(): readonly Place[] {
    return this.#places.filter(({ candidate }) => isOpen(candidate))
  }
  at(boot: BootId): Place | undefined {
    return this.#byBoot.get(boot)
  }

  /** It was counted at home only, and is on its way to another boot: a burden there, and in need of room at both. */
  send(actor: Occupant, home: BootId, to: BootId): void {
    this.#byBoot.get(home)?.occupancy.count(actor, { load: -1, room: 0 })
    this.#byBoot.get(to)?.occupancy.count(actor, WHOLE)
  }
  /** What {@link send} did is undone. */
  callBack(actor: Occupant, home: BootId, to: BootId): void {
    this.#byBoot.get(home)?.occupancy.count(actor, { load: 1, room: 0 })
    this.#byBoot.get(to)?.occupancy.count(actor, GONE)
  }
  /** It is not at home there any more. */
  withdraw(actor: Occupant, home: BootId): void {
    this.#byBoot.get(home)?.occupancy.count(actor, GONE)
  }
  settle(actor: Occupant, home: BootId): void {
    this.#byBoot.get(home)?.occupancy.count(actor, WHOLE)
  }

  /** What is asked of a home is there (P3); whether the boot is there is another question. */
  allows(actor: HostActor, boot: BootId): boolean {
    const place = this.#byBoot.get(boot)
    return place !== undefined && suits(place.candidate, actor) && this.#hasRoom(place, actor)
  }

  /** Actors of its kind that live where its label has this value. */
  alike(actor: Occupant, value: string | undefined): number {
    let alike = 0
    for (const { candidate, occupancy } of this.#places)
      if (candidate.live && spreadValue(actor, candidate) === value) alike += occupancy.alike(actor)
    return alike
  }

  /** The best home for an actor that is counted nowhere, or nowhere that `may` be chosen (P3, P4). */
  choose(
    actor: HostActor,
    prefer: readonly PeerId[] = [],
    may: (place: Place) => boolean = () => true,
  ): Place | undefined {
    let able = this.#suitableFor(actor).filter((place) => may(place) && this.#hasRoom(place, actor))
    const { placement } = actor
    if (placement?.preferLabels || placement?.spread)
      able = smallest(able, ({ candidate }) => unmet(actor, candidate)).slice()
    if (placement?.spread)
      able = smallest(able, ({ candidate }) => this.alike(actor, spreadValue(actor, candidate))).slice()
    return nearest(actor.key, able, new Set(prefer))
  }

  #hasRoom({ candidate, occupancy }: Place, actor: HostActor): boolean {
    return hasRoom(actor, candidate.resources, occupancy)
  }

  #suitableFor(actor: HostActor): readonly Place[] {
    const { home, peer } = actor.placement ?? {}
    const needs = JSON.stringify([actor.type, Object.entries(actor.labels), actor.keyId, home, peer])
    let suitable = this.#suitable.get(needs)
    if (suitable === undefined) {
      suitable = this.open.filter(({ candidate }) => suits(candidate, actor))
      this.#suitable.set(needs, suitable)
    }
    return suitable
  }
}

/** A home for one actor; undefined when no live peer can run it. `prefer`: peers that hold its journal. */
export function chooseHost(question: {
  readonly candidates: readonly HostCandidate[]
  readonly actor: HostActor
  readonly prefer: readonly PeerId[]
}): BootId | undefined {
  const homes = assignHomes([{ ...question.actor, prefer: question.prefer }], question.candidates)
  return homes.get(question.actor.key)
}

/**
 * Homes for many actors at once, each counted before the next is placed, in the order given. An actor that no live peer
 * can run is missing from the result. Costs one hash per actor and equally busy peer.
 */
export function assignHomes(
  actors: readonly (HostActor & { readonly prefer?: readonly PeerId[] })[],
  candidates: readonly HostCandidate[],
): Map<ActorKey, BootId> {
  const places = new Places(candidates)
  const homes = new Map<ActorKey, BootId>()
  for (const actor of actors) {
    const boot = places.choose(actor, actor.prefer)?.candidate.boot
    if (boot === undefined) continue
    places.settle(actor, boot)
    homes.set(actor.key, boot)
  }
  return homes
}
