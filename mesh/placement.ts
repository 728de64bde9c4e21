// Which stores keep a journal. Pure and deterministic: every peer that asks with the same candidates gets the same
// answer. The registry's keepers are chosen in placement-registry.ts, homes of actors in placement-hosts.ts.
//
// P1 A set that was just chosen needs no change (no flapping): chooseKeepers and keepersNeedChange share `eligible`.
// P2 No two keepers are of one peer: its death would count twice.

import type { PeerId } from './ids.ts'
import type { Keeper } from './log-types.ts'
import {
  asKeeper,
  byScore,
  canKeepNow,
  hasLabels,
  type KeeperCandidate,
  takeSpread,
} from './placement-candidates.ts'
import { majority, tolerance } from './quorum.ts'
import type { JournalClass } from './registry/types.ts'

export type { KeeperCandidate } from './placement-candidates.ts'
export type { HostActor, HostCandidate } from './placement-fit.ts'
export { assignHomes, chooseHost, Places } from './placement-hosts.ts'
export { chooseRegistryKeepers, registryKeepersNeedChange } from './placement-registry.ts'

export interface KeeperQuestion {
  readonly candidates: readonly KeeperCandidate[]
  readonly spec: JournalClass
  /** The journal's writer. */
  readonly host: Keeper | undefined
  readonly head: PeerId | undefined
}

const isSame = (candidate: KeeperCandidate, keeper: Keeper): boolean =>
  candidate.peer === keeper.peer && candidate.store === keeper.store

/** What the journal's class asks for. */
const fits = (candidate: KeeperCandidate, spec: JournalClass): boolean =>
  candidate.canKeep &&
  hasLabels(candidate.labels, spec.labels) &&
  (spec.peers === undefined || spec.peers.includes(candidate.peer) || spec.peers.includes(candidate.name))

/** May be made a keeper of this journal now. */
const isEligible = (candidate: KeeperCandidate, spec: JournalClass): boolean =>
  canKeepNow(candidate) && fits(candidate, spec)

const peersIn = (candidates: readonly KeeperCandidate[]): number =>
  new Set(candidates.map(({ peer }) => peer)).size

/** Keepers with which a journal outlives the loss of any two. */
const OUTLIVES_TWO = 5

/**
 * As many as the class asks for. The head's own journal, where its class is to outlive the loss of one peer, outlives
 * that of two if there are peers for it: with the head goes the one who recovers, and whoever dies at the same moment
 * must not take the majority of what the head hosted.
 */
function wantedKeepers({ spec, host, head }: KeeperQuestion, able: number): number {
  const wanted = Math.max(1, Math.floor(spec.keepers) || 1)
  const isHeads = head !== undefined && host?.peer === head
  return isHeads && wanted >= 3 && able >= OUTLIVES_TWO ? Math.max(wanted, OUTLIVES_TWO) : wanted
}

/**
 * Up to `wantedKeepers` stores: the host's own first, where it may keep (a record that need not travel is acknowledged
 * sooner, and the host counts through its keeper like any other, R5), then others by rendezvous hashing.
 *
 * The head only when nobody else is left: with keepers {host, head, x}, host and head dying together would take the
 * majority of the journal at the very moment when a new head must recover it.
 *
 * With fewer candidates than wanted, all of them: two of two must both answer, and yet two copies are wanted more than a
 * journal that goes on while its only copy dies.
 */
export function chooseKeepers(question: KeeperQuestion & { readonly seed: string }): Keeper[] {
  const { candidates, spec, host, head, seed } = question
  const able = candidates.filter((candidate) => isEligible(candidate, spec))
  const wanted = wantedKeepers(question, peersIn(able))
  const own = able
    .filter((candidate) => candidate.peer === host?.peer && candidate.store === host.store)
    .slice(0, 1)
  const others = byScore(
    seed,
    able.filter((candidate) => candidate.peer !== host?.peer),
  )
  const chosen = takeSpread(
    own,
    others.filter((candidate) => candidate.peer !== head),
    wanted,
  )
  return takeSpread(chosen, others, wanted).map(asKeeper)
}

/**
 * Why a journal should go on in a fresh one with other keepers; false when it should not. A keeper that is merely away
 * is replaced only by somebody, never by nobody: it may come back with its copy. Unless fewer keepers, all of them
 * there, outlive more than what is left of many.
 */
export function keepersNeedChange(
  question: KeeperQuestion & { readonly keepers: readonly Keeper[] },
): false | string {
  const { candidates, spec, host, head, keepers } = question
  const able = candidates.filter((candidate) => isEligible(candidate, spec))
  if (able.length === 0) return false
  const peers = new Set(keepers.map((keeper) => keeper.peer))
  // Somebody who could take a place; another store of a keeper's peer is one only when the old store is gone.
  const hostsForeignStore = (candidate: KeeperCandidate): boolean =>
    candidate.peer === host?.peer && candidate.store !== host.store
  const spares = able.filter((candidate) => !peers.has(candidate.peer) && !hostsForeignStore(candidate))

  for (const keeper of keepers) {
    const candidate = candidates.find((each) => isSame(each, keeper))
    if (candidate === undefined) return `the store of keeper ${keeper.peer} is gone`
    if (candidate.leaving) return `keeper ${keeper.peer} is leaving`
    if (!candidate.live && spares.length > 0) return `keeper ${keeper.peer} is lost`
    if (!fits(candidate, spec) && spares.length > 0) return `keeper ${keeper.peer} may not keep it any more`
  }
  const wanted = wantedKeepers(question, peersIn(able))
  if (keepers.length < wanted && spares.length > 0) {
    return `${keepers.length} of ${wanted} keepers, and there are more peers now`
  }
  if (headEndangers(keepers, host, head) && spares.some((candidate) => candidate.peer !== head)) {
    return `host and head ${head} together hold a majority of the keepers`
  }
  const present = keepers.filter((keeper) =>
    candidates.some((candidate) => candidate.live && isSame(candidate, keeper)),
  )
  if (tolerance(Math.min(wanted, peersIn(able))) > Math.max(0, tolerance(keepers.length, present.length)))
    return `${present.length} of ${keepers.length} keepers are left`
  return false
}

/** Host and head dying together take the majority, and would not if another peer kept in the head's place. */
function headEndangers(
  keepers: readonly Keeper[],
  host: Keeper | undefined,
  head: PeerId | undefined,
): boolean {
  if (head === undefined || head === host?.peer || !keepers.some((keeper) => keeper.peer === head))
    return false
  const others = keepers.filter((keeper) => keeper.peer !== head && keeper.peer !== host?.peer).length
  return others < majority(keepers.length) && others + 1 >= majority(keepers.length)
}
