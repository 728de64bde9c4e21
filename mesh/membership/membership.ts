// One peer's part in the membership protocol: who is there, who seems alive. Gossip spreads what changed, probes find
// who fell silent, views exchanged on connect and now and then repair what gossip lost. All of it is opinion (types.ts);
// nothing here ever makes anything safe (R8). What is believed is in view.ts, asking is in probe.ts; here is when.
//
// M4 What a step sends is bounded by a constant, whatever the mesh's size; only views are as long as the table.
// M5 No input can make a step throw.

import type { BootId, PeerId } from '../ids.ts'
import { compareFacts, isLive, isSane, outrank, renew, sameDescription } from './facts.ts'
import { GRACE_MS, LocalHealth } from './health.ts'
import { PartialViews } from './partial-views.ts'
import { Prober, Rotation } from './probe.ts'
import { pick, type RandomNumber, sample } from './random.ts'
import {
  ANTI_ENTROPY_MS,
  FACTS_PER_VIEW,
  GREET_MS,
  NUDGE_MS,
  PROMPT_PROBERS,
  REPUBLISH_MS,
  SELF_PUBLISH_GAP_MS,
  SWEEP_MS,
} from './settings.ts'
import type { Table } from './table.ts'
import type {
  Fact,
  Member,
  MembershipEffect,
  MembershipInput,
  MembershipMessage,
  MembershipSettings,
  PeerDescription,
} from './types.ts'
import { View, type ViewPort } from './view.ts'

export interface MembershipOptions {
  /** This peer's first fact: alive, incarnation 0, `by` itself. */
  readonly self: Fact
  readonly settings: MembershipSettings
  /** Uniform in [0, 1). */
  readonly random: RandomNumber
  /** Who is known and connected from the start, `self` among them; a table of nobody else when left out. */
  readonly table?: Table
}

const NEVER = Number.POSITIVE_INFINITY

export class Membership {
  readonly #self: PeerId
  readonly #settings: MembershipSettings
  readonly #random: RandomNumber
  readonly #health = new LocalHealth()
  readonly #view: View
  readonly #rotation: Rotation
  readonly #prober: Prober
  /** When a peer that seems gone was last told so. */
  readonly #nudged = new Map<PeerId, number>()
  readonly #partialViews = new PartialViews()
  #effects: MembershipEffect[] = []
  #started = false
  #now = 0
  #lateAt = Number.NEGATIVE_INFINITY
  #nextProbeAt = 0
  #nextViewAt = 0
  #nextGreetAt = 0
  #nextSweepAt = 0
  #publishSelfAt = 0
  #publishedSelfAt = Number.NEGATIVE_INFINITY

  constructor({ self, settings, random, table }: MembershipOptions) {
    if (!isSane(self)) throw new TypeError(`not a fact about oneself: ${JSON.stringify(self)}`)
    this.#self = self.peer
    this.#settings = settings
    this.#random = random
    this.#rotation = new Rotation(random)
    const port: ViewPort = {
      settings,
      random,
      now: () => this.#now,
      emit: (effect) => this.#effects.push(effect),
      learnedOfSelf: (fact) => this.#learnOfSelf(fact),
      appeared: (peer) => this.#rotation.add(peer),
      accused: (fact) => this.#checkSuspect(fact),
    }
    this.#view = new View(self, port, table)
    this.#prober = new Prober({
      settings,
      health: this.#health,
      random,
      reaches: (peer) => this.#view.table.connection(peer) !== undefined,
      helpers: () => this.#reachableOthers(),
      ping: (to, seq) => this.#send(to, { kind: 'ping', seq, facts: this.#view.factsFor(to) }),
      send: (to, message) => this.#send(to, message),
      failed: (probe) => this.#view.doubt(probe.target, probe.boot),
    })
  }

  /** Everybody known, this peer included (always connected), sorted by peer ID. The same array until it changes. */
  members(): readonly Member[] {
    return this.#view.table.members()
  }

  /** The members that are alive or suspect, sorted by peer ID. */
  live(): readonly Member[] {
    return this.#view.table.live()
  }

  get(peer: PeerId): Member | undefined {
    return this.#view.table.get(peer)
  }

  /** This peer's own fact, as others should know it. */
  get self(): Fact {
    return this.#view.self
  }

  /** Factor for time-outs on others: 1 when all is well here, more while this peer itself is slow. */
  get doubt(): number {
    return this.#health.multiplier
  }

  /**
   * Monotonic time of the next tick needed. Tick then or more often: a step that comes much later (health.ts) counts
   * as a stall of this peer's own event loop.
   */
  nextTickAt(): number {
    const rounds = Math.min(this.#nextProbeAt, this.#nextViewAt, this.#nextGreetAt, this.#nextSweepAt)
    return Math.min(rounds, this.#publishSelfAt, this.#prober.nextAt(), this.#view.nextAt())
  }

  /** The one way in. `now` is monotonic milliseconds. */
  step(input: MembershipInput, now: number): MembershipEffect[] {
    this.#now = Math.max(now, this.#now)
    if (!this.#started) this.#start()
    this.#noticeStall()
    this.#handle(input)
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #start(): void {
    this.#started = true
    this.#nextProbeAt = this.#now + this.#random() * this.#settings.probeIntervalMs
    this.#nextViewAt = this.#now + this.#random() * ANTI_ENTROPY_MS
    this.#nextGreetAt = this.#now + this.#random() * GREET_MS
    this.#nextSweepAt = this.#now + SWEEP_MS
    this.#publishSelfAt = this.#now
  }

  /** Whatever waited while this peer did not listen must not be held against others. Each stall counts once. */
  #noticeStall(): void {
    const lateness = this.#health.notice(this.#now, Math.max(this.nextTickAt(), this.#lateAt))
    if (lateness.kind === 'none') return
    this.#lateAt = this.#now
    if (lateness.kind === 'stalled') {
      this.#prober.clear()
      this.#view.restartSuspicions()
    } else {
      this.#prober.extend(lateness.ms, this.#now)
      this.#view.extendSuspicions(lateness.ms)
    }
    this.#nextProbeAt = Math.max(this.#nextProbeAt, this.#now + GRACE_MS)
  }

  #handle(input: MembershipInput): void {
    switch (input.type) {
      case 'tick':
        this.#tick()
        break
      case 'gossip':
        for (const fact of input.facts) this.#view.learn(fact, { from: input.from, spread: true })
        break
      case 'message':
        if (input.from !== this.#self) this.#message(input.from, input.message)
        break
      case 'connected':
        if (input.peer !== this.#self) this.#connected(input.peer, input.boot)
        break
      case 'disconnected':
        if (input.peer !== this.#self) this.#disconnected(input.peer, input.boot, input.refused)
        break
      case 'describe':
        this.#describe(input.description)
        break
      case 'load':
        // Not published: it rides on every ping and pong, and whoever places an actor counts for itself anyway.
        if (input.load !== this.self.load) this.#view.setSelf({ ...this.self, load: input.load })
        break
      case 'leave':
        this.#leave()
        break
      case 'reboot':
        this.#reboot(input.boot, input.startedAt)
        break
    }
  }

  // ── this peer itself ──────────────────────────────────────────────────────────────────────────────

  #describe(description: PeerDescription): void {
    if (!sameDescription(description, this.self.description))
      this.#setSelf({ ...renew(this.self), description })
  }

  #leave(): void {
    if (this.self.liveness === 'left') return
    this.#setSelf({ ...this.self, liveness: 'left', by: this.#self })
    this.#publishSelf() // Not later: the process may end now.
    // Gossip of a closing peer may not get out any more; a few peers hear it directly and pass it on.
    for (const peer of sample(this.#reachableOthers(), this.#settings.indirectProbes, this.#random)) {
      this.#send(peer, { kind: 'view', facts: [this.self], reply: false })
    }
  }

  #reboot(boot: BootId, startedAt: number): void {
    const own = this.self
    if (boot === own.boot) return
    const later = Math.max(startedAt, own.startedAt + 1) // The wall clock may have gone back meanwhile.
    const fact: Fact = { ...own, boot, startedAt: later, incarnation: 0, liveness: 'alive', by: this.#self }
    if (isSane(fact)) this.#setSelf(fact)
  }

  /** Refutes what is said of this peer, if it must be (M2). */
  #learnOfSelf(fact: Fact): void {
    if (this.self.liveness === 'left') return
    const answer = outrank(this.self, fact)
    if (answer === undefined) return
    // To be suspected while alive is a sign of being slow oneself.
    if (fact.boot === this.self.boot && fact.liveness !== 'alive') this.#health.worse()
    this.#setSelf(answer)
  }

  #setSelf(fact: Fact): void {
    this.#view.setSelf(fact)
    const earliest = this.#publishedSelfAt + SELF_PUBLISH_GAP_MS
    if (this.#now >= earliest) this.#publishSelf()
    else this.#publishSelfAt = Math.min(this.#publishSelfAt, earliest)
  }

  #publishSelf(): void {
    this.#publishSelfAt = NEVER
    this.#publishedSelfAt = this.#now
    this.#effects.push({ type: 'publish', facts: [this.self] })
  }

  // ── connections ───────────────────────────────────────────────────────────────────────────────────

  #connected(peer: PeerId, boot: BootId): void {
    const alone = this.#view.table.connected().length === 0
    this.#view.table.connect(peer, boot)
    this.#partialViews.forget(peer)
    // The view says what is thought of that peer too, so one that comes back from the dead learns it and refutes.
    this.#sendView(peer, this.#view.table.facts(), true)
    if (!alone) return
    this.#publishSelf()
    this.#publishSelfAt = this.#now + REPUBLISH_MS
  }

  #disconnected(peer: PeerId, boot: BootId, refused: boolean): void {
    this.#view.table.disconnect(peer, boot)
    this.#partialViews.forget(peer)
    const known = this.#view.table.fact(peer)
    if (known?.boot !== boot || !isLive(known.liveness)) return // R6: about a boot that is history
    if (refused) this.#view.declareDead(known)
    else this.#probe(known)
  }

  #sendView(to: PeerId, facts: readonly Fact[], reply: boolean): void {
    for (let at = 0; at < facts.length; at += FACTS_PER_VIEW) {
      const last = at + FACTS_PER_VIEW >= facts.length
      this.#send(to, { kind: 'view', facts: facts.slice(at, at + FACTS_PER_VIEW), reply: reply && last })
    }
  }

  #heardView(from: PeerId, { facts, reply }: Extract<MembershipMessage, { kind: 'view' }>): void {
    const theirs = this.#partialViews.add(from, facts, reply)
    if (reply) this.#answerView(from, theirs)
  }

  /** What the sender of a view does not know yet, and this peer's own fact. */
  #answerView(to: PeerId, theirs: readonly Fact[]): void {
    const known = new Map(theirs.map((fact) => [fact.peer, fact]))
    const news = this.#view.table.facts().filter((fact) => {
      const their = known.get(fact.peer)
      return fact.peer === this.#self || their === undefined || compareFacts(fact, their) > 0
    })
    this.#sendView(to, news, false)
  }

  // ── messages ──────────────────────────────────────────────────────────────────────────────────────

  #message(from: PeerId, message: MembershipMessage): void {
    switch (message.kind) {
      case 'view':
        // Its sender's own fact is news; the rest of a view was news once, and is not told all over again.
        for (const fact of message.facts) this.#view.learn(fact, { from, spread: fact.peer === from })
        this.#heardView(from, message)
        break
      case 'ping':
        for (const fact of message.facts) this.#view.learn(fact, { from, spread: true })
        this.#send(from, { kind: 'pong', seq: message.seq, facts: this.#view.factsFor(from) })
        return // The pong says all that #nudge would.
      case 'pong':
        for (const fact of message.facts) this.#view.learn(fact, { from, spread: true })
        this.#prober.pong(from, message.seq, message.facts.find((fact) => fact.peer === from)?.boot)
        break
      case 'pingReq':
        if (message.target === this.#self) this.#send(from, { ...message, kind: 'pingAck', ok: true })
        else this.#prober.request(from, message.seq, message.target, this.#now)
        break
      case 'pingAck':
        this.#prober.ack(from, message.seq, message.target, message.ok)
        break
    }
    this.#nudge(from)
  }

  /** Who speaks while thought suspect or dead is told so, and refutes. */
  #nudge(peer: PeerId): void {
    const known = this.#view.table.fact(peer)
    if (known === undefined || known.liveness === 'alive' || known.liveness === 'left') return
    if (this.#now - (this.#nudged.get(peer) ?? Number.NEGATIVE_INFINITY) < NUDGE_MS) return
    this.#nudged.set(peer, this.#now)
    this.#send(peer, { kind: 'ping', seq: this.#prober.nextSeq(), facts: this.#view.factsFor(peer) })
  }

  #send(to: PeerId, message: MembershipMessage): void {
    this.#effects.push({ type: 'send', to, message })
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────

  /** What happens at intervals is spread a little, so that peers that started together drift apart. */
  #tick(): void {
    const now = this.#now
    this.#prober.tick(now)
    this.#view.tick()
    if (this.#publishSelfAt <= now) this.#publishSelf()
    if (this.#nextProbeAt <= now) {
      this.#nextProbeAt = now + this.#settings.probeIntervalMs * (0.9 + 0.2 * this.#random())
      this.#probeNext()
    }
    if (this.#nextViewAt <= now) {
      this.#nextViewAt = now + ANTI_ENTROPY_MS * (0.5 + this.#random())
      this.#compareViews()
    }
    if (this.#nextGreetAt <= now) {
      this.#nextGreetAt = now + GREET_MS * (0.5 + this.#random())
      this.#greetDead()
    }
    if (this.#nextSweepAt <= now) {
      this.#nextSweepAt = now + SWEEP_MS
      this.#view.sweep()
      for (const [peer, at] of this.#nudged) if (now - at >= NUDGE_MS) this.#nudged.delete(peer)
    }
  }

  #probeNext(): void {
    const table = this.#view.table
    const isTarget = (peer: PeerId): boolean =>
      isLive(table.get(peer)?.liveness ?? 'left') && !this.#prober.probing(peer)
    const target = this.#rotation.next(isTarget, () => this.#liveOthers().map((member) => member.peer))
    const fact = target === undefined ? undefined : table.fact(target)
    if (fact !== undefined) this.#probe(fact)
  }

  #probe(fact: Fact): void {
    if (this.self.liveness !== 'left') this.#prober.start(fact.peer, fact.boot, this.#now)
  }

  /**
   * A few of those who hear of a suspicion look for themselves at once. If the suspect lives, the ping tells it what is
   * said of it, and it refutes; if not, this is the confirmation that shortens the suspicion.
   */
  #checkSuspect(fact: Fact): void {
    const others = Math.max(1, this.#view.table.liveCount - 2) // Without the suspect and its accuser.
    if (this.#random() * others < PROMPT_PROBERS) this.#probe(fact)
  }

  #compareViews(): void {
    if (this.self.liveness === 'left') return
    const peer = pick(this.#reachableOthers(), this.#random)
    if (peer !== undefined) this.#sendView(peer, this.#view.table.facts(), true)
  }

  #greetDead(): void {
    if (this.self.liveness === 'left') return
    const dead = this.members().filter((member) => member.liveness === 'dead' && member.connected)
    const peer = pick(dead, this.#random)?.peer
    if (peer !== undefined) this.#nudge(peer)
  }

  #liveOthers(): Member[] {
    return this.live().filter((member) => member.peer !== this.#self)
  }

  /** Live others with an open connection. */
  #reachableOthers(): PeerId[] {
    return this.#liveOthers()
      .filter((member) => this.#view.table.connection(member.peer) !== undefined)
      .map((member) => member.peer)
  }
}
