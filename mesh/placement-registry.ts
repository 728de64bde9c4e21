// Which stores keep the registry: 1, 3 from three peers up, 5 from five up. Never 2 or 4: one keeper more than 1 or 3
// tolerates no further failure and is one more that can fail. Two peers have one keeper, the head; the other follows the
// log like everybody and has it for `mesh rescue`.

import type { PeerId } from './ids.ts'
import type { Keeper } from './log-types.ts'
import { asKeeper, byScore, canKeepNow, type KeeperCandidate, takeSpread } from './placement-candidates.ts'
import { tolerance } from './quorum.ts'

const sizeFor = (able: number): 0 | 1 | 3 | 5 => (able >= 5 ? 5 : able >= 3 ? 3 : able >= 1 ? 1 : 0)

const isOf = (candidate: KeeperCandidate, keepers: readonly Keeper[]): boolean =>
  keepers.some(({ peer, store }) => peer === candidate.peer && store === candidate.store)

/** One candidate per peer that can keep now: a current keeper's store rather than another one of its peer. */
function ableOf(candidates: readonly KeeperCandidate[], current: readonly Keeper[]): KeeperCandidate[] {
  const byPeer = new Map<PeerId, KeeperCandidate>()
  for (const candidate of candidates) {
    if (!canKeepNow(candidate)) continue
    if (!byPeer.has(candidate.peer) || isOf(candidate, current)) byPeer.set(candidate.peer, candidate)
  }
  return [...byPeer.values()]
}

/**
 * The head's store first, where it may keep (it writes the log), then current keepers (their disks have it already),
 * then others; within each, spread over zones. Empty only when nobody may keep.
 */
export function chooseRegistryKeepers(
  candidates: readonly KeeperCandidate[],
  current: readonly Keeper[],
  head: PeerId | undefined,
): Keeper[] {
  const able = byScore('registry', ableOf(candidates, current))
  const size = sizeFor(able.length)
  const own = able.filter((candidate) => candidate.peer === head)
  const kept = takeSpread(
    own,
    able.filter((candidate) => isOf(candidate, current)),
    size,
  )
  return takeSpread(kept, able, size).slice(0, size).map(asKeeper)
}

/**
 * Why the registry should take a new term with other keepers; false when it should not: a keeper is gone for good, or a
 * new set would survive more failures than what is left of this one. So the set does not shrink because a keeper is
 * away, until shrinking helps (five with two away are worse than three), and grows as soon as there are peers.
 */
export function registryKeepersNeedChange(
  candidates: readonly KeeperCandidate[],
  current: readonly Keeper[],
): false | string {
  const able = ableOf(candidates, current)
  if (able.length === 0) return false
  let present = 0
  for (const keeper of current) {
    const candidate = candidates.find(({ peer, store }) => peer === keeper.peer && store === keeper.store)
    if (candidate === undefined) return `the store of registry keeper ${keeper.peer} is gone`
    if (candidate.leaving) return `registry keeper ${keeper.peer} is leaving`
    if (!candidate.canKeep) return `registry keeper ${keeper.peer} declines to keep`
    if (candidate.live) present += 1
  }
  if (tolerance(sizeFor(able.length)) <= tolerance(current.length, present)) return false
  return `${present} of ${current.length} registry keepers are present, ${sizeFor(able.length)} could be`
}
