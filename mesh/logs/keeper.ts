// A keeper: one store's promises about the logs it holds copies of (PROTOCOL.md section 3).
//
// K1 (R1) no record of a sealed log is acknowledged: the flag is tested after the write, and a seal drains writes first.
// K2 (R2) promises, seals and acceptances are synced before they are answered.
// K3 (R7) a message for another store, or about a log this store gave up, is answered `unknown`; unknown is never a vote.
// K4 a seal's answer never changes: length and hash are stored with it.
// K5 blocks below a seal may still be filled in (repair); nothing else is written to a sealed log.
// K6 a `replicated` log written before the operating system restarted is appended to no more: what was acknowledged of it
//    may be gone, so its writer is told `unknown` and goes on in a fresh journal.

import type { Env } from '../env.ts'
import type { LogKey, PeerId } from '../ids.ts'
import type { Ballot, LogClass, LogFacts, StoreFacts, Successor } from '../log-types.ts'
import type { LogMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import { compareBallots } from './ballot.ts'

interface KeptLog {
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

export class Keeper {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #systemBoot: string
  readonly #logs = new Map<LogKey, KeptLog>()

  constructor(
    env: Env,
    pointers: PointerStore,
    stored: StoreFacts,
    systemBoot: string,
    lengths: ReadonlyMap<LogKey, number>,
  ) {
    this.#env = env
    this.#pointers = pointers
    this.#systemBoot = systemBoot
    for (const facts of Object.values(stored.logs)) {
      const length = lengths.get(facts.key) ?? 0
      this.#logs.set(facts.key, { ...fresh(facts), stored: true, length, sealing: facts.seal !== undefined })
    }
  }

  handle(from: PeerId, message: LogMessage): void {
    switch (message.kind) {
      case 'app':
        return this.#app(from, message)
      case 'seal':
        return this.#seal(from, message)
      case 'accept':
        return this.#accept(from, message)
      case 'fill':
        return this.#fill(from, message)
      case 'confirm':
        return this.#confirm(from, message)
      case 'fetch':
        return this.#fetch(from, message)
      case 'fetched':
        return this.#fetched(from, message)
    }
  }

  /** Logs held here, for clean-up against the registry. */
  held(): readonly LogFacts[] {
    return [...this.#logs.values()].flatMap(({ facts }) => (facts.retired === true ? [] : [facts]))
  }

  /** Writes down that this store has the log, so that it is cleaned up one day, whoever keeps it. */
  hold(key: LogKey, logClass: LogClass, order: number): void {
    const log = this.#open(key, logClass, order)
    if (log.facts.order === order) return this.#whenStored(log, () => {})
    if (log.facts.retired === true) return
    log.facts = { ...log.facts, order }
    this.#env.persist({ logs: { [key]: log.facts } }, () => {})
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
    if (!this.#logs.delete(key)) return
    this.#env.persist({ logs: { [key]: null } }, () => this.#env.drop(key))
  }

  lengthOf(key: LogKey): number {
    return this.#logs.get(key)?.length ?? 0
  }

  /** The founder's log 0: written before there is a writer that could ask for it. */
  adoptOwn(key: LogKey, logClass: LogClass, order: number, length: number): void {
    const log = this.#open(key, logClass, order)
    log.length = Math.max(log.length, length)
  }

  /** Gives a log up: its blocks go, its name stays, so that it is answered `unknown` for ever (K3). */
  retire(key: LogKey): void {
    const log = this.#logs.get(key)
    if (!log || log.facts.retired === true) return
    log.sealing = true
    const { key: logKey, class: logClass, systemBoot, order } = log.facts
    log.facts = { key: logKey, class: logClass, systemBoot, order, retired: true }
    log.repair = undefined
    this.#env.persist({ logs: { [key]: log.facts } }, () => this.#dropBlocks(log.facts))
  }

  #dropBlocks(facts: LogFacts): void {
    this.#env.drop(facts.key, () => {
      const dropped = { ...facts, dropped: true }
      const log = this.#logs.get(facts.key)
      if (log) log.facts = dropped
      this.#env.persist({ logs: { [facts.key]: dropped } }, () => {})
    })
  }

  #app(from: PeerId, message: LogMessage & { kind: 'app' }): void {
    const env = this.#env
    const answerUnknown = () => env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    if (message.store !== env.store) return answerUnknown()
    const log = this.#open(message.log, message.class, message.order)
    if (log.facts.retired === true) return answerUnknown()
    log.heardAt = env.now
    if (log.sealing) return this.#answerSealed(from, log)
    if (this.#isTainted(log)) return answerUnknown()
    const write = () => {
      if (log.sealing) return this.#answerSealed(from, log)
      if (from === env.self) {
        log.length = Math.max(log.length, message.length)
        return this.#written(from, log)
      }
      if (message.proofs.length === 0) return this.#written(from, log)
      log.writesInFlight++
      env.ingest(message.log, message.proofs, (length) => {
        log.writesInFlight--
        if (length !== null) log.length = Math.max(log.length, length)
        else
          env.event({
            kind: 'warning',
            code: 'BAD_PROOF',
            text: `${from} sent blocks of log ${message.log} that do not verify`,
          })
        this.#written(from, log)
        this.#drain(log)
      })
    }
    const store = () => this.#whenStored(log, write)
    if (!message.pointer) return store()
    this.#pointers.adopt(message.pointer, () => {
      const pointer = this.#pointers.current
      if (pointer) env.send(from, { kind: 'pointer', pointer })
      store()
    })
  }

  /** Acknowledges what is written, after a sync where the class wants one. */
  #written(from: PeerId, log: KeptLog): void {
    if (log.sealing) return this.#answerSealed(from, log)
    if (log.facts.class === 'replicated' || log.synced >= log.length)
      return this.#acknowledge(from, log, log.length)
    const length = log.length
    log.writesInFlight++
    this.#env.sync(() => {
      log.writesInFlight--
      log.synced = Math.max(log.synced, length)
      if (log.sealing) this.#answerSealed(from, log)
      else this.#acknowledge(from, log, length)
      this.#drain(log)
    })
  }

  #acknowledge(to: PeerId, log: KeptLog, length: number): void {
    this.#env.send(to, { kind: 'ack', log: log.facts.key, store: this.#env.store, length })
  }

  #answerSealed(to: PeerId, log: KeptLog): void {
    this.#env.send(to, { kind: 'logSealed', log: log.facts.key, store: this.#env.store })
  }

  #seal(from: PeerId, message: LogMessage & { kind: 'seal' }): void {
    const env = this.#env
    if (message.store !== env.store)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const pointer = this.#pointers.current
    const log = this.#open(message.log, message.registry ? 'registry' : 'replicated', -1)
    if (
      message.registry &&
      pointer &&
      pointer.key !== message.log &&
      this.#isBefore(message.log, log, pointer.term)
    )
      return env.send(from, { kind: 'pointer', pointer })
    if (log.facts.retired === true)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const heardRecently = env.now - log.heardAt < env.settings.stickinessMs
    if (message.force === 'none' && heardRecently && !log.sealing)
      return env.send(from, { kind: 'busy', log: message.log, store: env.store, ballot: message.ballot })
    const promised = log.facts.promised
    if (message.registry && promised && compareBallots(message.ballot, promised) < 0)
      return env.send(from, {
        kind: 'nack',
        log: message.log,
        store: env.store,
        ballot: message.ballot,
        promised,
      })
    this.#promise(log, message.ballot, undefined, ({ seal, accepted }) => {
      if (!seal || log.facts.retired === true) return
      env.send(from, {
        kind: 'sealed',
        log: message.log,
        store: env.store,
        ballot: message.ballot,
        ...seal,
        ...(accepted ? { accepted } : {}),
      })
    })
  }

  #accept(from: PeerId, message: LogMessage & { kind: 'accept' }): void {
    const env = this.#env
    if (message.store !== env.store)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const log = this.#open(message.log, 'registry', -1)
    if (log.facts.retired === true) {
      const pointer = this.#pointers.current
      return pointer ? env.send(from, { kind: 'pointer', pointer }) : undefined
    }
    const promised = log.facts.promised
    if (promised && compareBallots(message.ballot, promised) < 0)
      return env.send(from, {
        kind: 'nack',
        log: message.log,
        store: env.store,
        ballot: message.ballot,
        promised,
      })
    this.#promise(log, message.ballot, message.successor, () =>
      env.send(from, { kind: 'accepted', log: message.log, store: env.store, ballot: message.ballot }),
    )
  }

  /**
   * Sets the flag, drains writes in flight, then writes and syncs seal, promise and acceptance (K1, K2). A ballot that
   * lost against another one meanwhile is left unanswered; its candidate asks again.
   */
  #promise(
    log: KeptLog,
    ballot: Ballot,
    successor: Successor | undefined,
    /** Gets what is on disk by then, not what may be under way after it (K2). */
    then: (stored: LogFacts) => void,
  ): void {
    const env = this.#env
    log.sealing = true
    this.#whenDrained(log, () =>
      this.#withSealLength(log, (seal) => {
        const before = log.facts
        if (before.retired === true) return
        if (before.promised && compareBallots(ballot, before.promised) < 0) return
        const facts: LogFacts = {
          ...before,
          seal: before.seal ?? seal,
          promised: ballot,
          ...(successor ? { accepted: { ballot, successor } } : {}),
        }
        log.facts = facts
        log.stored = true
        env.persist({ logs: { [before.key]: facts } }, () => then(facts))
      }),
    )
  }

  #withSealLength(log: KeptLog, then: (seal: NonNullable<LogFacts['seal']>) => void): void {
    if (log.facts.seal) return then(log.facts.seal)
    const length = log.length
    const tainted = this.#isTainted(log)
    if (length === 0) return then({ length, hash: '', tainted })
    this.#env.hash(log.facts.key, length, (hash) => then(log.facts.seal ?? { length, hash, tainted }))
  }

  #fill(from: PeerId, message: LogMessage & { kind: 'fill' }): void {
    const env = this.#env
    const log = this.#logs.get(message.log)
    if (message.store !== env.store || log?.facts.retired === true)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    if (!log) return
    if (log.length >= message.upTo) {
      const length = log.length
      // Synced whatever the class: a log heard of by its seal first is not known by its class.
      return env.sync(() => env.send(from, { kind: 'held', log: message.log, store: env.store, length }))
    }
    const repair = log.repair ?? {
      upTo: 0,
      source: message.source,
      asked: Number.NEGATIVE_INFINITY,
      waiting: new Set(),
    }
    log.repair = repair
    repair.upTo = Math.max(repair.upTo, message.upTo)
    repair.source = message.source
    repair.waiting.add(from)
    if (env.now - repair.asked >= env.settings.resendMs) this.#askForRepair(log)
  }

  #askForRepair(log: KeptLog): void {
    const repair = log.repair
    if (!repair) return
    repair.asked = this.#env.now
    this.#env.send(repair.source, {
      kind: 'fetch',
      log: log.facts.key,
      from: log.length,
      upTo: repair.upTo,
      id: 0,
    })
  }

  #fetched(from: PeerId, message: LogMessage & { kind: 'fetched' }): void {
    const env = this.#env
    const log = this.#logs.get(message.log)
    const repair = log?.repair
    if (!log || !repair || message.id !== 0 || from !== repair.source || message.proofs.length === 0) return
    env.ingest(message.log, message.proofs, (length) => {
      if (length !== null) log.length = Math.max(log.length, length)
      if (log.repair !== repair || length === null) return
      if (log.length < repair.upTo) return this.#askForRepair(log)
      log.repair = undefined
      for (const to of repair.waiting)
        env.sync(() => env.send(to, { kind: 'held', log: message.log, store: env.store, length: log.length }))
    })
  }

  #fetch(from: PeerId, message: LogMessage & { kind: 'fetch' }): void {
    const log = this.#logs.get(message.log)
    if (!log || log.facts.retired === true || log.length <= message.from) return
    this.#env.prove(message.log, message.from, Math.min(message.upTo, log.length), (proofs) =>
      this.#env.send(from, { kind: 'fetched', log: message.log, from: message.from, id: message.id, proofs }),
    )
  }

  #confirm(from: PeerId, message: LogMessage & { kind: 'confirm' }): void {
    const env = this.#env
    const log = this.#logs.get(message.log)
    if (message.store !== env.store || log?.facts.retired === true)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    // Not heard of yet: the writer's first `app` is still on its way, and the round is asked again.
    if (!log) return
    log.heardAt = env.now
    if (log.sealing) return this.#answerSealed(from, log)
    env.send(from, { kind: 'confirmed', log: message.log, store: env.store, round: message.round })
  }

  #open(key: LogKey, logClass: LogClass, order: number): KeptLog {
    const known = this.#logs.get(key)
    if (known) return known
    const log = fresh({ key, class: logClass, systemBoot: this.#systemBoot, order })
    this.#logs.set(key, log)
    return log
  }

  #whenStored(log: KeptLog, then: () => void): void {
    if (log.stored) return then()
    log.storing.push(then)
    if (log.storing.length > 1) return
    this.#env.persist({ logs: { [log.facts.key]: log.facts } }, () => {
      log.stored = true
      const waiting = log.storing
      log.storing = []
      for (const next of waiting) next()
    })
  }

  #whenDrained(log: KeptLog, then: () => void): void {
    if (log.writesInFlight === 0) then()
    else log.drained.push(then)
  }

  #drain(log: KeptLog): void {
    if (log.writesInFlight > 0 || log.drained.length === 0) return
    const waiting = log.drained
    log.drained = []
    for (const next of waiting) next()
  }

  #isTainted({ facts }: KeptLog): boolean {
    return facts.class === 'replicated' && facts.systemBoot !== this.#systemBoot
  }

  #isBefore(key: LogKey, log: KeptLog, term: number): boolean {
    const pointer = this.#pointers.current
    return pointer?.parent?.key === key || (log.facts.order >= 0 && log.facts.order < term)
  }
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
