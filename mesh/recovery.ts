// Recovery of one lost boot by the head (PROTOCOL.md section 6): seal each of its open journals at a majority of the
// keepers, have a majority hold everything up to the longest sealed length, then say so in one registry command.
//
// V1 (R4, I7) the committed length is held by a majority before it is committed, and is at least all acknowledged.
// V2 (R7) only `sealed` answers of the listed stores count; `unknown` never does.
// V3 a tainted length (written before the operating system restarted, not synced) counts only when every keeper answered,
//    and is reported as possible loss.

import type { Env } from './env.ts'
import type { BootId, LogKey, PeerId, StoreId } from './ids.ts'
import type { Keeper } from './log-types.ts'
import type { Force, LogMessage } from './messages.ts'
import { majority } from './quorum.ts'
import type { JournalEntry } from './registry/types.ts'

type Sealed = LogMessage & { kind: 'sealed' }

interface JournalRecovery {
  readonly key: LogKey
  readonly keepers: readonly Keeper[]
  readonly answers: Map<StoreId, Sealed>
  /** Set once a majority sealed: the length to repair to. */
  goal:
    | { readonly length: number; readonly hash: string; readonly source: PeerId; readonly tainted: boolean }
    | undefined
  readonly holders: Set<StoreId>
  /** Counts requests, so that each asks another holder: one may have died since, or not be reached from there. */
  asked: number
}

export interface RecoveredJournals {
  readonly journals: Readonly<Record<LogKey, { readonly length: number; readonly hash: string }>>
  /** For the report: what people should know about how it was recovered. */
  readonly notes: readonly string[]
}

export class Recovery {
  readonly boot: BootId
  readonly #env: Env
  readonly #term: number
  readonly #journals: Map<LogKey, JournalRecovery>
  #force: Force
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(env: Env, boot: BootId, term: number, journals: readonly JournalEntry[], force: Force) {
    this.#env = env
    this.boot = boot
    this.#term = term
    this.#force = force
    this.#journals = new Map(
      journals.map(({ key, keepers }) => [
        key,
        { key, keepers, answers: new Map(), goal: undefined, holders: new Set(), asked: 0 },
      ]),
    )
    this.#ask()
  }

  get journalKeys(): ReadonlySet<LogKey> {
    return new Set(this.#journals.keys())
  }

  /** More is known about the boot's death than when this began. */
  force(force: Force): void {
    if (this.#force === 'none') this.#force = force
  }

  /** The result once every journal is sealed and repaired. */
  get result(): RecoveredJournals | undefined {
    const journals: Record<LogKey, { length: number; hash: string }> = {}
    const notes: string[] = []
    for (const { key, goal, holders, keepers } of this.#journals.values()) {
      if (!goal || holders.size < majority(keepers.length)) return undefined
      journals[key] = { length: goal.length, hash: goal.hash }
      if (goal.tainted)
        notes.push(
          `journal ${key} was not synced before the power went: possible loss beyond record ${goal.length}`,
        )
    }
    return { journals, notes }
  }

  /** In words: what this recovery still waits for. */
  get waitingFor(): string {
    const parts = []
    for (const { keepers, answers, holders, goal } of this.#journals.values()) {
      const need = majority(keepers.length)
      const silent = keepers.filter(({ store }) => !answers.has(store)).map(({ peer }) => peer)
      if (!goal)
        parts.push(
          `${need} of ${keepers.length} keepers of its journal must answer, missing: ${silent.join(', ')}`,
        )
      else if (holders.size < need)
        parts.push(`repairing its journal, ${holders.size} of ${need} copies complete`)
    }
    return parts.join('; ')
  }

  handle(from: PeerId, message: LogMessage): void {
    const journal = this.#journals.get(message.log)
    if (!journal) return
    if (message.kind === 'sealed') this.#sealed(from, journal, message)
    else if (message.kind === 'held') this.#held(from, journal, message)
  }

  tick(): void {
    if (this.#env.now - this.#askedAt >= this.#env.settings.resendMs) this.#ask()
  }

  reconnected(): void {
    this.#ask()
  }

  #ask(): void {
    this.#askedAt = this.#env.now
    for (const journal of this.#journals.values()) {
      journal.asked++
      const { key: log, keepers, goal, answers, holders } = journal
      const enough = goal !== undefined && holders.size >= majority(keepers.length)
      if (enough) continue
      const source = this.#source(journal)
      for (const { peer, store } of keepers) {
        if (!answers.has(store))
          this.#env.send(peer, {
            kind: 'seal',
            log,
            store,
            ballot: { n: this.#term, boot: this.#env.boot },
            registry: false,
            force: this.#force,
          })
        if (goal && source && !holders.has(store) && answers.has(store))
          this.#env.send(peer, {
            kind: 'fill',
            log,
            store,
            upTo: goal.length,
            hash: goal.hash,
            source,
          })
      }
    }
  }

  #source({ keepers, holders, goal, asked }: JournalRecovery): PeerId | undefined {
    const able = keepers.filter(({ peer, store }) => holders.has(store) && this.#env.reaches(peer))
    return able[asked % Math.max(1, able.length)]?.peer ?? goal?.source
  }

  #sealed(from: PeerId, journal: JournalRecovery, message: Sealed): void {
    const keeper = journal.keepers.find(({ store, peer }) => store === message.store && peer === from)
    if (!keeper) return
    journal.answers.set(message.store, message)
    if (!journal.goal) this.#setGoal(journal)
    const { goal } = journal
    if (!goal) return
    if (message.length >= goal.length) journal.holders.add(message.store)
    this.#ask()
  }

  #setGoal(journal: JournalRecovery): void {
    const answers = [...journal.answers.values()]
    const sound = answers.filter((answer) => !answer.tainted)
    const all = answers.length === journal.keepers.length
    if (sound.length < majority(journal.keepers.length) && !all) return
    const best = answers.reduce((longest, answer) => (answer.length > longest.length ? answer : longest))
    const source = journal.keepers.find(({ store }) => store === best.store)!.peer
    const tainted = sound.length < majority(journal.keepers.length)
    journal.goal = { length: best.length, hash: best.hash, source, tainted }
    for (const answer of answers) if (answer.length >= best.length) journal.holders.add(answer.store)
  }

  #held(from: PeerId, journal: JournalRecovery, message: LogMessage & { kind: 'held' }): void {
    if (!journal.goal || message.length < journal.goal.length) return
    if (journal.keepers.some(({ store, peer }) => store === message.store && peer === from))
      journal.holders.add(message.store)
  }
}
