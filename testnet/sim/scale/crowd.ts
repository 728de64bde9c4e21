// Many peers' real memberships (mesh/membership) in virtual time, for what a mesh's size costs: traffic, detection, false
// deaths. They begin as a mesh that has met: everybody knows everybody, over open links. docs/scale.md says what is left out.

import type { PeerId } from '../../../mesh/ids.ts'
import { isLive } from '../../../mesh/membership/facts.ts'
import { Membership } from '../../../mesh/membership/membership.ts'
import { defaultMembershipSettings } from '../../../mesh/membership/settings.ts'
import type { Fact, MembershipEffect, MembershipInput } from '../../../mesh/membership/types.ts'
import { VirtualClock } from '../clock.ts'
import { seededRandom } from '../random.ts'
import { ownTable, Roster, SharedTable } from './roster.ts'
import { Topic } from './topic.ts'
import { WireSize } from './wire-size.ts'

export interface CrowdOptions {
  readonly size: number
  readonly seed: number
  /** Share of messages, and of copies of gossip, that never arrive. */
  readonly loss: number
  /** Peers that fall silent, one after the other; the first is the one with the lowest ID. */
  readonly deaths: number
  /** Virtual time in which nobody dies, and traffic is counted. */
  readonly steadyMs: number
  readonly tables: 'shared' | 'own'
}

export interface Range {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Decided by the seed. Times are in milliseconds of virtual time. */
export interface CrowdResult {
  readonly size: number
  readonly seed: number
  readonly loss: number
  readonly deaths: number
  /** Sent per peer and second while nobody dies, gossip's copies among them. */
  readonly messages: number
  readonly bytes: number
  readonly messagesByKind: Readonly<Record<string, number>>
  readonly bytesByKind: Readonly<Record<string, number>>
  /** The same of the peer that sent most. */
  readonly busiest: number
  /** Messages sent per peer for one death, beyond the steady traffic of that time. */
  readonly messagesPerDeath: number
  /** What the peer that sent most in any of the deaths sent in that time, per second. */
  readonly busiestInDeath: number
  /** From the silence to the first view that has the peer dead. */
  readonly detectMs: Range
  /** From the silence to each living peer's view. */
  readonly knownMs: Range
  /** From the first view to each of the others. */
  readonly spreadMs: Range
  /** Views in which a dead peer was not dead at the end of its time. */
  readonly missed: number
  /** Living peers that were entered as dead, or as suspect, in somebody's view; counted per view. */
  readonly falseDeaths: number
  readonly falseSuspicions: number
  /** Changes of the lowest live ID, which is to be head, per view but that of the first to die: 1 is the change it needs. */
  readonly headChanges: number
}

export interface CrowdCost {
  /** Milliseconds inside of the membership per peer and second of virtual time. */
  readonly cpuMs: number
  readonly tookMs: number
}

const TICK_MS = 25
const MAX_DELAY_MS = 5
/** Everybody's first publication is over, and the probes have started. */
const WARM_MS = 2000
/** Longer than any detection: 4.6 probe intervals, a probe and the longest suspicion. */
const DEATH_MS = 6000

interface Peer {
  readonly membership: Membership
  readonly index: number
  /** The index of the lowest peer that is live in its view. */
  head: number
  sent: number
  lastSent: { readonly to: PeerId | undefined; readonly arrivesAt: number }
  dead: boolean
}

interface Death {
  readonly of: number
  readonly at: number
  /** When each living view had it dead, in order. */
  readonly known: number[]
}

interface Traffic {
  readonly messages: Map<string, number>
  readonly bytes: Map<string, number>
}

const noTraffic = (): Traffic => ({ messages: new Map(), bytes: new Map() })
const total = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0)

export class Crowd {
  readonly #options: CrowdOptions
  readonly #clock = new VirtualClock()
  readonly #random: () => number
  readonly #roster: Roster
  readonly #peers: readonly Peer[]
  readonly #topic: Topic
  readonly #wire = new WireSize()
  #traffic = noTraffic()
  #death: Death | undefined
  #falseDeaths = 0
  #falseSuspicions = 0
  #headChanges = 0
  #cpuMs = 0

  constructor(options: CrowdOptions) {
    const { size, seed, tables } = options
    this.#options = options
    this.#random = seededRandom(seed)
    this.#roster = new Roster(size, seed + 1)
    this.#topic = new Topic(size, this.#random)
    this.#peers = this.#roster.facts.map((self, index) => {
      const table = tables === 'own' ? ownTable(this.#roster, self) : new SharedTable(this.#roster, self)
      const random = seededRandom(seed + 2 + index)
      const membership = new Membership({ self, settings: defaultMembershipSettings, random, table })
      return { membership, index, head: 0, sent: 0, lastSent: { to: undefined, arrivesAt: 0 }, dead: false }
    })
  }

  async run(): Promise<{ readonly result: CrowdResult; readonly cost: CrowdCost }> {
    const { size, seed, loss, steadyMs, deaths } = this.#options
    const startedAt = performance.now()
    for (const peer of this.#peers) this.#clock.set(this.#random() * TICK_MS, () => this.#tick(peer))
    await this.#clock.run(WARM_MS)
    const steady = await this.#window(steadyMs)
    const rates = {
      messages: total(steady.traffic.messages) / size,
      bytes: total(steady.traffic.bytes) / size,
    }
    const known: number[] = []
    const detect: number[] = []
    const spread: number[] = []
    let missed = 0
    let extra = 0
    let busiestInDeath = 0
    for (const of of this.#victims(deaths)) {
      const death: Death = { of, at: this.#clock.now, known: [] }
      this.#death = death
      this.#peers[of]!.dead = true
      const window = await this.#window(DEATH_MS)
      const alive = this.#peers.filter(({ dead }) => !dead).length
      extra += (total(window.traffic.messages) / alive - rates.messages) * (DEATH_MS / 1000)
      busiestInDeath = Math.max(busiestInDeath, window.busiest)
      missed += alive - death.known.length
      const first = death.known[0]
      if (first === undefined) continue
      detect.push(first - death.at)
      known.push(...death.known.map((at) => at - death.at))
      spread.push(...death.known.map((at) => at - first))
    }
    const perPeer = (counts: ReadonlyMap<string, number>): Record<string, number> =>
      Object.fromEntries(
        [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, n]) => [kind, n / size]),
      )
    const result: CrowdResult = {
      size,
      seed,
      loss,
      deaths,
      ...rates,
      messagesByKind: perPeer(steady.traffic.messages),
      bytesByKind: perPeer(steady.traffic.bytes),
      busiest: steady.busiest,
      messagesPerDeath: deaths === 0 ? 0 : extra / deaths,
      busiestInDeath,
      detectMs: range(detect),
      knownMs: range(known),
      spreadMs: range(spread),
      missed,
      falseDeaths: this.#falseDeaths,
      falseSuspicions: this.#falseSuspicions,
      headChanges: this.#headChanges / (size - 1),
    }
    const tookMs = performance.now() - startedAt
    return { result, cost: { cpuMs: this.#cpuMs / size / (this.#clock.now / 1000), tookMs } }
  }

  /** The lowest first, then any but the lowest. */
  *#victims(count: number): Generator<number> {
    for (let n = 0; n < count; n++) {
      const living = this.#peers.filter(({ dead }) => !dead)
      const place = n === 0 ? 0 : 1 + Math.floor(this.#random() * (living.length - 1))
      yield living[place]!.index
    }
  }

  /** What is sent per second in the next `ms`. */
  async #window(ms: number): Promise<{ readonly traffic: Traffic; readonly busiest: number }> {
    this.#traffic = noTraffic()
    for (const peer of this.#peers) peer.sent = 0
    await this.#clock.run(ms)
    const perSecond = (counts: ReadonlyMap<string, number>) =>
      new Map([...counts].map(([kind, n]) => [kind, n / (ms / 1000)] as const))
    const { messages, bytes } = this.#traffic
    const busiest = this.#peers.reduce((most, { sent }) => Math.max(most, sent), 0) / (ms / 1000)
    return { traffic: { messages: perSecond(messages), bytes: perSecond(bytes) }, busiest }
  }

  #tick(peer: Peer): void {
    if (peer.dead) return
    this.#step(peer, { type: 'tick' })
    this.#clock.set(TICK_MS, () => this.#tick(peer))
  }

  #step(peer: Peer, input: MembershipInput): void {
    if (peer.dead) return
    const startedAt = performance.now()
    const effects = peer.membership.step(input, this.#clock.now)
    this.#cpuMs += performance.now() - startedAt
    for (const effect of effects) this.#perform(peer, effect)
  }

  #perform(peer: Peer, effect: MembershipEffect): void {
    switch (effect.type) {
      case 'send': {
        const { to, message } = effect
        const travelMs = this.#sent(peer, message.kind, this.#wire.ofMessage(message))
        const receiver = this.#peers[this.#roster.indexes.get(to)!]!
        const from = this.#roster.facts[peer.index]!.peer
        if (travelMs === undefined) return
        // The parts of a view go out in one step, and a stream keeps their order.
        const isNext = to === peer.lastSent.to
        const at = Math.max(this.#clock.now + travelMs, isNext ? peer.lastSent.arrivesAt : 0)
        peer.lastSent = { to, arrivesAt: at }
        this.#clock.set(at - this.#clock.now, () => this.#step(receiver, { type: 'message', from, message }))
        return
      }
      case 'publish':
        return this.#publish(peer, effect.facts)
      case 'changed':
        return this.#changed(peer, effect)
    }
  }

  #publish(peer: Peer, facts: readonly Fact[]): void {
    // Each peer's first: all know it already.
    if (this.#clock.now < WARM_MS / 2) return
    const from = this.#roster.facts[peer.index]!.peer
    const bytes = this.#wire.ofFacts(facts)
    this.#topic.publish(peer.index, {
      send: (by) => (this.#peers[by]!.dead ? undefined : this.#sent(this.#peers[by]!, 'gossip', bytes)),
      after: (ms, run) => void this.#clock.set(ms, run),
      deliver: (to) => this.#step(this.#peers[to]!, { type: 'gossip', from, facts }),
    })
  }

  /** Counts it; how long it travels, or undefined when it is lost. */
  #sent(peer: Peer, kind: string, bytes: number): number | undefined {
    peer.sent++
    const traffic = this.#traffic
    traffic.messages.set(kind, (traffic.messages.get(kind) ?? 0) + 1)
    traffic.bytes.set(kind, (traffic.bytes.get(kind) ?? 0) + bytes)
    if (this.#random() < this.#options.loss) return undefined
    return this.#random() * MAX_DELAY_MS
  }

  #changed(peer: Peer, { peer: of, before, after }: Extract<MembershipEffect, { type: 'changed' }>): void {
    const index = this.#roster.indexes.get(of)!
    if (index === this.#death?.of && after === 'dead' && before !== 'dead')
      this.#death.known.push(this.#clock.now)
    if (!this.#peers[index]!.dead) {
      if (after === 'dead') this.#falseDeaths++
      if (after === 'suspect') this.#falseSuspicions++
    }
    if (index > peer.head || (index === peer.head && isLive(after))) return
    const head = this.#roster.indexes.get(peer.membership.live()[0]!.peer)!
    if (head !== peer.head) this.#headChanges++
    peer.head = head
  }
}

function range(values: readonly number[]): Range {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
