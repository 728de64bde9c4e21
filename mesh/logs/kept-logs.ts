// The logs this store has, each from the moment it is first heard of to the moment nothing of it is left: what is on disk
// about it, and what is under way. Who may do what to a log is for keeper.ts, promises.ts and repairs.ts to say.
//
// K9 (R7) the name of a retired log is forgotten only when its number tells for ever what the name told. Of a registry log the
//    pointer is ahead. Below the floor for journals, which is on disk before, there are facts about every journal that the
//    registry still has and this store keeps; whatever else has a lower order is retired.

import type { Env } from '../env.ts'
import { generationOf } from '../generation.ts'
import type { LogKey, PeerId } from '../ids.ts'
import type { LogClass, LogFacts, Pointer, StoreFacts } from '../log-types.ts'

export interface KeptLog {
  facts: LogFacts
  /** True once `facts` are on disk, so that a log is never held without its class. */
  stored: boolean
  storing: (() => void)[]
  /** Contiguous blocks written here. */
  length: number
  /** Contiguous blocks known to be synced. */
  synced: number
  /** The seal flag in memory: set before the seal is on disk, and for ever. */
  sealing: boolean
  writesInFlight: number
  drained: (() => void)[]
  heardAt: number
  /** A repair in progress: where to and who waits for the answer. */
  repair: { upTo: number; source: PeerId; asked: number; waiting: Set<PeerId> } | undefined
}

export class KeptLogs {
  readonly #env: Env
  readonly #systemBoot: string
  readonly #logs = new Map<LogKey, KeptLog>()
  #journalFloor: number

  constructor(env: Env, stored: StoreFacts, systemBoot: string, lengths: ReadonlyMap<LogKey, number>) {
    this.#env = env
    this.#systemBoot = systemBoot
    this.#journalFloor = stored.journalFloor ?? 0
    for (const facts of Object.values(stored.logs)) {
      const length = lengths.get(facts.key) ?? 0
      this.#logs.set(facts.key, { ...fresh(facts), stored: true, length, sealing: facts.seal !== undefined })
    }
  }

  get(key: LogKey): KeptLog | undefined {
    return this.#logs.get(key)
  }

  /** The log, known from now on if it was not. */
  open(key: LogKey, logClass: LogClass, order: number): KeptLog {
    const known = this.#logs.get(key)
    if (known) return known
    const log = fresh({ key, class: logClass, systemBoot: this.#systemBoot, order })
    this.#logs.set(key, log)
    return log
  }

  /** Logs held here, for clean-up against the registry. */
  held(): readonly KeptLog[] {
    return [...this.#logs.values()].filter(({ facts }) => facts.retired !== true)
  }

  /** Nothing is known of a log that this store may have had, given up, and forgotten (K9). */
  isForgotten(key: LogKey, logClass: LogClass, order: number, pointer: Pointer | undefined): boolean {
    if (this.#logs.has(key)) return false
    return logClass === 'registry'
      ? pointer !== undefined && order < pointer.term
      : order < this.#journalFloor
  }

  /** Written before this start of the operating system, and not synced since: its length may be too long. */
  isTainted({ facts }: KeptLog): boolean {
    return facts.class === 'replicated' && facts.systemBoot !== this.#systemBoot
  }

  /** A registry log from before a rescue that this store follows (K7). */
  isOutdated({ facts }: KeptLog, pointer: Pointer | undefined): boolean {
    const { class: logClass, order } = facts
    if (logClass !== 'registry' || order < 0 || !pointer) return false
    return generationOf(order) < generationOf(pointer.term)
  }

  /**
   * Writes down that this store has the log, so that it is cleaned up one day, whoever keeps it. Blocks that go into it
   * before `then` nobody would know of after a crash. Order -1: nothing is known of it yet, or nothing new.
   */
  hold(key: LogKey, logClass: LogClass, order: number, then: () => void = () => {}): void {
    const log = this.open(key, logClass, order)
    if (order >= 0 && log.facts.order !== order && log.facts.retired !== true) {
      log.facts = { ...log.facts, order }
      log.stored = false
    }
    this.whenStored(log, then)
  }

  /** Runs `then` once the log's class and order are on disk: what is acknowledged before, `tidy` would drop. */
  whenStored(log: KeptLog, then: () => void): void {
    if (log.stored) return then()
    log.storing.push(then)
    if (log.storing.length === 1) this.#store(log)
  }

  #store(log: KeptLog): void {
    const { facts } = log
    this.#env.persist({ logs: { [facts.key]: facts } }, () => {
      if (log.facts.order !== facts.order) return this.#store(log)
      log.stored = true
      const waiting = log.storing
      log.storing = []
      for (const next of waiting) next()
    })
  }

  /** The founder's log 0: written before there is a writer that could ask for it. */
  wrote(key: LogKey, length: number): void {
    const log = this.#logs.get(key)
    if (log) log.length = Math.max(log.length, length)
  }

  /** Ends what a stop interrupted: blocks of retired logs, and logs that nothing was ever appended to. */
  tidy(): void {
    for (const { facts } of this.#logs.values()) {
      if (facts.retired === true && facts.dropped !== true) this.#dropBlocks(facts)
      else if (facts.order < 0 && !facts.promised) this.forgo(facts.key)
    }
  }

  /** Forgets a log that was made here and never used. */
  forgo(key: LogKey): void {
    const log = this.#logs.get(key)
    // A seal that was asked for meanwhile is a promise (K2), and of what has an order the registry knows (K9): they go the
    // way of all others.
    if (!log || log.sealing || log.facts.order >= 0) return
    this.#logs.delete(key)
    // Blocks first: of what is in no fact nobody would know after a crash.
    this.#env.drop(key, () => {
      if (!this.#logs.has(key)) this.#env.persist({ logs: { [key]: null } }, () => {})
    })
  }

  /** Gives a log up: its blocks go, its name stays for a while, so that it is answered `unknown` (K3, K9). */
  retire(key: LogKey): void {
    const log = this.#logs.get(key)
    if (!log || log.facts.retired === true) return
    log.sealing = true
    const { key: logKey, class: logClass, systemBoot, order } = log.facts
    log.facts = { key: logKey, class: logClass, systemBoot, order, retired: true }
    log.repair = undefined
    this.#env.persist({ logs: { [key]: log.facts } }, () => this.#dropBlocks(log.facts))
  }

  /**
   * Forgets the names of logs that are gone from this disk, a number of them at once. `floor` is the order of the next
   * journal in a committed registry, `kept` what this store keeps of those that the registry has (K9). A store that has just
   * started may have a registry here that is behind its own disk.
   */
  forgetRetired(floor: number, kept: () => readonly Pick<LogFacts, 'key' | 'class' | 'order'>[]): void {
    const before = this.#journalFloor
    const after = Math.max(before, floor)
    const gone = [...this.#logs.values()].filter(
      ({ facts: { class: logClass, order, dropped } }) =>
        dropped === true && (logClass === 'registry' || (order >= 0 && order < after)),
    )
    if (gone.length < this.#env.settings.retiredNames) return
    const logs: Record<LogKey, LogFacts | null> = {}
    for (const { key, class: logClass, order } of kept()) {
      if (order < before) continue
      this.hold(key, logClass, order)
      // Of one that is just being written down for the first time, the order would come to the disk after the floor.
      const log = this.open(key, logClass, order)
      if (!log.stored) logs[key] = log.facts
    }
    for (const { facts } of gone) {
      this.#logs.delete(facts.key)
      logs[facts.key] = null
    }
    this.#journalFloor = after
    this.#env.persist({ journalFloor: after, logs }, () => {})
  }

  #dropBlocks(facts: LogFacts): void {
    this.#env.drop(facts.key, () => {
      const dropped = { ...facts, dropped: true }
      const log = this.#logs.get(facts.key)
      if (log) log.facts = dropped
      this.#env.persist({ logs: { [facts.key]: dropped } }, () => {})
    })
  }
}

/** Runs `then` once no write to the log is under way. */
export function whenDrained(log: KeptLog, then: () => void): void {
  if (log.writesInFlight === 0) then()
  else log.drained.push(then)
}

/** A write ended: tells those who wait for the last one. */
export function drain(log: KeptLog): void {
  if (log.writesInFlight > 0 || log.drained.length === 0) return
  const waiting = log.drained
  log.drained = []
  for (const next of waiting) next()
}

function fresh(facts: LogFacts): KeptLog {
  return {
    facts,
    stored: false,
    storing: [],
    length: 0,
    synced: 0,
    sealing: false,
    writesInFlight: 0,
    drained: [],
    heardAt: Number.NEGATIVE_INFINITY,
    repair: undefined,
  }
}
