// For tests: many Memberships on a simulated network with loss, one-way cuts, frozen, killed and restarted processes.
// Everything happens in virtual time from one seed.

import { type BootId, bootId, type PeerId, peerId, storeId } from '../ids.ts'
import { isLive } from './facts.ts'
import { Membership } from './membership.ts'
import type { RandomNumber } from './random.ts'
import { defaultMembershipSettings } from './settings.ts'
import type {
  Fact,
  MembershipEffect,
  MembershipInput,
  MembershipMessage,
  MembershipSettings,
  PeerDescription,
} from './types.ts'

/** mulberry32: small, seeded, good enough for tests. */
export function seededRandom(seed: number): RandomNumber {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export const description = (peer: string): PeerDescription => ({
  name: peer,
  store: storeId(`store-${peer}`),
  addresses: [`/ip4/127.0.0.1/tcp/1/p2p/${peer}`],
  labels: {},
  types: [],
  canHost: true,
  canKeep: true,
})

export const firstFact = (peer: string, nonce: string, startedAt: number): Fact => ({
  peer: peerId(peer),
  boot: bootId(peerId(peer), nonce),
  startedAt,
  incarnation: 0,
  liveness: 'alive',
  by: peerId(peer),
  description: description(peer),
  load: 0,
})

/** One process of a peer. */
export interface Process {
  readonly peer: PeerId
  readonly boot: BootId
  readonly membership: Membership
  running: boolean
  /** Virtual time until which it does nothing; its inputs wait. */
  frozenUntil: number
  readonly inbox: MembershipInput[]
  /** What it sent: messages and publications. */
  sent: number
  /** Messages and publications it got. */
  received: number
  /** Boots it has seen dead or gone, with the incarnation at which it did. */
  readonly buried: Map<BootId, number>
}

export interface NetworkOptions {
  readonly seed: number
  /** Share of messages and gossip lost. */
  readonly loss?: number
  readonly settings?: Partial<MembershipSettings>
}

const TICK_MS = 25
const link = (from: PeerId, to: PeerId): string => `${from}>${to}`

export class TestNetwork {
  readonly random: RandomNumber
  readonly processes = new Map<PeerId, Process>()
  /** Every process there ever was. */
  readonly history = new Map<BootId, Process>()
  now = 0
  loss: number
  /** Share of gossip lost beside `loss`. */
  gossipLoss = 0
  /** Called for every effect, to assert what must never happen. */
  onEffect: (process: Process, effect: MembershipEffect) => void = () => {}
  readonly #settings: MembershipSettings
  /** One-way: messages from one to the other get lost. */
  readonly #cuts = new Set<string>()
  /** Open connections, by both directions' keys: the boot at the far end. */
  readonly #connections = new Map<string, BootId>()
  readonly #queue = new Map<number, (() => void)[]>()
  #boots = 0

  constructor(options: NetworkOptions) {
    this.random = seededRandom(options.seed)
    this.loss = options.loss ?? 0
    this.#settings = { ...defaultMembershipSettings, ...options.settings }
  }

  /** Starts a peer and connects it to one that runs. `clock` is its wall clock. */
  start(peer: string, clock = this.now + 1_000_000): Process {
    const self = firstFact(peer, `${++this.#boots}`, clock)
    const membership = new Membership({ self, settings: this.#settings, random: this.random })
    const process: Process = {
      peer: self.peer,
      boot: self.boot,
      membership,
      running: true,
      frozenUntil: 0,
      inbox: [],
      sent: 0,
      received: 0,
      buried: new Map(),
    }
    const others = this.running().filter((other) => other.peer !== process.peer)
    this.processes.set(process.peer, process)
    this.history.set(process.boot, process)
    const seed = others[Math.floor(this.random() * others.length)]
    if (seed !== undefined) this.#connect(process.peer, seed.peer)
    return process
  }

  /** A mesh of `size` peers that know each other. */
  static of(options: NetworkOptions, size: number): TestNetwork {
    const network = new TestNetwork(options)
    const { loss } = network
    network.loss = 0
    for (let i = 0; i < size; i++) network.start(`peer${String(i).padStart(3, '0')}`)
    network.run(8000)
    network.loss = loss
    return network
  }

  running(): Process[] {
    return [...this.processes.values()].filter((process) => process.running)
  }

  peer(index: number): Process {
    return [...this.processes.values()][index]!
  }

  /** The process ends. `silent`: with its machine, so nobody is told; else its port refuses at once. */
  kill(process: Process, silent = false): void {
    process.running = false
    for (const other of this.processes.values()) {
      if (!this.#connections.delete(link(process.peer, other.peer))) continue
      this.#connections.delete(link(other.peer, process.peer))
      const { peer, boot } = process
      if (!silent)
        this.#later(2 + this.random() * 20, () =>
          this.#input(other, { type: 'disconnected', peer, boot, refused: true }),
        )
    }
  }

  freeze(process: Process, ms = Number.POSITIVE_INFINITY): void {
    process.frozenUntil = this.now + ms
  }

  thaw(process: Process): void {
    process.frozenUntil = this.now
  }

  cut(from: Process, to: Process): void {
    this.#cuts.add(link(from.peer, to.peer))
  }

  heal(): void {
    this.#cuts.clear()
  }

  step(process: Process, input: MembershipInput): void {
    for (const effect of process.membership.step(input, this.now)) this.#effect(process, effect)
  }

  /** Lets `ms` pass, or until `until` holds; returns the milliseconds that passed. */
  run(ms: number, until: () => boolean = () => false): number {
    const start = this.now
    while (this.now - start < ms && !until()) {
      this.now += 1
      if (this.now % TICK_MS === 0) this.#tick()
      const due = this.#queue.get(this.now)
      this.#queue.delete(this.now)
      for (const run of due ?? []) run()
    }
    return this.now - start
  }

  /** Every running process sees every running boot alive, and nobody else alive. */
  converged(): boolean {
    const running = this.running()
    const boots = running.map((process) => process.boot).sort()
    return running.every((process) => {
      const seen = process.membership.live()
      return (
        seen.length === boots.length &&
        seen.every(
          (member) => member.liveness === 'alive' && this.processes.get(member.peer)?.boot === member.boot,
        )
      )
    })
  }

  /** Each view, for a failed expectation. */
  dump(): string {
    return this.running()
      .map(({ peer, membership }) => {
        const lines = membership
          .members()
          .map((m) => `${m.boot}:${m.liveness}@${m.incarnation}${m.connected ? '' : '!'}`)
        return `${peer} sees ${lines.join(' ')}`
      })
      .join('\n')
  }

  #tick(): void {
    for (const process of this.running()) {
      if (process.frozenUntil > this.now) continue
      // As an event loop does: after a stall timers come first, then what lies in the sockets.
      if (process.membership.nextTickAt() <= this.now) this.step(process, { type: 'tick' })
      for (let input = process.inbox.shift(); input !== undefined; input = process.inbox.shift())
        this.step(process, input)
      if (this.now % 500 === 0) this.#dial(process)
    }
  }

  /** As the driver does: a connection is wanted to every live member. */
  #dial(process: Process): void {
    for (const member of process.membership.members()) {
      if (isLive(member.liveness) || this.random() < 0.2) this.#connect(process.peer, member.peer)
    }
  }

  #connect(a: PeerId, b: PeerId): void {
    const [from, to] = [this.processes.get(a), this.processes.get(b)]
    if (a === b || !from?.running || !to?.running || this.#connections.has(link(a, b))) return
    if (to.frozenUntil > this.now || this.#cuts.has(link(a, b)) || this.#cuts.has(link(b, a))) return
    this.#connections.set(link(a, b), to.boot).set(link(b, a), from.boot)
    this.#later(5, () => {
      this.#input(from, { type: 'connected', peer: b, boot: to.boot })
      this.#input(to, { type: 'connected', peer: a, boot: from.boot })
    })
  }

  #effect(process: Process, effect: MembershipEffect): void {
    this.onEffect(process, effect)
    if (effect.type === 'changed') {
      const { boot, incarnation } = process.membership.get(effect.peer)!
      if (!isLive(effect.after)) process.buried.set(boot, incarnation)
      else this.#connect(process.peer, effect.peer)
    } else if (effect.type === 'send') {
      process.sent += 1
      this.#deliver(process.peer, effect.to, effect.message)
    } else {
      process.sent += 1
      const { facts } = effect
      for (const other of this.running()) {
        const cut = this.#cuts.has(link(process.peer, other.peer))
        if (other.peer === process.peer || cut || !this.#connections.has(link(process.peer, other.peer)))
          continue
        if (this.random() < Math.max(this.loss, this.gossipLoss)) continue
        this.#later(3 + this.random() * 30, () =>
          this.#input(other, { type: 'gossip', from: process.peer, facts }),
        )
      }
    }
  }

  #deliver(from: PeerId, to: PeerId, message: MembershipMessage): void {
    const boot = this.#connections.get(link(from, to))
    if (boot === undefined || this.#cuts.has(link(from, to)) || this.random() < this.loss) return
    this.#later(1 + this.random() * 4, () => {
      const target = this.processes.get(to)
      if (target?.boot === boot) this.#input(target, { type: 'message', from, message })
    })
  }

  #input(process: Process, input: MembershipInput): void {
    if (!process.running) return
    if (input.type === 'message' || input.type === 'gossip') process.received += 1
    if (process.frozenUntil > this.now || process.inbox.length > 0) process.inbox.push(input)
    else this.step(process, input)
  }

  #later(ms: number, run: () => void): void {
    const at = this.now + Math.max(1, Math.round(ms))
    const due = this.#queue.get(at)
    if (due === undefined) this.#queue.set(at, [run])
    else due.push(run)
  }
}
