// One peer's table of members and of its own open connections. Holds what is known, decides nothing.

import { type BootId, compareIds, type PeerId } from '../ids.ts'
import { isLive } from './facts.ts'
import { MAX_MEMBERS } from './settings.ts'
import type { Fact, Member } from './types.ts'

interface Entry {
  readonly fact: Fact
  /** The fact as shown to the outside. */
  readonly member: Member
}

/** What a view needs of its table: the simulator has one whose unchanged lines are shared between peers. */
export type Table = Pick<MemberTable, keyof MemberTable>

export class MemberTable {
  readonly #self: PeerId
  readonly #entries = new Map<PeerId, Entry>()
  readonly #connections = new Map<PeerId, BootId>()
  #order: readonly PeerId[] | undefined
  #members: readonly Member[] | undefined
  #live: readonly Member[] | undefined
  #liveCount = 0

  constructor(self: Fact) {
    this.#self = self.peer
    this.set(self, 0)
  }

  fact(peer: PeerId): Fact | undefined {
    return this.#entries.get(peer)?.fact
  }

  get(peer: PeerId): Member | undefined {
    return this.#entries.get(peer)?.member
  }

  /** Every fact, this peer's own first. */
  facts(): Fact[] {
    const own = this.#entries.get(this.#self)!.fact
    const others = [...this.#entries.values()].map((entry) => entry.fact).filter((fact) => fact !== own)
    return [own, ...others]
  }

  /** Every member, sorted by peer ID. The same array until something changes. */
  members(): readonly Member[] {
    this.#order ??= [...this.#entries.keys()].sort(compareIds)
    this.#members ??= this.#order.map((peer) => this.#entries.get(peer)!.member)
    return this.#members
  }

  live(): readonly Member[] {
    this.#live ??= this.members().filter((member) => isLive(member.liveness))
    return this.#live
  }

  /** The length of {@link live}, without building it. */
  get liveCount(): number {
    return this.#liveCount
  }

  get full(): boolean {
    return this.#entries.size >= MAX_MEMBERS
  }

  /** Enters a fact, or replaces the one known. `since` goes on while boot and liveness stay. */
  set(fact: Fact, now: number): void {
    const known = this.#entries.get(fact.peer)?.member
    const same = known !== undefined && known.boot === fact.boot && known.liveness === fact.liveness
    if (known === undefined) this.#order = undefined
    this.#liveCount += Number(isLive(fact.liveness)) - Number(known !== undefined && isLive(known.liveness))
    this.#show(fact, same ? known.since : now)
  }

  delete(peer: PeerId): void {
    const known = this.#entries.get(peer)
    if (known === undefined) return
    this.#entries.delete(peer)
    this.#liveCount -= Number(isLive(known.member.liveness))
    this.#order = undefined
    this.#members = undefined
    this.#live = undefined
  }

  connect(peer: PeerId, boot: BootId): void {
    this.#connections.set(peer, boot)
    this.#refresh(peer)
  }

  /** Forgets the connection to that very boot; one to a newer boot stays. */
  disconnect(peer: PeerId, boot: BootId): void {
    if (this.#connections.get(peer) !== boot) return
    this.#connections.delete(peer)
    this.#refresh(peer)
  }

  connection(peer: PeerId): BootId | undefined {
    return this.#connections.get(peer)
  }

  /** Peers with an open connection, members or not. */
  connected(): PeerId[] {
    return [...this.#connections.keys()]
  }

  #refresh(peer: PeerId): void {
    const entry = this.#entries.get(peer)
    if (entry !== undefined) this.#show(entry.fact, entry.member.since)
  }

  #show(fact: Fact, since: number): void {
    const connected = fact.peer === this.#self || this.#connections.get(fact.peer) === fact.boot
    this.#entries.set(fact.peer, { fact, member: { ...fact, since, connected } })
    this.#members = undefined
    this.#live = undefined
  }
}
