// The way past a registry whose majority is lost for good: on one chosen peer, because somebody said so (ADR 0009). It asks
// every connected peer what it knows, makes the longest copy found the first log of a new generation, and has a set of
// keepers hold it. The states follow each other as
//
//     idle → asking → reading → writing → storing → idle    (a refusal goes back to idle at any point before writing)
//
// X1 never while a majority of the registry's keepers may be there: one that answers, or one peer that hears a head, is
//    enough to refuse.
// X2 one rescue at a time among those who are connected: of two, the one on the higher peer ID gives up.
// X3 nothing is sealed and nothing is voted on: whatever comes back later follows, or is refused as another mesh (P1).
// X4 (R2) it is done, and said to be, once its pointer is on this disk: until then the end of this process undoes it.
// X5 a copy counts that may have all that was committed: of the term that the pointer names only the log that it names, since
//    an overtaken candidate for that term wrote what was before it. One that turns out to be a part is passed over.

import type { Env } from '../env.ts'
import { firstOf } from '../generation.ts'
import { compareIds, type LogKey, type PeerId, type StoreId } from '../ids.ts'
import type { Keeper, Pointer, Successor } from '../log-types.ts'
import type { KeptLogs } from '../logs/kept-logs.ts'
import { LogReading } from '../logs/log-reading.ts'
import type { LogMessage, RegistryCopy, RegistryMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import { majority } from '../quorum.ts'
import type { Follower } from './follower.ts'
import { NextLog } from './next-log.ts'
import { rescueRegistry } from './rescued.ts'
import type { RegistryTable } from './state.ts'

type Survey = RegistryMessage & { kind: 'surveyed' }

/** A copy of the registry, and who has it; `follower`: what this peer has applied, which is in memory only. */
interface Found extends RegistryCopy {
  readonly holder: PeerId
  readonly follower: boolean
}

/** What a rescue would do, or did. Terms are as the registry numbers them (generation.ts). */
export interface RescueAccount {
  readonly term: number
  readonly records: number
  /** The peer whose copy it is. */
  readonly holder: PeerId
  readonly keepers: readonly PeerId[]
  readonly missing: readonly PeerId[]
}

export type RescueResult =
  | { readonly ok: true; readonly done: boolean; readonly account: RescueAccount }
  | {
      readonly ok: false
      readonly why: 'not-needed' | 'busy' | 'nothing-found' | 'failed'
      readonly detail: string
    }

interface Order {
  readonly token: number
  readonly acceptLoss: boolean
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asking'; readonly order: Order; readonly answers: Map<PeerId, Survey> }
  | {
      readonly kind: 'reading'
      readonly order: Order
      readonly answers: ReadonlyMap<PeerId, Survey>
      readonly account: RescueAccount
      readonly reading: LogReading
    }
  | {
      readonly kind: 'writing'
      readonly order: Order
      readonly account: RescueAccount
      readonly table: RegistryTable
      readonly next: NextLog
    }
  | { readonly kind: 'storing'; readonly order: Order; readonly account: RescueAccount; readonly log: LogKey }

export interface RescueOwner {
  /** This peer goes on as a new boot: none survives a rescue. */
  depose(): void
  chooseKeepers(table: RegistryTable, avoid: ReadonlySet<StoreId>): readonly Keeper[]
  isGone(peer: PeerId): boolean
  addresses(keepers: readonly Keeper[]): Pointer['addresses']
  holds(log: LogKey, term: number, then: () => void): void
  chosen(pointer: Pointer, length: number): void
}

export class Rescue {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #follower: Follower
  readonly #logs: KeptLogs
  readonly #owner: RescueOwner
  #state: State = { kind: 'idle' }
  #since = 0
  #askedAt = 0
  #id = 0
  readonly #slow = new Set<StoreId>()
  /** Copies, by holder and log, that turned out to be parts (X5). */
  readonly #parts = new Set<string>()

  constructor(
    env: Env,
    parts: { pointers: PointerStore; follower: Follower; logs: KeptLogs },
    owner: RescueOwner,
  ) {
    this.#env = env
    this.#pointers = parts.pointers
    this.#follower = parts.follower
    this.#logs = parts.logs
    this.#owner = owner
  }

  get active(): boolean {
    return this.#state.kind !== 'idle'
  }

  /** `acceptLoss` false only finds out what would be done. */
  begin(order: Order): void {
    if (this.active)
      return this.#answer(order, { ok: false, why: 'busy', detail: 'this peer carries out a rescue already' })
    if (!this.#pointers.current)
      return this.#answer(order, {
        ok: false,
        why: 'nothing-found',
        detail: 'this peer has never been in a mesh: there is nothing to rescue',
      })
    this.#id++
    this.#slow.clear()
    this.#parts.clear()
    this.#become({ kind: 'asking', order, answers: new Map() })
    this.#ask()
  }

  /** A newer term is known: the one that this rescue begins with, or somebody else acts. */
  reset(): void {
    const state = this.#state
    if (state.kind === 'idle') return
    if (state.kind === 'storing' && this.#pointers.current?.key === state.log) {
      this.#state = { kind: 'idle' }
      return this.#answer(state.order, { ok: true, done: true, account: state.account }) // X4
    }
    this.#refuse('not-needed', 'the registry has a new head')
  }

  /** Tells another peer, which considers a rescue, what this one knows. */
  survey(from: PeerId, { id }: RegistryMessage & { kind: 'survey' }): void {
    const pointer = this.#pointers.current
    this.#env.send(from, {
      kind: 'surveyed',
      id,
      store: this.#env.store,
      term: pointer?.term ?? -1,
      hearsHead: this.#follower.hearsHead,
      rescuing: this.#state.kind !== 'idle' && this.#state.order.acceptLoss,
      copies: this.#stored(),
    })
  }

  surveyed(from: PeerId, message: Survey): void {
    if (this.#state.kind === 'asking' && message.id === this.#id) this.#state.answers.set(from, message)
  }

  handle(from: PeerId, message: LogMessage): void {
    const state = this.#state
    if (state.kind === 'reading' && message.kind === 'fetched') state.reading.handle(from, message)
    else if (state.kind === 'writing' && message.log === state.next.key) state.next.handle(message)
  }

  reconnected(peer: PeerId): void {
    if (this.#state.kind === 'writing') this.#state.next.reconnected(peer)
  }

  tick(): void {
    const { now, settings } = this.#env
    const state = this.#state
    if (state.kind === 'idle' || state.kind === 'storing') return
    const late = now - this.#since >= settings.stepTimeoutMs
    const due = now - this.#askedAt >= settings.resendMs
    if (state.kind === 'asking') {
      if (late) this.#decide(state)
      else if (due) this.#ask()
    } else if (state.kind === 'reading') {
      if (late) this.#refuse('failed', `${state.account.holder} stopped sending its copy: try again`)
      else if (due) {
        this.#askedAt = now
        state.reading.ask()
      }
    } else if (late) this.#writeAgain(state, state.next.missing())
    else state.next.tick()
  }

  #become(state: State): void {
    this.#state = state
    this.#since = this.#env.now
    this.#askedAt = this.#env.now
  }

  #ask(): void {
    this.#askedAt = this.#env.now
    for (const peer of this.#env.connected.keys()) this.#env.send(peer, { kind: 'survey', id: this.#id })
  }

  /** All that answer have had their time. */
  #decide(state: State & { kind: 'asking' }): void {
    const refusal = this.#refusal(state, this.#pointers.current!)
    if (refusal) return this.#refuse(refusal.why, refusal.detail)
    this.#choose(state)
  }

  #choose({ order, answers }: State & { kind: 'asking' | 'reading' }): void {
    const pointer = this.#pointers.current!
    const found = this.#best(answers)
    if (!found)
      return this.#refuse(
        'nothing-found',
        'no peer that is connected has a readable copy of the registry: start those that kept it',
      )
    const present = this.#present(answers, pointer)
    const account: RescueAccount = {
      term: found.term,
      records: found.length,
      holder: found.holder,
      keepers: pointer.keepers.map(({ peer }) => peer),
      missing: pointer.keepers.filter(({ store }) => !present.has(store)).map(({ peer }) => peer),
    }
    if (order.acceptLoss) return this.#read(order, answers, account, found)
    this.#answer(order, { ok: true, done: false, account })
    this.#state = { kind: 'idle' }
  }

  /** X1, X2. */
  #refusal(
    { answers }: State & { kind: 'asking' },
    pointer: Pointer,
  ): { why: 'not-needed' | 'busy'; detail: string } | undefined {
    const { self } = this.#env
    const ahead = [...answers].find(([, { term }]) => term > pointer.term)?.[0]
    if (ahead)
      return {
        why: 'not-needed',
        detail: `${ahead} knows of a newer head: look at "mesh status" in a moment`,
      }
    const hears = this.#follower.hearsHead ? self : [...answers].find(([, answer]) => answer.hearsHead)?.[0]
    if (hears)
      return {
        why: 'not-needed',
        detail: `${hears} hears the head: the registry has its majority, nothing is to be rescued`,
      }
    const present = this.#present(answers, pointer)
    if (present.size >= majority(pointer.keepers.length))
      return {
        why: 'not-needed',
        detail: `${present.size} of the registry's ${pointer.keepers.length} keepers are here, which is a majority: they go on by themselves`,
      }
    const other = [...answers].find(([peer, { rescuing }]) => rescuing && compareIds(peer, self) < 0)?.[0]
    return other && { why: 'busy', detail: `a rescue is under way on ${other}: one is enough` }
  }

  #present(answers: ReadonlyMap<PeerId, Survey>, pointer: Pointer): ReadonlySet<StoreId> {
    const here = new Set([this.#env.store, ...[...answers.values()].map(({ store }) => store)])
    return new Set(pointer.keepers.flatMap(({ store }) => (here.has(store) ? store : [])))
  }

  /** The newest term, and of it the longest copy. What only a candidate wrote has all that was committed before, too. */
  #best(answers: ReadonlyMap<PeerId, Survey>): Found | undefined {
    const { self } = this.#env
    const pointer = this.#pointers.current!
    const own: Found[] = this.#stored().map((copy) => ({ ...copy, holder: self, follower: false }))
    const { applied } = this.#follower
    if (this.#follower.stateTerm === pointer.term)
      own.push({ log: pointer.key, term: pointer.term, length: applied, holder: self, follower: true })
    const others = [...answers].flatMap(([holder, { copies }]) =>
      copies.map((copy) => ({ ...copy, holder, follower: false })),
    )
    const newer = (a: Found, b: Found) => a.term - b.term || a.length - b.length
    const counts = ({ holder, log, term }: Found) =>
      (term !== pointer.term || log === pointer.key) && !this.#parts.has(`${holder} ${log}`) // X5
    return [...own, ...others]
      .filter(counts)
      .reduce<Found | undefined>((best, copy) => (best && newer(best, copy) >= 0 ? best : copy), undefined)
  }

  /** Registry logs with blocks in this store. */
  #stored(): readonly RegistryCopy[] {
    return this.#logs
      .held()
      .filter(({ facts, length }) => facts.class === 'registry' && facts.order >= 0 && length > 0)
      .map(({ facts, length }) => ({ log: facts.key, term: facts.order, length }))
  }

  #read(
    order: Order,
    answers: ReadonlyMap<PeerId, Survey>,
    account: RescueAccount,
    { log, length, holder, follower }: Found,
  ): void {
    const done = (blocks: readonly Uint8Array[]) => {
      const table = this.#follower.replay(blocks)
      if (table) return this.#rescue(order, account, table)
      this.#parts.add(`${holder} ${log}`) // X5
      const state = this.#state
      if (state.kind === 'reading') this.#choose(state)
    }
    if (follower) return done(this.#follower.blocks)
    const reading = new LogReading(this.#env, {
      hold: (then) => this.#owner.holds(log, account.term, then),
      log,
      length,
      holder,
      id: this.#id,
      progressed: () => {
        this.#since = this.#env.now
      },
      done,
    })
    this.#become({ kind: 'reading', order, answers, account, reading })
  }

  #rescue(order: Order, account: RescueAccount, table: RegistryTable): void {
    const env = this.#env
    const pointer = this.#pointers.current!
    const cause = `the registry lost the majority of its keepers and was rescued from record ${account.records} of term ${account.term}, as ${account.holder} had it: what was committed after that is lost`
    env.event({ kind: 'warning', code: 'RESCUE', text: cause })
    this.#owner.depose()
    rescueRegistry(table, { generation: this.#generation(pointer), boot: env.boot, at: env.wall, cause })
    this.#write(order, account, table)
  }

  #generation(pointer: Pointer): number {
    return pointer.rescues.length + 1
  }

  #write(order: Order, account: RescueAccount, table: RegistryTable): void {
    const pointer = this.#pointers.current!
    const again = (slow: readonly StoreId[]) => {
      const state = this.#state
      if (state.kind === 'writing') this.#writeAgain(state, slow)
    }
    const next = new NextLog(this.#env, {
      table,
      term: firstOf(this.#generation(pointer)),
      keepers: this.#owner.chooseKeepers(table, this.#slow),
      parent: null,
      holds: (log, term, then) => this.#owner.holds(log, term, then),
      ready: (successor, length) => this.#done(order, account, successor, length),
      isGone: (peer) => this.#owner.isGone(peer),
      lost: () => again([]),
      failed: again,
    })
    this.#become({ kind: 'writing', order, account, table, next })
  }

  /** With those who do not answer left out; this peer's own store always does. */
  #writeAgain({ order, account, table, next }: State & { kind: 'writing' }, slow: readonly StoreId[]): void {
    next.stop()
    for (const store of slow) if (store !== this.#env.store) this.#slow.add(store)
    this.#write(order, account, table)
  }

  #done(order: Order, account: RescueAccount, successor: Successor, length: number): void {
    const { meshId, rescues } = this.#pointers.current!
    const addresses = this.#owner.addresses(successor.keepers)
    this.#become({ kind: 'storing', order, account, log: successor.key })
    this.#owner.chosen({ ...successor, meshId, rescues: [...rescues, successor.key], addresses }, length)
  }

  #refuse(why: 'not-needed' | 'busy' | 'nothing-found' | 'failed', detail: string): void {
    const state = this.#state
    if (state.kind === 'idle') return
    if (state.kind === 'reading') state.reading.stop()
    else if (state.kind === 'writing') state.next.stop()
    this.#state = { kind: 'idle' }
    this.#answer(state.order, { ok: false, why, detail })
  }

  #answer({ token }: Order, result: RescueResult): void {
    this.#env.emit({ type: 'rescued', token, result })
  }
}
