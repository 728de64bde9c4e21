// Recovery of one lost boot by the head (PROTOCOL.md section 6): seal each of its open journals at a majority of the
// keepers, have a majority hold everything up to the longest sealed length, then say so in one registry command. What it
// takes for one journal, and V1–V4, are in journal-recovery.ts.

import type { Env } from './env.ts'
import type { BootId, LogKey, PeerId } from './ids.ts'
import { JournalRecovery } from './journal-recovery.ts'
import type { Force, LogMessage } from './messages.ts'
import type { JournalEnd, JournalEntry } from './registry/types.ts'

export interface RecoveredJournals {
  readonly journals: Readonly<Record<LogKey, JournalEnd>>
  /** For the report: what people should know about how it was recovered. */
  readonly notes: readonly string[]
}

/** What people are told of a recovery under way. */
export interface WaitingRecovery {
  /** In words; empty when nothing is waited for. */
  readonly waitingFor: string
  /** Keepers are missing, and have been for a while: only they, or accepting the loss, help. */
  readonly lacksKeepers: boolean
}

export class Recovery implements WaitingRecovery {
  readonly boot: BootId
  readonly #env: Env
  readonly #term: number
  readonly #journals: Map<LogKey, JournalRecovery>
  readonly lossAccepted: boolean
  #force: Force
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(
    env: Env,
    init: {
      boot: BootId
      term: number
      journals: readonly JournalEntry[]
      force: Force
      lossAccepted: boolean
      waitingSince: number
    },
  ) {
    this.#env = env
    this.boot = init.boot
    this.lossAccepted = init.lossAccepted
    this.#term = init.term
    this.#force = init.force
    this.#journals = new Map(
      init.journals.map((journal) => [
        journal.key,
        new JournalRecovery(env, journal, init.lossAccepted, init.waitingSince),
      ]),
    )
    this.#ask()
  }

  /** Whether this is the recovery of exactly these journals. */
  isOf(journals: readonly JournalEntry[], lossAccepted: boolean): boolean {
    return (
      this.lossAccepted === lossAccepted &&
      this.#journals.size === journals.length &&
      journals.every(({ key }) => this.#journals.has(key))
    )
  }

  /** More is known about the boot's death than when this began. */
  force(force: Force): void {
    if (this.#force === 'none') this.#force = force
  }

  /** The result once every journal is sealed and repaired. */
  get result(): RecoveredJournals | undefined {
    const journals: Record<LogKey, JournalEnd> = {}
    for (const [key, { end }] of this.#journals) {
      if (!end) return undefined
      journals[key] = end
    }
    return { journals, notes: [...this.#journals.values()].flatMap(({ note }) => note || []) }
  }

  /** In words: what this recovery still waits for. */
  get waitingFor(): string {
    return [...this.#journals.values()].flatMap(({ waitingFor }) => waitingFor || []).join('; ')
  }

  /** Keepers are missing, and have been for a while. */
  get lacksKeepers(): boolean {
    return [...this.#journals.values()].some(({ lacksKeepers }) => lacksKeepers)
  }

  handle(from: PeerId, message: LogMessage): void {
    const journal = this.#journals.get(message.log)
    if (!journal) return
    if (message.kind === 'held') journal.held(from, message)
    else if (message.kind === 'sealed' && journal.sealed(from, message)) this.#ask()
  }

  tick(): void {
    for (const journal of this.#journals.values()) journal.tick()
    if (this.#env.now - this.#askedAt >= this.#env.settings.resendMs) this.#ask()
  }

  reconnected(): void {
    this.#ask()
  }

  #ask(): void {
    this.#askedAt = this.#env.now
    for (const journal of this.#journals.values()) journal.ask(this.#term, this.#force)
  }
}
