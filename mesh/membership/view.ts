// What one peer believes about the others: facts are learnt, suspicions run, deaths are declared and announced.
//
// M1 The table changes only through #adopt, and only towards a fact that supersedes the known one (facts.ts, F1).
// M2 This peer is never anything but alive in its own table until it leaves: facts about itself go to its owner, which
//    outranks those that say otherwise.
// M3 The dead of a boot are revived by nobody but that peer (F2), and forgotten only after forgetAfterMs, when no old
//    message about them can still be under way. Of a peer nobody knows, no death or departure is entered.

import type { BootId, PeerId } from '../ids.ts'
import { Announcements, announceDelayMs } from './announcements.ts'
import { compareFacts, isLive, isSane, sameDescription } from './facts.ts'
import type { RandomNumber } from './random.ts'
import { Rumours } from './rumours.ts'
import { CONFIRMATIONS } from './settings.ts'
import { Suspicion } from './suspicion.ts'
import { MemberTable, type Table } from './table.ts'
import type { Fact, MembershipEffect, MembershipSettings } from './types.ts'

/** How a fact came here: its sender, and whether it is news worth passing on. */
export interface Origin {
  readonly from: PeerId
  readonly spread: boolean
}

export interface ViewPort {
  readonly settings: MembershipSettings
  readonly random: RandomNumber
  now(): number
  emit(effect: MembershipEffect): void
  /** Somebody has an opinion about this very peer. */
  learnedOfSelf(fact: Fact): void
  /** A peer is live that was not. */
  appeared(peer: PeerId): void
  /** Somebody else suspects a peer. */
  accused(fact: Fact): void
}

export class View {
  readonly table: Table
  readonly #self: PeerId
  readonly #port: ViewPort
  /** One per suspect member, and only for them. */
  readonly #suspicions = new Map<PeerId, Suspicion>()
  readonly #announcements = new Announcements()
  readonly #rumours = new Rumours()

  constructor(self: Fact, port: ViewPort, table?: Table) {
    this.#self = self.peer
    this.#port = port
    this.table = table ?? new MemberTable(self)
  }

  get self(): Fact {
    return this.table.fact(this.#self)!
  }

  setSelf(fact: Fact): void {
    const before = this.self
    this.table.set(fact, this.#port.now())
    this.#emitChange(before, fact)
  }

  learn(fact: Fact, origin: Origin): void {
    if (!isSane(fact)) return
    if (fact.peer === this.#self) {
      this.#port.learnedOfSelf(fact) // M2
      return
    }
    const known = this.table.fact(fact.peer)
    if (known === undefined) {
      if (isLive(fact.liveness) && !this.table.full) this.#adopt(fact, origin) // M3
      return
    }
    const order = compareFacts(fact, known)
    if (order > 0) this.#adopt(fact, origin)
    else if (order === 0) this.#hearAgain(fact, known, origin)
  }

  /** A probe of that boot failed: suspicion, or one more confirmation of it. */
  doubt(peer: PeerId, boot: BootId): void {
    const known = this.table.fact(peer)
    if (known === undefined || known.boot !== boot || !isLive(known.liveness)) return // R6
    const opinion: Fact = { ...known, liveness: 'suspect', by: this.#self }
    if (known.liveness === 'alive') {
      this.#adopt(opinion, { from: this.#self, spread: true })
      this.#announce(opinion)
    } else if (this.#suspicions.get(peer)?.confirm(this.#self)) {
      this.#announce(opinion)
    }
  }

  declareDead(known: Fact): void {
    const opinion: Fact = { ...known, liveness: 'dead', by: this.#self }
    this.#adopt(opinion, { from: this.#self, spread: true })
    this.#announce(opinion)
  }

  /** What rides on a ping or pong: this peer's own fact, what is held against the receiver, and a few rumours. */
  factsFor(to: PeerId): Fact[] {
    const about = this.table.fact(to)
    const facts = about === undefined || about.liveness === 'alive' ? [this.self] : [this.self, about]
    for (const peer of this.#rumours.take([this.#self, to])) {
      const fact = this.table.fact(peer)
      if (fact !== undefined) facts.push(fact)
    }
    return facts
  }

  tick(): void {
    const now = this.#port.now()
    for (const [peer, suspicion] of [...this.#suspicions]) {
      const known = this.table.fact(peer)
      if (suspicion.deadline <= now && known !== undefined) this.declareDead(known)
    }
    const due = this.#announcements.take(now).filter((fact) => {
      const known = this.table.fact(fact.peer)
      return known !== undefined && compareFacts(known, fact) === 0 // R6
    })
    if (due.length > 0) this.#port.emit({ type: 'publish', facts: due })
  }

  nextAt(): number {
    let next = this.#announcements.nextAt()
    for (const suspicion of this.#suspicions.values()) next = Math.min(next, suspicion.deadline)
    return next
  }

  /** This peer did not listen for `ms`. */
  extendSuspicions(ms: number): void {
    for (const suspicion of this.#suspicions.values()) suspicion.extend(ms)
  }

  restartSuspicions(): void {
    for (const suspicion of this.#suspicions.values()) suspicion.restart(this.#port.now())
  }

  /** Forgets who has been gone long enough (M3). */
  sweep(): void {
    const { settings, now } = this.#port
    for (const member of this.table.members()) {
      const gone = !isLive(member.liveness) && now() - member.since >= settings.forgetAfterMs
      if (!gone || member.connected || member.peer === this.#self) continue
      this.table.delete(member.peer)
      this.#rumours.forget(member.peer)
    }
  }

  /** The one place where the table changes (M1). */
  #adopt(fact: Fact, origin: Origin): void {
    const { peer } = fact
    const before = this.table.fact(peer)
    this.table.set(fact, this.#port.now())
    this.#announcements.cancel(peer)
    this.#suspicions.delete(peer)
    if (fact.liveness === 'suspect') this.#suspicions.set(peer, this.#suspicionOf(fact))
    if (isLive(fact.liveness) && (before === undefined || !isLive(before.liveness))) this.#port.appeared(peer)
    if (origin.spread) this.#rumours.add(peer, this.table.liveCount)
    this.#emitChange(before, fact)
    if (fact.liveness === 'suspect' && origin.from !== this.#self) this.#port.accused(fact)
  }

  /** The same fact once more: a confirmation, a reason to keep quiet, or a newer load. */
  #hearAgain(fact: Fact, known: Fact, origin: Origin): void {
    if (fact.liveness === 'dead') this.#announcements.cancel(fact.peer)
    const suspicion = this.#suspicions.get(fact.peer)
    if (suspicion?.confirm(fact.by) && suspicion.settled) this.#announcements.cancel(fact.peer)
    // Only a peer itself knows its load, and only on its own stream do its facts arrive in order.
    if (fact.peer === origin.from && fact.load !== known.load) {
      this.table.set({ ...known, load: fact.load }, this.#port.now())
    }
  }

  #suspicionOf(fact: Fact): Suspicion {
    const { suspicionMinMs: minMs, suspicionMaxMs: maxMs } = this.#port.settings
    const others = this.table.liveCount - 2 // Without the suspect and its first accuser.
    const expected = Math.max(0, Math.min(CONFIRMATIONS, others))
    return new Suspicion(fact.by, expected, { minMs, maxMs }, this.#port.now())
  }

  #announce(opinion: Fact): void {
    const delay = announceDelayMs(this.table.liveCount, this.#port.random)
    if (delay > 0) this.#announcements.add(opinion, this.#port.now() + delay)
    else this.#port.emit({ type: 'publish', facts: [opinion] })
  }

  #emitChange(before: Fact | undefined, after: Fact): void {
    const same =
      before !== undefined &&
      before.liveness === after.liveness &&
      before.boot === after.boot &&
      sameDescription(before.description, after.description)
    if (same) return
    const was = before?.liveness ?? 'unknown'
    this.#port.emit({ type: 'changed', peer: after.peer, before: was, after: after.liveness })
  }
}
