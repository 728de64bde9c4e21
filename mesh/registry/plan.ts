// From the registry and the view to the candidates that placement.ts chooses among. Only the head plans, and only
// what it then commits counts.

import type { Env } from '../env.ts'
import type { BootId, PeerId, StoreId } from '../ids.ts'
import type { Keeper } from '../log-types.ts'
import type { Membership } from '../membership/membership.ts'
import {
  chooseKeepers,
  chooseRegistryKeepers,
  type HostCandidate,
  type KeeperCandidate,
  keepersNeedChange,
  registryKeepersNeedChange,
} from '../placement.ts'
import { whyNoHome } from '../placement-why.ts'
import { tolerance } from '../quorum.ts'
import { sameClass } from './class.ts'
import { HomePlan, hostActorOf } from './home-plan.ts'
import { journalsOf } from './recover.ts'
import type { ActorEntry, JournalClass, JournalEntry, RegistryState } from './types.ts'

export class Plan {
  readonly #env: Env
  readonly #membership: Membership

  constructor(env: Env, membership: Membership) {
    this.#env = env
    this.#membership = membership
  }

  /** `patience`: a peer away for less than this still counts as there, because it may be restarting. */
  #keeperCandidates(state: RegistryState, patienceMs: number): KeeperCandidate[] {
    const kept = new Map<string, number>()
    for (const { keepers } of state.journals.values())
      for (const { store } of keepers) kept.set(store, (kept.get(store) ?? 0) + 1)
    return [...state.peers.values()].map((entry) => ({
      peer: entry.peer,
      store: entry.store,
      name: entry.name,
      labels: entry.labels,
      canKeep: entry.canKeep,
      leaving: entry.leaving,
      ...this.#presence(entry.peer, entry.store, patienceMs),
      load: kept.get(entry.store) ?? 0,
    }))
  }

  #isHere(peer: PeerId, patienceMs: number): boolean {
    if (peer === this.#env.self) return true
    const member = this.#membership.get(peer)
    if (!member) return false
    if (member.liveness === 'alive' || member.liveness === 'suspect')
      return this.#env.connected.has(peer) || patienceMs > 0
    return member.liveness === 'dead' && this.#env.now - member.since < patienceMs
  }

  /** `away`: counted as there for now, but it gets nothing new meanwhile. */
  #presence(peer: PeerId, store: StoreId, patienceMs: number): { live: boolean; away: boolean } {
    const live = this.#isHere(peer, patienceMs) && this.#hasStore(peer, store)
    return { live, away: live && !this.#isHere(peer, 0) }
  }

  /** A peer that came back with another disk keeps nothing under the old one's name. */
  #hasStore(peer: PeerId, store: StoreId): boolean {
    return peer === this.#env.self
      ? store === this.#env.store
      : this.#membership.get(peer)?.description.store === store
  }

  journalKeepers(state: RegistryState, boot: BootId, wanted: JournalClass, seed: string): readonly Keeper[] {
    const entry = [...state.peers.values()].find((peer) => peer.boot === boot)
    if (!entry) return []
    return chooseKeepers({
      candidates: this.#keeperCandidates(state, 0),
      spec: wanted,
      host: { peer: entry.peer, store: entry.store },
      head: this.#env.self,
      seed,
    })
  }

  /** Why a journal should go on in a fresh one with other keepers, or false: for all journals of this step. */
  rolling(state: RegistryState): (journal: JournalEntry) => false | string {
    let candidates: KeeperCandidate[] | undefined
    return (journal) => {
      candidates ??= this.#keeperCandidates(state, this.#env.settings.keeperLostAfterMs)
      return this.#needsRoll(state, journal, candidates)
    }
  }

  #needsRoll(
    state: RegistryState,
    journal: JournalEntry,
    candidates: readonly KeeperCandidate[],
  ): false | string {
    const entry = [...state.peers.values()].find((peer) => peer.boot === journal.boot)
    if (!entry) return false
    const reason = keepersNeedChange({
      keepers: journal.keepers,
      spec: journal.class,
      candidates,
      host: { peer: entry.peer, store: entry.store },
      head: this.#env.self,
    })
    if (reason === false) return false
    // What outlives less than the present set would not be better; wait until there is somebody to take the place. A
    // keeper that leaves is no copy any more, and it waits for this.
    const next = this.journalKeepers(state, journal.boot, journal.class, journal.boot)
    const has = (keepers: readonly Keeper[], store: StoreId) =>
      keepers.some((keeper) => keeper.store === store)
    const staying = candidates.filter(
      ({ store, live, leaving }) => live && !leaving && has(journal.keepers, store),
    )
    const worse = tolerance(next.length) < tolerance(journal.keepers.length, staying.length)
    const same =
      next.length === journal.keepers.length && next.every(({ store }) => has(journal.keepers, store))
    return next.length === 0 || worse || same ? false : reason
  }

  registryKeepers(
    state: RegistryState,
    current: readonly Keeper[],
    avoid: ReadonlySet<string>,
  ): readonly Keeper[] {
    const candidates = this.#keeperCandidates(state, 0).map((candidate) =>
      avoid.has(candidate.store) ? { ...candidate, live: false } : candidate,
    )
    return chooseRegistryKeepers(candidates, current, this.#env.self)
  }

  /** A keeper that is away counts as present for `graceMs`: it may be back before a copy elsewhere would be made. */
  registryNeedsChange(
    state: RegistryState,
    current: readonly Keeper[],
    graceMs = this.#env.settings.keeperLostAfterMs,
  ): false | string {
    return registryKeepersNeedChange(this.#keeperCandidates(state, graceMs), current)
  }

  /**
   * Where actors may live, and what is planned for the places. A batch of commands is decided before any of it is applied,
   * so what one of them places, the next one counts.
   */
  homes(state: RegistryState): HomePlan {
    return new HomePlan(
      state,
      () => this.#hostCandidates(state, this.#env.self),
      (actor) => this.#holders(state, actor),
    )
  }

  /** Why the actor has no home, in words; empty where somebody can run it. `head` as known here. */
  whyNoHome(state: RegistryState, actor: ActorEntry, head: PeerId | undefined): string {
    const nameOf = (peer: PeerId): string => state.peers.get(peer)?.name ?? peer
    return whyNoHome(hostActorOf(actor), this.#hostCandidates(state, head), nameOf)
  }

  #hostCandidates(state: RegistryState, head: PeerId | undefined): HostCandidate[] {
    return [...state.peers.values()].map((entry) => ({
      boot: entry.boot,
      peer: entry.peer,
      labels: entry.labels,
      types: entry.types,
      ...(entry.resources ? { resources: entry.resources } : {}),
      ...(entry.keyId === undefined ? {} : { keyId: entry.keyId }),
      canHost: entry.canHost,
      leaving: entry.leaving,
      live:
        this.#isHere(entry.peer, 0) &&
        this.#isPresentBoot(entry.peer, entry.boot) &&
        state.boots.get(entry.boot)?.status === 'live',
      head: entry.peer === head,
      occupancy: state.actors.at(entry.boot),
    }))
  }

  #isPresentBoot(peer: PeerId, boot: BootId): boolean {
    return peer === this.#env.self ? boot === this.#env.boot : this.#membership.get(peer)?.boot === boot
  }

  /** Peers whose store keeps the newest journal the actor's state is in: they recover it without a transfer. */
  #holders(state: RegistryState, actor: ActorEntry): readonly PeerId[] {
    const own =
      actor.home === null
        ? undefined
        : journalsOf(state, actor.home).findLast(({ class: of }) => sameClass(of, actor.options.class))
    const newest = actor.sources[0]
    const journal = own ?? (newest ? state.journals.get(newest.journal) : undefined)
    return journal ? journal.keepers.map(({ peer }) => peer) : []
  }
}
