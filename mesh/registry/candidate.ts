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
import { LogWriter } from '../logs/writer.ts'
import type { Force, LogMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import { majority } from '../quorum.ts'
import { snapshotBlocks } from './blocks.ts'
import type { Follower } from './follower.ts'
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
      readonly answers: Map<StoreId, Sealed>
      readonly best: Sealed
      readonly holder: PeerId
      length: number
    }
  | {
      readonly kind: 'writing'
      readonly ballot: Ballot
      readonly successor: Successor
      readonly writer: LogWriter
      readonly length: number
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
    if (this.#state.kind === 'writing') this.#state.writer.stop()
    this.#state = { kind: 'idle' }
    this.#slow.clear()
    this.#waitUntil = 0
    this.#failures = 0
    this.#rival = undefined
  }

  handle(from: PeerId, message: LogMessage): void {
    const state = this.#state
    if (state.kind === 'writing' && message.log === state.successor.key) {
      state.writer.handle(message)
      return this.#afterWrite(state)
    }
    if (message.log !== this.#pointers.current?.key) return
    switch (message.kind) {
      case 'sealed':
        return this.#sealed(from, message)
      case 'nack':
        return this.#nack(message)
      case 'accepted':
        return this.#accepted(message)
      case 'fetched':
        return this.#fetched(from, message)
    }
  }

  tick(): void {
    const { now, settings } = this.#env
    const state = this.#state
    if (state.kind === 'idle') return
    if (now - this.#startedAt >= this.#stepTimeout) {
      if (state.kind === 'writing') for (const keeper of state.writer.missing()) this.#slow.add(keeper.store)
      return this.#backOff()
    }
    if (state.kind === 'writing') {
      state.writer.tick()
      return
    }
    if (now - this.#askedAt >= settings.resendMs) this.#ask()
  }

  reconnected(peer: PeerId): void {
    if (this.#state.kind === 'writing') this.#state.writer.reconnected(peer)
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
            ballot: state.ballot,
            registry: true,
            force: state.force,
          })
    } else if (state.kind === 'reading') {
      this.#env.send(state.holder, {
        kind: 'fetch',
        log,
        from: state.length,
        upTo: state.best.length,
        id: state.ballot.n,
      })
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
    this.#become({ kind: 'reading', ballot: state.ballot, answers: state.answers, best, holder, length: 0 })
    const reading = this.#state
    // The log is read from this store's own copy; what it lacks comes verified from the longest keeper.
    const begin = (length: number | null): void => {
      if (this.#state !== reading || reading.kind !== 'reading') return
      reading.length = Math.min(length ?? 0, best.length)
      this.#readOn(reading, pointer)
    }
    this.#owner.holds(pointer.key, pointer.term, () => this.#env.ingest(pointer.key, [], begin))
  }

  #fetched(from: PeerId, message: LogMessage & { kind: 'fetched' }): void {
    const state = this.#state
    const pointer = this.#pointers.current
    if (state.kind !== 'reading' || !pointer || from !== state.holder || message.id !== state.ballot.n) return
    this.#env.ingest(message.log, message.proofs, (length) => {
      if (this.#state !== state || length === null || length <= state.length) return
      state.length = Math.min(length, state.best.length)
      this.#startedAt = this.#env.now
      this.#readOn(state, pointer)
    })
  }

  #readOn(state: State & { kind: 'reading' }, pointer: Pointer): void {
    if (state.length < state.best.length) return this.#ask()
    this.#env.read(pointer.key, 0, state.best.length, (blocks) => {
      if (this.#state !== state) return
      this.#write(state, pointer, this.#follower.replay(blocks, pointer.meshId))
    })
  }

  /** Writes the table as the first record of a fresh log and has every keeper of the next term hold it (C3). */
  #write(state: State & { kind: 'reading' }, pointer: Pointer, table: RegistryTable): void {
    const env = this.#env
    const { ballot, best } = state
    const keepers = this.#owner.chooseKeepers(table, this.#slow)
    if (keepers.length === 0) return this.#backOff()
    const blocks = snapshotBlocks(table, env.codec)
    env.createLog((key) => {
      if (this.#state !== state) return env.drop(key)
      const term = pointer.term + 1
      const parent = { key: pointer.key, length: best.length, hash: best.hash }
      const successor: Successor = {
        generation: pointer.generation,
        term,
        writer: env.boot,
        key,
        keepers,
        parent,
      }
      const writer = new LogWriter(
        env,
        { key, class: 'registry', order: term, keepers, length: 0 },
        {
          committed: () => {},
          sealed: () => this.#backOff(),
          keeperLost: ({ store }) => this.#lostKeeper(store),
        },
      )
      this.#written.set(key, blocks.length)
      const writing: State = { kind: 'writing', ballot, successor, writer, length: blocks.length }
      this.#become(writing)
      this.#owner.holds(key, term, () => {
        if (this.#state === writing) for (const block of blocks) writer.append(block, () => {})
      })
    })
  }

  #lostKeeper(store: StoreId): void {
    this.#slow.add(store)
    this.#backOff()
  }

  #afterWrite(state: State & { kind: 'writing' }): void {
    if (this.#state !== state || state.writer.length < state.length || state.writer.missing().length > 0)
      return
    state.writer.stop()
    this.#propose(state.ballot, state.successor)
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
    this.#owner.chosen({ ...successor, meshId: pointer.meshId, addresses }, this.#written.get(successor.key))
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
    if (this.#state.kind === 'writing') this.#state.writer.stop()
    this.#state = { kind: 'idle' }
    this.#failures++
    this.#waitUntil = now + settings.resendMs * (0.5 + 2 * random.number())
  }

  #isKeeper(pointer: Pointer, peer: PeerId, store: StoreId): boolean {
    return pointer.keepers.some((keeper) => keeper.store === store && keeper.peer === peer)
  }
}
