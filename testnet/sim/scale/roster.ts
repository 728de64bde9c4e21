// A table of members whose lines are those of the whole crowd, shared, until this peer learns otherwise. It answers as
// MemberTable would, loaded with the same facts; `--tables own` runs the same crowd on real ones, for comparing.

import { type BootId, bootId, compareIds, type PeerId, peerId, storeId } from '../../../mesh/ids.ts'
import { isLive } from '../../../mesh/membership/facts.ts'
import { MemberTable, type Table } from '../../../mesh/membership/table.ts'
import type { Fact, Member } from '../../../mesh/membership/types.ts'
import { randomHex, seededRandom } from '../random.ts'

/** Everybody, alive and connected, sorted by peer ID. The strings are as long as real ones. */
export class Roster {
  readonly facts: readonly Fact[]
  readonly members: readonly Member[]
  readonly indexes: ReadonlyMap<PeerId, number>

  constructor(size: number, seed: number) {
    const random = seededRandom(seed)
    const ids = Array.from({ length: size }, () =>
      peerId(`12D3KooW${`${randomHex(random)}${randomHex(random)}`.slice(0, 44)}`),
    )
    this.facts = ids.sort(compareIds).map((peer, index) => firstFact(peer, index, randomHex(random)))
    this.members = this.facts.map((fact) => ({ ...fact, since: 0, connected: true }))
    this.indexes = new Map(ids.map((peer, index) => [peer, index]))
  }
}

const firstFact = (peer: PeerId, index: number, nonce: string): Fact => ({
  peer,
  boot: bootId(peer, nonce),
  startedAt: 1_700_000_000_000,
  incarnation: 0,
  liveness: 'alive',
  by: peer,
  description: {
    name: `peer-${index}`,
    store: storeId(nonce),
    addresses: [`/ip4/10.${index >> 16}.${(index >> 8) & 255}.${index & 255}/tcp/4001/p2p/${peer}`],
    labels: { zone: `zone-${index % 3}` },
    types: ['Counter'],
    canHost: true,
    canKeep: true,
  },
  load: 0,
})

/** A peer's own table, as it is once it has met everybody on the roster. */
export function ownTable(roster: Roster, self: Fact): Table {
  const table = new MemberTable(self)
  for (const fact of roster.facts) {
    if (fact !== self) table.set(fact, 0)
    table.connect(fact.peer, fact.boot)
  }
  table.disconnect(self.peer, self.boot)
  return table
}

export class SharedTable implements Table {
  readonly #roster: Roster
  readonly #self: PeerId
  /** Lines that are no longer those of the roster. */
  readonly #changed = new Map<PeerId, { readonly fact: Fact; readonly member: Member }>()
  #liveCount: number

  constructor(roster: Roster, self: Fact) {
    this.#roster = roster
    this.#self = self.peer
    this.#liveCount = roster.facts.length
  }

  fact(peer: PeerId): Fact | undefined {
    return this.#changed.get(peer)?.fact ?? this.#roster.facts[this.#roster.indexes.get(peer) ?? -1]
  }

  get(peer: PeerId): Member | undefined {
    return this.#changed.get(peer)?.member ?? this.#roster.members[this.#roster.indexes.get(peer) ?? -1]
  }

  facts(): Fact[] {
    const own = this.fact(this.#self)!
    const facts = [own]
    for (const fact of this.#roster.facts)
      if (fact.peer !== this.#self) facts.push(this.#changed.get(fact.peer)?.fact ?? fact)
    return facts
  }

  /** Not kept once something has changed: an array for each of many peers would be most of the memory. */
  members(): readonly Member[] {
    if (this.#changed.size === 0) return this.#roster.members
    const members = [...this.#roster.members]
    for (const [peer, { member }] of this.#changed) members[this.#roster.indexes.get(peer)!] = member
    return members
  }

  live(): readonly Member[] {
    if (this.#liveCount === this.#roster.facts.length) return this.members()
    return this.members().filter((member) => isLive(member.liveness))
  }

  get liveCount(): number {
    return this.#liveCount
  }

  readonly full = false

  set(fact: Fact, now: number): void {
    const known = this.get(fact.peer)
    if (known === undefined) throw new Error(`${fact.peer} is not on the roster, and a crowd does not grow`)
    const same = known.boot === fact.boot && known.liveness === fact.liveness
    this.#liveCount += Number(isLive(fact.liveness)) - Number(isLive(known.liveness))
    this.#changed.set(fact.peer, {
      fact,
      member: { ...fact, since: same ? known.since : now, connected: known.connected },
    })
  }

  delete(peer: PeerId): never {
    throw new Error(`${peer} would be forgotten, and a run must be shorter than that takes`)
  }

  connect(peer: PeerId): never {
    throw new Error(`${peer} cannot connect again: in a crowd every link stays open`)
  }

  disconnect(peer: PeerId): never {
    throw new Error(`${peer} cannot disconnect: in a crowd every link stays open`)
  }

  connection(peer: PeerId): BootId | undefined {
    if (peer === this.#self) return undefined
    return this.#roster.facts[this.#roster.indexes.get(peer) ?? -1]?.boot
  }

  connected(): PeerId[] {
    return this.#roster.facts.map(({ peer }) => peer).filter((peer) => peer !== this.#self)
  }
}
