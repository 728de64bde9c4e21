// The order of facts about one peer, and what a peer does about a fact on itself.
//
// F1 Facts about one peer are totally ordered by (startedAt, boot, left, incarnation, liveness); a view keeps the
//    greatest it has seen. So views that saw the same facts in any order, any number of times, are equal.
// F2 Only the peer itself makes facts with a new boot, a higher incarnation or `left`; others only lower its liveness
//    within an incarnation. So nobody but the peer itself comes back to life.
// F3 Within one boot `left` is final.

import { compareIds, peerOfBoot } from '../ids.ts'
import type { Fact, Liveness, PeerDescription } from './types.ts'

/** Far above what a real peer reaches, far enough below 2^53 that adding one stays exact. */
export const MAX_INCARNATION = 2 ** 48
export const MAX_STARTED_AT = 2 ** 52

const RANK: Readonly<Record<Liveness, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 }

/** Positive when `a` supersedes `b` (F1). Both are about the same peer. */
export const compareFacts = (a: Fact, b: Fact): number =>
  a.startedAt - b.startedAt ||
  compareIds(a.boot, b.boot) ||
  Number(a.liveness === 'left') - Number(b.liveness === 'left') ||
  a.incarnation - b.incarnation ||
  RANK[a.liveness] - RANK[b.liveness]

export const isLive = (liveness: Liveness): boolean => liveness === 'alive' || liveness === 'suspect'

/** A fact that some peer could have made. What fails this is dropped: it could never be superseded, or says nothing. */
export const isSane = (fact: Fact): boolean =>
  peerOfBoot(fact.boot) === fact.peer &&
  Number.isSafeInteger(fact.incarnation) &&
  fact.incarnation >= 0 &&
  fact.incarnation <= MAX_INCARNATION &&
  fact.startedAt >= 0 &&
  fact.startedAt <= MAX_STARTED_AT &&
  fact.load >= 0 &&
  Number.isFinite(fact.load) &&
  (fact.liveness !== 'left' || fact.by === fact.peer) // F2

/**
 * This peer's next fact about itself when somebody holds one that supersedes it; undefined when nothing must be said.
 * A higher incarnation refutes a suspicion. Against another boot of this peer that looks newer (this machine's clock
 * went back between two starts), or a `left` that it never said, only a later start helps: `startedAt` is no clock,
 * it is an order.
 */
export function outrank(own: Fact, rival: Fact): Fact | undefined {
  if (compareFacts(rival, own) <= 0) return undefined
  if (rival.boot === own.boot && rival.liveness !== 'left' && rival.incarnation < MAX_INCARNATION) {
    return { ...own, startedAt: rival.startedAt, incarnation: rival.incarnation + 1 }
  }
  if (rival.startedAt >= MAX_STARTED_AT) return undefined // A member that lies this much is beyond a refutation.
  return { ...own, startedAt: Math.floor(rival.startedAt) + 1, incarnation: 0 }
}

/** The next version of this peer's own fact, for what it has to say of itself. */
export const renew = (own: Fact): Fact =>
  own.incarnation < MAX_INCARNATION
    ? { ...own, incarnation: own.incarnation + 1 }
    : { ...own, startedAt: own.startedAt + 1, incarnation: 0 }

/** Equal whatever the order of labels. */
export const sameDescription = (a: PeerDescription, b: PeerDescription): boolean =>
  a === b || canonical(a) === canonical(b)

const canonical = (d: PeerDescription): string =>
  JSON.stringify([
    d.name,
    d.store,
    d.addresses,
    Object.entries(d.labels).sort(([x], [y]) => compareIds(x, y)),
    d.types,
    d.canHost,
    d.canKeep,
    d.keyId ?? '',
    Object.entries(d.resources ?? {}).sort(([x], [y]) => compareIds(x, y)),
  ])
