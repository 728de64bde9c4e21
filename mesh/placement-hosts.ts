// Which boot runs an actor. Pure and deterministic, like placement.ts.

import { rendezvousScore } from './hash.ts'
import type { ActorKey, BootId, PeerId } from './ids.ts'
import { hasLabels } from './placement-candidates.ts'

export interface HostCandidate {
  readonly boot: BootId
  readonly peer: PeerId
  readonly live: boolean
  readonly leaving: boolean
  readonly canHost: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly types: readonly string[]
  /** Actors hosted. */
  readonly actors: number
}

export interface HostActor {
  readonly key: ActorKey
  readonly type: string
  /** Only peers with all these labels may host it. */
  readonly labels: Readonly<Record<string, string>>
}

/**
 * A peer that holds the actor's journal starts it without a transfer, so it may be this much busier than the mean: half
 * as much again, and a few actors more, so that the rule means something in a nearly empty mesh.
 */
const HOLDER_FACTOR = 1.5
const HOLDER_EXTRA = 4

interface Place {
  readonly candidate: HostCandidate
  actors: number
}

const isAble = (candidate: HostCandidate, actor: Omit<HostActor, 'key'>): boolean =>
  candidate.live &&
  !candidate.leaving &&
  candidate.canHost &&
  candidate.types.includes(actor.type) &&
  hasLabels(candidate.labels, actor.labels)

/** The least busy place; rendezvous hashing decides among equals, so that equal peers share the actors. */
function leastBusy(key: ActorKey, places: readonly Place[]): Place | undefined {
  let best: Place | undefined
  let bestScore = 0
  for (const place of places) {
    if (best !== undefined && place.actors > best.actors) continue
    const score = rendezvousScore(key, place.candidate.boot)
    if (best === undefined || place.actors < best.actors || score > bestScore) {
      best = place
      bestScore = score
    }
  }
  return best
}

function choosePlace(key: ActorKey, able: readonly Place[], prefer: ReadonlySet<PeerId>): Place | undefined {
  if (prefer.size > 0) {
    const mean = able.reduce((sum, place) => sum + place.actors, 0) / Math.max(1, able.length)
    const limit = HOLDER_FACTOR * mean + HOLDER_EXTRA
    const holder = leastBusy(
      key,
      able.filter((place) => prefer.has(place.candidate.peer) && place.actors <= limit),
    )
    if (holder !== undefined) return holder
  }
  return leastBusy(key, able)
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
  const places = candidates.map((candidate): Place => ({ candidate, actors: candidate.actors }))
  const homes = new Map<ActorKey, BootId>()
  const ablePlaces = new Map<string, Place[]>()
  for (const actor of actors) {
    const needs = JSON.stringify([actor.type, Object.entries(actor.labels)])
    let able = ablePlaces.get(needs)
    if (able === undefined) {
      able = places.filter((place) => isAble(place.candidate, actor))
      ablePlaces.set(needs, able)
    }
    const place = choosePlace(actor.key, able, new Set(actor.prefer))
    if (place === undefined) continue
    place.actors += 1
    homes.set(actor.key, place.candidate.boot)
  }
  return homes
}
