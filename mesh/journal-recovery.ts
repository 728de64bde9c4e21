// One journal of a lost boot: sealed at its keepers, and repaired until a majority of them holds all of it.
//
// V1 (R4, I7) the committed length is held by a majority before it is committed, and is at least all acknowledged.
// V2 (R7) only `sealed` answers of the listed stores count; `unknown` never does.
// V3 a tainted length (written before the operating system restarted, not synced) counts only when every keeper answered,
//    and is reported as possible loss.
// V4 only where loss is accepted is V1 given up, and only after those who are there had time to answer; the end says so.
//    Who comes with more before it is committed is heard all the same.

import type { Env } from './env.ts'
import type { LogKey, PeerId, StoreId } from './ids.ts'
import type { Keeper } from './log-types.ts'
import type { Force, LogMessage } from './messages.ts'
import { majority } from './quorum.ts'
import type { JournalEnd, JournalEntry } from './registry/types.ts'

export type Sealed = LogMessage & { kind: 'sealed' }

interface Goal extends JournalEnd {
  /** The keeper whose length it is. */
  readonly source: PeerId | undefined
  readonly tainted: boolean
  readonly since: number
}

export class JournalRecovery {
  readonly key: LogKey
  readonly #env: Env
  readonly #order: number
  readonly #keepers: readonly Keeper[]
  /** Where the journal is known to end: it was closed or sealed before. */
  readonly #known: number | undefined
  readonly #lossAccepted: boolean
  readonly #began: number
  readonly #answers = new Map<StoreId, Sealed>()
  readonly #heardAt = new Map<StoreId, number>()
  readonly #holders = new Set<StoreId>()
  /** The length to repair to, once enough sealed. Set anew only while nobody is there who holds all of it. */
  #goal: Goal | undefined
  /** Counts requests, so that each asks another holder: one may have died since, or not be reached from there. */
  #asked = 0

  /** When this peer began to wait for its keepers, perhaps as the head of an earlier term. */
  readonly #waitingSince: number

  constructor(
    env: Env,
    { key, order, keepers, status }: JournalEntry,
    lossAccepted: boolean,
    waitingSince = env.now,
  ) {
    this.#waitingSince = waitingSince
    this.#env = env
    this.key = key
    this.#order = order
    this.#keepers = keepers
    this.#known = status.kind === 'open' ? undefined : status.length
    this.#lossAccepted = lossAccepted
    this.#began = env.now
  }

  /** Where the journal ends, once that can be committed. */
  get end(): JournalEnd | undefined {
    if (!this.#goal || !this.#isRepaired(this.#goal)) return undefined
    const { length, hash, loss } = this.#goal
    return { length, hash, ...(loss ? { loss } : {}) }
  }

  /** In words, what people should know about how it was recovered; empty where there is nothing. */
  get note(): string {
    return this.#goal?.tainted
      ? `journal ${this.key} was not synced before the power went: possible loss beyond record ${this.#goal.length}`
      : ''
  }

  /** In words, what is still waited for; empty where nothing is. */
  get waitingFor(): string {
    const need = majority(this.#keepers.length)
    const silent = this.#keepers.filter(({ store }) => !this.#answers.has(store)).map(({ peer }) => peer)
    if (!this.#goal)
      return `${need} of ${this.#keepers.length} keepers of its journal must answer, missing: ${silent.join(', ')}`
    if (this.#isRepaired(this.#goal)) return ''
    return `repairing its journal, ${this.#holders.size} of ${need} copies complete`
  }

  /** True while keepers must be there that are not: nothing but waiting, or accepting the loss, helps. */
  get lacksKeepers(): boolean {
    return this.#goal === undefined && this.#env.now - this.#waitingSince >= this.#env.settings.stepTimeoutMs
  }

  /** Sends (again) what the keepers have not answered. */
  ask(term: number, force: Force): void {
    if (this.end) return
    this.#asked++
    this.#forgetLostTail()
    const source = this.#source()
    for (const { peer, store } of this.#keepers) {
      if (!this.#answers.has(store))
        this.#env.send(peer, {
          kind: 'seal',
          log: this.key,
          store,
          order: this.#order,
          ballot: { n: term, boot: this.#env.boot },
          registry: false,
          force,
        })
      if (this.#goal && source && !this.#holders.has(store) && this.#answers.has(store))
        this.#env.send(peer, {
          kind: 'fill',
          log: this.key,
          store,
          upTo: this.#goal.length,
          hash: this.#goal.hash,
          source,
        })
    }
  }

  /** Returns whether the answer was one that counts (V2). */
  sealed(from: PeerId, message: Sealed): boolean {
    if (!this.#isKeeper(from, message.store)) return false
    const { filled } = message
    const answer = filled && filled.length > message.length ? { ...message, ...filled } : message // K4
    this.#answers.set(message.store, answer)
    this.#heardAt.set(message.store, this.#env.now)
    if (this.#goal?.loss && answer.length > this.#goal.length) this.#forgetGoal() // V4
    this.#setGoal()
    if (this.#goal && answer.length >= this.#goal.length) this.#holders.add(message.store)
    return this.#goal !== undefined
  }

  held(from: PeerId, message: LogMessage & { kind: 'held' }): void {
    if (!this.#isKeeper(from, message.store)) return
    this.#heardAt.set(message.store, this.#env.now)
    if (this.#goal && message.length >= this.#goal.length) this.#holders.add(message.store)
  }

  tick(): void {
    this.#setGoal()
  }

  #setGoal(): void {
    if (this.#goal) return
    const answers = [...this.#answers.values()]
    const best = answers.reduce<Sealed | undefined>(
      (longest, answer) => (longest && longest.length >= answer.length ? longest : answer),
      undefined,
    )
    const goal = this.#known === undefined ? this.#endOfOpen(answers, best) : this.#endOfKnown(best)
    if (!goal) return
    const source = this.#keepers.find(({ store }) => store === best?.store)?.peer
    this.#goal = { ...goal, source, since: this.#env.now }
    for (const answer of answers) if (answer.length >= goal.length) this.#holders.add(answer.store)
  }

  /** V1, V3. */
  #endOfOpen(
    answers: readonly Sealed[],
    best: Sealed | undefined,
  ): (JournalEnd & { tainted: boolean }) | undefined {
    const sound = answers.filter(({ tainted }) => !tainted).length >= majority(this.#keepers.length)
    if (best && (sound || answers.length === this.#keepers.length))
      return { length: best.length, hash: best.hash, tainted: !sound }
    return this.#endWithLoss(best)
  }

  #endOfKnown(best: Sealed | undefined): (JournalEnd & { tainted: boolean }) | undefined {
    if (best && this.#known !== undefined && best.length >= this.#known)
      return { length: this.#known, hash: '', tainted: false }
    return this.#endWithLoss(best)
  }

  /** V4. */
  #endWithLoss(best: Sealed | undefined): (JournalEnd & { tainted: boolean }) | undefined {
    const { now, settings } = this.#env
    if (!this.#lossAccepted || now - this.#began < settings.absentPeerGraceMs) return undefined
    const loss = { answered: this.#answers.size, keepers: this.#keepers.length }
    return { length: best?.length ?? 0, hash: best?.hash ?? '', tainted: false, loss }
  }

  /**
   * Nobody who holds all of it can be reached, and so nobody can repair to it. What a majority of others does not have was
   * never acknowledged: the goal is set anew from those who are here, or from whoever comes back (V1, G7).
   */
  #forgetLostTail(): void {
    const canRepair = this.#keepers.some((keeper) => this.#isHere(keeper) && this.#holders.has(keeper.store))
    if (!this.#goal || canRepair || this.#lossAccepted) return
    for (const keeper of this.#keepers) if (!this.#isHere(keeper)) this.#answers.delete(keeper.store)
    this.#forgetGoal()
    this.#setGoal()
  }

  #forgetGoal(): void {
    this.#holders.clear()
    this.#goal = undefined
  }

  #isRepaired({ length, since }: Goal): boolean {
    // Of a journal that ended before, one whole copy is what this was about.
    const need = this.#known === undefined ? majority(this.#keepers.length) : 1
    if (this.#holders.size >= need) return true
    const waited = this.#env.now - since >= this.#env.settings.stepTimeoutMs
    return this.#lossAccepted && waited && (this.#holders.size > 0 || length === 0) // V4
  }

  #source(): PeerId | undefined {
    const able = this.#keepers.filter((keeper) => this.#holders.has(keeper.store) && this.#isHere(keeper))
    return able[this.#asked % Math.max(1, able.length)]?.peer ?? this.#goal?.source
  }

  /** There is a link to it, or it answered a moment ago, through others. */
  #isHere({ peer, store }: Keeper): boolean {
    const { now, settings } = this.#env
    const heardAt = this.#heardAt.get(store) ?? Number.NEGATIVE_INFINITY
    return this.#env.reaches(peer) || now - heardAt < settings.stepTimeoutMs
  }

  #isKeeper(peer: PeerId, store: StoreId): boolean {
    return this.#keepers.some((keeper) => keeper.store === store && keeper.peer === peer)
  }
}
