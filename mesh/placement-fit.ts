// What an actor asks of a home, and what a boot offers: single questions about one actor and one candidate. Pure.
//
// P3 A home has what its actors need: its type, its labels, its key, room for its resources, nobody it keeps apart from, and the
//    head, or the very peer, that it is pinned to. What an actor waits for is said in placement-why.ts.

import type { ActorKey, BootId, PeerId } from './ids.ts'
import type { Occupancy, Occupant } from './occupancy.ts'
import { hasLabels } from './placement-candidates.ts'
import { amountOf, type Resources, thousandths } from './resources.ts'

export interface HostCandidate {
  readonly boot: BootId
  readonly peer: PeerId
  readonly live: boolean
  readonly leaving: boolean
  readonly canHost: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly types: readonly string[]
  readonly resources?: Resources
  /** The key it has. */
  readonly keyId?: string
  /** The peer is the head. */
  readonly head: boolean
  /** What is there already. */
  readonly occupancy: Occupancy
}

export interface HostActor extends Occupant {
  readonly key: ActorKey
  /** Only peers with all these labels may host it. */
  readonly labels: Readonly<Record<string, string>>
  /** Only peers with that key may. */
  readonly keyId?: string
}

/** There, and takes actors. */
export const isOpen = ({ live, leaving, canHost }: HostCandidate): boolean => live && !leaving && canHost

/** All of P3 that does not change while actors come and go. */
export const suits = (
  candidate: HostCandidate,
  { type, labels, placement, keyId }: Omit<HostActor, 'key'>,
): boolean =>
  candidate.types.includes(type) &&
  (keyId === undefined || keyId === candidate.keyId) &&
  hasLabels(candidate.labels, labels) &&
  (placement?.home !== 'head' || candidate.head) &&
  (placement?.peer === undefined || placement.peer === candidate.peer)

/** The rest of P3: what is left of the resources suffices, and nobody there is to be kept apart from. */
export function hasRoom(
  { type, placement }: Occupant,
  offered: Resources | undefined,
  there: Occupancy,
): boolean {
  if (there.shuns(type) || placement?.apartFrom?.some((other) => there.hosts(other))) return false
  return Object.entries(placement?.resources ?? {}).every(
    ([name, amount]) => there.used(name) + thousandths(amount) <= thousandths(amountOf(offered, name)),
  )
}

/** Labels that the actor would rather have and does not get there. */
export function unmet({ placement }: Occupant, { labels }: HostCandidate): number {
  const { preferLabels = {}, spread } = placement ?? {}
  const missed = Object.entries(preferLabels).filter(
    (label) => !hasLabels(labels, Object.fromEntries([label])),
  )
  // Without the label a peer belongs to none of the values over which actors are spread.
  const isNowhere = spread !== undefined && spread !== 'peer' && !Object.hasOwn(labels, spread)
  return missed.length + Number(isNowhere)
}

/** The value of the label that the actor's type is spread over; undefined where the peer has none, or nothing is spread. */
export function spreadValue({ placement }: Occupant, { peer, labels }: HostCandidate): string | undefined {
  const spread = placement?.spread
  if (spread === undefined || spread === 'peer') return spread && peer
  return Object.hasOwn(labels, spread) ? labels[spread] : undefined
}
