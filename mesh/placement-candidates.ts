// What the choices of keepers share: who can be one, in which order, and spread over zones.

import { rendezvousScore } from './hash.ts'
import { compareIds, type PeerId, type StoreId } from './ids.ts'
import type { Keeper } from './log-types.ts'

export interface KeeperCandidate {
  readonly peer: PeerId
  readonly store: StoreId
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly canKeep: boolean
  /** There, or expected back: a keeper that is not live is replaced as soon as there is somebody to do it. */
  readonly live: boolean
  /**
   * Live only by the caller's patience (it may be restarting): what it keeps it goes on keeping, but it gets nothing
   * new and counts as nobody's replacement, so that a choice and the question whether it needs a change agree.
   */
  readonly away?: boolean
  readonly leaving: boolean
  /** Journals kept. */
  readonly load: number
}

/** Where copies should lie apart. A peer without the label may be anywhere. */
const ZONE = 'zone'

export const hasLabels = (
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean =>
  Object.entries(wanted ?? {}).every(
    ([label, value]) => Object.hasOwn(labels, label) && labels[label] === value,
  )

/** Can be made a keeper at all, of any log. */
export const canKeepNow = (candidate: KeeperCandidate): boolean =>
  candidate.canKeep && candidate.live && candidate.away !== true && !candidate.leaving

export const asKeeper = ({ peer, store }: Keeper): Keeper => ({ peer, store })

/** Orders candidates for a key: the highest score first, ties by store. */
export function byScore<T extends { readonly store: StoreId; readonly load: number }>(
  key: string,
  candidates: readonly T[],
): T[] {
  // Half the chance with one journal more than none: load evens out, and the hash decides among equals.
  const scored = candidates.map((candidate) => ({
    candidate,
    score: rendezvousScore(key, candidate.store, 1 / (1 + Math.max(0, candidate.load))),
  }))
  scored.sort((a, b) => b.score - a.score || compareIds(a.candidate.store, b.candidate.store))
  return scored.map(({ candidate }) => candidate)
}

/**
 * Takes candidates, given in order of preference, until `count` are chosen: first from zones not used yet, then from
 * unknown ones, then from used ones. Never a second store of one peer (P2).
 */
export function takeSpread<T extends Pick<KeeperCandidate, 'peer' | 'labels'>>(
  chosen: readonly T[],
  preferred: readonly T[],
  count: number,
): T[] {
  const result = [...chosen]
  const peers = new Set(result.map((taken) => taken.peer))
  const zones = new Set(result.map((taken) => taken.labels[ZONE]))
  const rank = (candidate: T): number => {
    const zone = candidate.labels[ZONE]
    return zone === undefined ? 1 : zones.has(zone) ? 2 : 0
  }
  let left = preferred.filter((candidate) => !peers.has(candidate.peer))
  while (result.length < count && left.length > 0) {
    const next = left.reduce((best, candidate) => (rank(candidate) < rank(best) ? candidate : best))
    result.push(next)
    zones.add(next.labels[ZONE])
    left = left.filter((candidate) => candidate.peer !== next.peer)
  }
  return result
}
