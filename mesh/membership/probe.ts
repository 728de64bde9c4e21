// Asking whether a peer lives: directly, then through others (SWIM). Knows connections and time-outs, not opinions:
// whoever owns it decides what a failed probe means.
//
//   ping ──▶ target, answered by pong                             one direct time-out
//   pingReq ──▶ some others ── ping ──▶ target, answered by pingAck    INDIRECT_WAIT direct time-outs
//   then `failed`
//
// A probe carries the boot it was made for, and answers count only for it (R6).

import type { BootId, PeerId } from '../ids.ts'
import { GRACE_MS, type LocalHealth } from './health.ts'
import { insert, type RandomNumber, sample, shuffle } from './random.ts'
import { INDIRECT_WAIT, MAX_RELAYS } from './settings.ts'
import type { MembershipMessage, MembershipSettings } from './types.ts'

/** The order in which others get their turn: a shuffled round, so that nobody waits longer than two rounds. */
export class Rotation {
  readonly #random: RandomNumber
  #round: PeerId[] = []
  /** The same peers, for looking up. */
  #waiting = new Set<PeerId>()

  constructor(random: RandomNumber) {
    this.#random = random
  }

  /** A new member gets a random place in the round that is under way. */
  add(peer: PeerId): void {
    if (this.#waiting.has(peer)) return
    this.#waiting.add(peer)
    insert(this.#round, peer, this.#random)
  }

  /** The next peer that still is a target; `all` is asked for a fresh round. */
  next(isTarget: (peer: PeerId) => boolean, all: () => readonly PeerId[]): PeerId | undefined {
    for (let rounds = 0; rounds < 2; rounds++) {
      for (let peer = this.#round.pop(); peer !== undefined; peer = this.#round.pop()) {
        this.#waiting.delete(peer)
        if (isTarget(peer)) return peer
      }
      this.#round = shuffle([...all()], this.#random)
      this.#waiting = new Set(this.#round)
    }
    return undefined
  }
}

export interface Probe {
  readonly target: PeerId
  readonly boot: BootId
  readonly seq: number
  stage: 'direct' | 'indirect'
  deadline: number
  /** Extensions end here: a peer that never stops stalling judges in the end. */
  readonly limit: number
  /** Who was asked for help, and how many of them answered anything. */
  asked: readonly PeerId[]
  answers: number
}

/** A probe made for somebody else. */
interface Relay {
  readonly requester: PeerId
  readonly seq: number
  readonly target: PeerId
  readonly deadline: number
}

export interface ProbePort {
  readonly settings: MembershipSettings
  readonly health: LocalHealth
  readonly random: RandomNumber
  reaches(peer: PeerId): boolean
  /** Live peers with a connection, for indirect probes. */
  helpers(): PeerId[]
  ping(to: PeerId, seq: number): void
  send(to: PeerId, message: MembershipMessage): void
  failed(probe: Probe): void
}

export class Prober {
  readonly #port: ProbePort
  /** At most one per target. */
  readonly #probes = new Map<PeerId, Probe>()
  readonly #relays = new Map<number, Relay>()
  #seq = 0

  constructor(port: ProbePort) {
    this.#port = port
  }

  nextSeq(): number {
    return ++this.#seq
  }

  probing(target: PeerId): boolean {
    return this.#probes.has(target)
  }

  start(target: PeerId, boot: BootId, now: number): void {
    if (this.#probes.has(target)) return
    const wait = this.#timeoutMs()
    const limit = now + 4 * (1 + INDIRECT_WAIT) * wait
    const seq = this.nextSeq()
    const probe: Probe = {
      target,
      boot,
      seq,
      stage: 'direct',
      deadline: now + wait,
      limit,
      asked: [],
      answers: 0,
    }
    this.#probes.set(target, probe)
    if (this.#port.reaches(target)) this.#port.ping(target, seq)
    else this.#askOthers(probe, now) // Without a connection the direct probe has failed already.
  }

  /** `boot` is what the sender says it is, if it says so. */
  pong(from: PeerId, seq: number, boot: BootId | undefined): void {
    const probe = this.#probes.get(from)
    if (probe?.seq === seq && (boot === undefined || boot === probe.boot)) {
      this.#probes.delete(from)
      this.#port.health.better()
    }
    const relay = this.#relays.get(seq)
    if (relay?.target === from) this.#answer(seq, relay, true)
  }

  ack(from: PeerId, seq: number, target: PeerId, ok: boolean): void {
    const probe = this.#probes.get(target)
    if (probe?.seq !== seq || !probe.asked.includes(from)) return
    if (ok) this.#probes.delete(target)
    else probe.answers += 1
  }

  /** Somebody cannot reach `target` and asks this peer to try. */
  request(requester: PeerId, seq: number, target: PeerId, now: number): void {
    if (this.#relays.size >= MAX_RELAYS) return
    if (!this.#port.reaches(target)) {
      this.#port.send(requester, { kind: 'pingAck', seq, target, ok: false })
      return
    }
    const own = this.nextSeq()
    this.#relays.set(own, { requester, seq, target, deadline: now + this.#port.settings.probeTimeoutMs })
    this.#port.ping(target, own)
  }

  tick(now: number): void {
    for (const probe of [...this.#probes.values()]) {
      if (probe.deadline > now) continue
      if (probe.stage === 'direct') {
        this.#askOthers(probe, now)
        continue
      }
      this.#probes.delete(probe.target)
      // Not even those who were asked answered: the trouble may be here.
      if (probe.asked.length > 0 && probe.answers === 0) this.#port.health.worse()
      this.#port.failed(probe)
    }
    for (const [seq, relay] of [...this.#relays]) if (relay.deadline <= now) this.#answer(seq, relay, false)
  }

  /** This peer did not listen for `ms`: what waits, waits longer. */
  extend(ms: number, now: number): void {
    for (const probe of this.#probes.values()) {
      probe.deadline = Math.max(Math.min(probe.deadline + ms, probe.limit), now + GRACE_MS)
    }
  }

  clear(): void {
    this.#probes.clear()
    this.#relays.clear()
  }

  nextAt(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { deadline } of this.#probes.values()) next = Math.min(next, deadline)
    for (const { deadline } of this.#relays.values()) next = Math.min(next, deadline)
    return next
  }

  #askOthers(probe: Probe, now: number): void {
    const { indirectProbes } = this.#port.settings
    const helpers = this.#port.helpers().filter((peer) => peer !== probe.target)
    probe.stage = 'indirect'
    probe.deadline = now + INDIRECT_WAIT * this.#timeoutMs()
    probe.asked = sample(helpers, indirectProbes, this.#port.random)
    for (const peer of probe.asked) {
      this.#port.send(peer, { kind: 'pingReq', seq: probe.seq, target: probe.target })
    }
  }

  #answer(own: number, relay: Relay, ok: boolean): void {
    this.#relays.delete(own)
    this.#port.send(relay.requester, { kind: 'pingAck', seq: relay.seq, target: relay.target, ok })
  }

  #timeoutMs(): number {
    return this.#port.settings.probeTimeoutMs * this.#port.health.multiplier
  }
}
