// Taking the registry over: single-decree Paxos among the keepers K(t) of the present log decides its one successor
// (PROTOCOL.md section 4). The states follow each other as
//
//     idle → sealing → reading → writing → accepting → idle        (a nack or a time-out goes back to idle)
//                  └────────── adopting ──────┘
//
// C1 (R3) one successor per ballot: a ballot that reached `accepting` is never used with another successor.
// C2 an accepted successor found in the majority is adopted, the one of the highest ballot.
// C3 (I5) the snapshot is on every listed keeper before the successor is proposed.
// C4 a candidate is one boot: a new boot starts with a new ballot, above everything it has seen.

import type { Env } from '../env.ts'
import { type LogKey, type PeerId, peerOfBoot, type StoreId } from '../ids.ts'
import type { Ballot, Keeper, Pointer, Successor } from '../log-types.ts'
import { compareBallots } from '../logs/ballot.ts'
import { LogReading } from '../logs/log-reading.ts'
import type { Force, LogMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import { majority } from '../quorum.ts'
import type { Follower } from './follower.ts'
import { NextLog } from './next-log.ts'
import type { RegistryTable } from './state.ts'

type Sealed = LogMessage & { kind: 'sealed' }

type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'sealing'
      readonly ballot: Ballot
      readonly answers: Map<StoreId, Sealed>
      readonly force: Force
    }
  | {
      readonly kind: 'reading'
      readonly ballot: Ballot
      readonly reading: LogReading
    }
  | {
      readonly kind: 'writing'
      readonly ballot: Ballot
      readonly next: NextLog
    }
  | {
      readonly kind: 'accepting'
      readonly ballot: Ballot
      readonly successor: Successor
      readonly answers: Set<StoreId>
    }

export interface CandidateOwner {
  /** Keepers for the next term, chosen from the peers that can be reached; without those in `avoid` where possible. */
  chooseKeepers(table: RegistryTable, avoid: ReadonlySet<StoreId>): readonly Keeper[]
  /** As far as known here it is dead, or left. An opinion: nothing but a wait depends on it. */
  isGone(peer: PeerId): boolean
  addresses(keepers: readonly Keeper[]): Pointer['addresses']
  /** This store is about to have blocks of that registry log, whether it keeps it or not; once that is on disk, `then`. */
  holds(log: LogKey, term: number, then: () => void): void
  /** `successor` is chosen. `length` is the length of its log where this peer wrote it. */
  chosen(pointer: Pointer, length: number | undefined): void
}

/** Under the worst overload a step gets eight times its time-out. */
const MAX_DOUBLINGS = 3

export class Candidate {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #follower: Follower
  readonly #owner: CandidateOwner
  #state: State = { kind: 'idle' }
  #startedAt = 0
  #askedAt = 0
  #highest = 0
  #waitUntil = 0
  /** The other candidate that was heard of last, to whom the field is left until then. */
  #rival: { readonly peer: PeerId; readonly until: number } | undefined
  /** Attempts in a row that came to nothing: time-outs were too short for this machine, or rivals too many. */
  #failures = 0
  /** Logs this peer wrote snapshots to, by key: an own successor may be found accepted under a later ballot. */
  readonly #written = new Map<LogKey, number>()
  readonly #slow = new Set<StoreId>()

  constructor(env: Env, pointers: PointerStore, follower: Follower, owner: CandidateOwner) {
    this.#env = env
    this.#pointers = pointers
    this.#follower = follower
    this.#owner = owner
  }

  get active(): boolean {
    return this.#state.kind !== 'idle'
  }

  /** Starts a take-over of the present term unless one runs or the back-off says to wait. */
  campaign(force: Force): void {
    const pointer = this.#pointers.current
    if (!pointer || this.active || this.#env.now < this.#waitUntil || this.#isRivalled()) return
    // A seal stops the head for good, so nothing is sealed that cannot become a majority.
    const reached = pointer.keepers.filter(({ peer }) => this.#env.reaches(peer)).length
    if (reached < majority(pointer.keepers.length)) return
    const ballot = { n: ++this.#highest, boot: this.#env.boot }
    this.#become({ kind: 'sealing', ballot, answers: new Map(), force })
    this.#ask()
  }

  /** Another candidate got a keeper's promise: two that overtake each other get nowhere, so it gets the time to finish. */
  rivalled(ballot: Ballot): void {
    const peer = peerOfBoot(ballot.boot)
    if (peer === this.#env.self) return
    this.#highest = Math.max(this.#highest, ballot.n)
    this.#rival = { peer, until: this.#env.now + this.#stepTimeout * (1 + this.#env.random.number()) }
  }

  #isRivalled(): boolean {
    return (
      this.#rival !== undefined && this.#env.now < this.#rival.until && this.#env.reaches(this.#rival.peer)
    )
  }

  /** A step that was too slow for the time-out would be too slow again: it gets twice the time. */
  get #stepTimeout(): number {
    return this.#env.settings.stepTimeoutMs * 2 ** Math.min(this.#failures, MAX_DOUBLINGS)
  }

  /** Gives up what is under way: the term moved on, or the boot ended. */
  reset(): void {
    this.#leave()
    this.#slow.clear()
    this.#waitUntil = 0
    this.#failures = 0
    this.#rival = undefined
  }

  handle(from: PeerId, message: LogMessage): void {
    const state = this.#state
    if (state.kind === 'writing' && message.log === state.next.key) return state.next.handle(message)
    if (message.log !== this.#pointers.current?.key) return
    switch (message.kind) {
      case 'sealed':
        return this.#sealed(from, message)
      case 'nack':
        return this.#nack(message)
      case 'accepted':
        return this.#accepted(message)
      case 'fetched':
        if (state.kind === 'reading') state.reading.handle(from, message)
        return
    }
  }

  tick(): void {
    const { now, settings } = this.#env
    const state = this.#state
    if (state.kind === 'idle') return
    if (now - this.#startedAt >= this.#stepTimeout) {
      if (state.kind === 'writing') for (const store of state.next.missing()) this.#slow.add(store)
      return this.#backOff()
    }
    if (state.kind === 'writing') {
      state.next.tick()
      return
    }
    if (now - this.#askedAt >= settings.resendMs) this.#ask()
  }

  reconnected(peer: PeerId): void {
    if (this.#state.kind === 'writing') this.#state.next.reconnected(peer)
    else if (this.active) this.#ask()
  }

  #become(state: State): void {
    this.#state = state
    this.#startedAt = this.#env.now
    this.#askedAt = this.#env.now
  }

  /** Sends (again) what the present state waits for. */
  #ask(): void {
    const pointer = this.#pointers.current
    if (!pointer) return
    this.#askedAt = this.#env.now
    const state = this.#state
    const log = pointer.key
    if (state.kind === 'sealing') {
      for (const { peer, store } of pointer.keepers)
        if (!state.answers.has(store))
          this.#env.send(peer, {
            kind: 'seal',
            log,
            store,
            order: pointer.term,
            ballot: state.ballot,
            registry: true,
            force: state.force,
          })
    } else if (state.kind === 'reading') {
      state.reading.ask()
    } else if (state.kind === 'accepting') {
      for (const { peer, store } of pointer.keepers)
        if (!state.answers.has(store))
          this.#env.send(peer, {
            kind: 'accept',
            log,
            store,
            ballot: state.ballot,
            successor: state.successor,
          })
    }
  }

  #sealed(from: PeerId, message: Sealed): void {
    const state = this.#state
    const pointer = this.#pointers.current
    if (state.kind !== 'sealing' || !pointer || compareBallots(message.ballot, state.ballot) !== 0) return
    if (!this.#isKeeper(pointer, from, message.store)) return
    state.answers.set(message.store, message)
    if (state.answers.size < majority(pointer.keepers.length)) return
    const answers = [...state.answers.values()]
    const accepted = answers
      .flatMap((answer) => (answer.accepted ? [answer.accepted] : []))
      .sort((a, b) => compareBallots(b.ballot, a.ballot))[0]
    if (accepted) return this.#propose(state.ballot, accepted.successor)
    const best = answers.reduce((longest, answer) => (answer.length > longest.length ? answer : longest))
    const holder = pointer.keepers.find((keeper) => keeper.store === best.store)?.peer ?? from
    const { ballot } = state
    const reading = new LogReading(this.#env, {
      hold: (then) => this.#owner.holds(pointer.key, pointer.term, then),
      log: pointer.key,
      length: best.length,
      holder,
      id: ballot.n,
      progressed: () => {
        this.#startedAt = this.#env.now
      },
      done: (blocks) => this.#write(ballot, best, pointer, this.#follower.replay(blocks)),
    })
    this.#become({ kind: 'reading', ballot, reading })
  }

  /** Writes the table as the first record of a fresh log and has every keeper of the next term hold it (C3). */
  #write(ballot: Ballot, best: Sealed, pointer: Pointer, table: RegistryTable | undefined): void {
    const keepers = table ? this.#owner.chooseKeepers(table, this.#slow) : []
    if (!table || keepers.length === 0) return this.#backOff()
    const next = new NextLog(this.#env, {
      table,
      term: pointer.term + 1,
      keepers,
      parent: { key: pointer.key, length: best.length, hash: best.hash },
      holds: (log, term, then) => this.#owner.holds(log, term, then),
      ready: (successor, length) => {
        this.#written.set(successor.key, length)
        this.#propose(ballot, successor)
      },
      isGone: (peer) => this.#owner.isGone(peer),
      // Nothing was proposed under this ballot yet (C1).
      lost: () => this.#write(ballot, best, pointer, table),
      failed: (slow) => {
        for (const store of slow) this.#slow.add(store)
        this.#backOff()
      },
    })
    this.#become({ kind: 'writing', ballot, next })
  }

  #propose(ballot: Ballot, successor: Successor): void {
    this.#become({ kind: 'accepting', ballot, successor, answers: new Set() })
    this.#ask()
  }

  #accepted(message: LogMessage & { kind: 'accepted' }): void {
    const state = this.#state
    const pointer = this.#pointers.current
    if (state.kind !== 'accepting' || !pointer || compareBallots(message.ballot, state.ballot) !== 0) return
    if (!pointer.keepers.some((keeper) => keeper.store === message.store)) return
    state.answers.add(message.store)
    if (state.answers.size < majority(pointer.keepers.length)) return
    const { successor } = state
    this.reset()
    const addresses = this.#owner.addresses(successor.keepers)
    const { meshId, rescues } = pointer
    this.#owner.chosen({ ...successor, meshId, rescues, addresses }, this.#written.get(successor.key))
  }

  #nack(message: LogMessage & { kind: 'nack' }): void {
    this.rivalled(message.promised)
    const state = this.#state
    const current = state.kind === 'sealing' || state.kind === 'accepting'
    if (current && compareBallots(message.ballot, state.ballot) === 0) this.#backOff()
  }

  /** Leaves the field to others for a random while, so that two candidates do not overtake each other for ever. */
  #backOff(): void {
    const { settings, random, now } = this.#env
    this.#leave()
    this.#failures++
    this.#waitUntil = now + settings.resendMs * (0.5 + 2 * random.number())
  }

  #leave(): void {
    if (this.#state.kind === 'writing') this.#state.next.stop()
    else if (this.#state.kind === 'reading') this.#state.reading.stop()
    this.#state = { kind: 'idle' }
  }

  #isKeeper(pointer: Pointer, peer: PeerId, store: StoreId): boolean {
    return pointer.keepers.some((keeper) => keeper.store === store && keeper.peer === peer)
  }
}
