// A keeper: one store's copies of logs, and what it answers about them (PROTOCOL.md section 3). What it promises is in
// promises.ts, how it gets what it lacks in repairs.ts, what it has in kept-logs.ts.
//
// K1 (R1) no record of a sealed log is acknowledged: the flag is tested after the write, and a seal drains writes first.
// K2 (R2) promises, seals and acceptances are synced before they are answered.
// K3 (R7) a message for another store, or about a log this store gave up, is answered `unknown`; unknown is never a vote.
// K4 a seal's answer never changes: length and hash are stored with it. What repair brought since is told beside it.
// K5 blocks below a seal may still be filled in (repair); nothing else is written to a sealed log.
// K6 a `replicated` log written before the operating system restarted is appended to no more: what was acknowledged of it
//    may be gone, so its writer is told `unknown` and goes on in a fresh journal.
// K7 a registry log of a generation before this store's is neither acknowledged, confirmed nor voted on: its writer and
//    its candidates are told the pointer.
// K8 (R7) about journals a process answers only once the registry admitted it: an older state of the disk that was put back
//    is found out there, and until then would vote as the store it was. Registry logs can't wait for that.
// K9 (R7) a log that may have been given up and forgotten is not begun anew: see kept-logs.ts.

import type { Env } from '../env.ts'
import type { LogKey, PeerId } from '../ids.ts'
import type { Ballot } from '../log-types.ts'
import type { LogMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import { drain, type KeptLog, type KeptLogs } from './kept-logs.ts'
import { Promises } from './promises.ts'
import { Repairs } from './repairs.ts'

/**
 * Messages kept until this process is admitted, without the blocks in them: some hundred KB. What is beyond them, and the
 * blocks, is sent again by who wants an answer.
 */
const MAX_EARLY = 1024

export class Keeper {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #logs: KeptLogs
  readonly #promises: Promises
  readonly #repairs: Repairs
  /** What came before this process was admitted (K8). */
  #early: (() => void)[] | undefined = []

  constructor(
    env: Env,
    pointers: PointerStore,
    logs: KeptLogs,
    promised: (log: LogKey, ballot: Ballot) => void,
  ) {
    this.#env = env
    this.#pointers = pointers
    this.#logs = logs
    this.#promises = new Promises(env, pointers, logs, promised)
    this.#repairs = new Repairs(env, logs)
  }

  /** The registry knows this process, and so this disk. */
  admitted(): void {
    const early = this.#early
    this.#early = undefined
    for (const handle of early ?? []) handle()
  }

  handle(from: PeerId, message: LogMessage): void {
    if (this.#early && this.#isVoteOnJournal(message)) {
      const kept = message.kind === 'app' ? { ...message, proofs: [] } : message
      if (this.#early.length < MAX_EARLY) this.#early.push(() => this.handle(from, kept))
      return
    }
    switch (message.kind) {
      case 'app':
        return this.#app(from, message)
      case 'seal':
        return this.#promises.seal(from, message)
      case 'accept':
        return this.#promises.accept(from, message)
      case 'fill':
        return this.#repairs.fill(from, message)
      case 'confirm':
        return this.#confirm(from, message)
      case 'fetch':
        return this.#fetch(from, message)
      case 'fetched':
        return this.#repairs.fetched(from, message)
    }
  }

  #isVoteOnJournal(message: LogMessage): boolean {
    switch (message.kind) {
      case 'app':
        return message.class !== 'registry'
      case 'seal':
        return !message.registry
      case 'fill':
      case 'confirm':
        return this.#logs.get(message.log)?.facts.class !== 'registry'
      default:
        return false
    }
  }

  #app(from: PeerId, message: LogMessage & { kind: 'app' }): void {
    const env = this.#env
    const answerUnknown = () => env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    if (message.store !== env.store) return answerUnknown()
    const pointer = this.#pointers.current
    if (this.#logs.isForgotten(message.log, message.class, message.order, pointer))
      return message.class === 'registry' ? this.#answerPointer(from) : answerUnknown()
    const log = this.#logs.open(message.log, message.class, message.order)
    if (log.facts.retired === true) return answerUnknown()
    if (this.#logs.isOutdated(log, pointer)) return this.#answerPointer(from) // K7
    log.heardAt = env.now
    if (log.sealing) return this.#answerSealed(from, log)
    if (this.#logs.isTainted(log)) return answerUnknown()
    const sync = message.sync === true
    const write = () => {
      if (log.sealing) return this.#answerSealed(from, log)
      if (from === env.self) {
        log.length = Math.max(log.length, message.length)
        return this.#written(from, log, sync)
      }
      if (message.proofs.length === 0) return this.#written(from, log, sync)
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
        this.#written(from, log, sync)
        drain(log)
      })
    }
    const store = () => this.#logs.whenStored(log, write)
    if (!message.pointer) return store()
    this.#pointers.adopt(message.pointer, () => {
      const pointer = this.#pointers.current
      if (pointer) env.send(from, { kind: 'pointer', pointer })
      store()
    })
  }

  /** Acknowledges what is written, after a sync where the class, or the writer this time, wants one. */
  #written(from: PeerId, log: KeptLog, sync: boolean): void {
    if (log.sealing) return this.#answerSealed(from, log)
    if ((log.facts.class === 'replicated' && !sync) || log.synced >= log.length)
      return this.#acknowledge(from, log, log.length)
    const length = log.length
    log.writesInFlight++
    this.#env.sync(() => {
      log.writesInFlight--
      log.synced = Math.max(log.synced, length)
      if (log.sealing) this.#answerSealed(from, log)
      else this.#acknowledge(from, log, length)
      drain(log)
    })
  }

  #acknowledge(to: PeerId, log: KeptLog, length: number): void {
    const synced = Math.min(log.synced, length)
    this.#env.send(to, { kind: 'ack', log: log.facts.key, store: this.#env.store, length, synced })
  }

  #answerSealed(to: PeerId, log: KeptLog): void {
    this.#env.send(to, { kind: 'logSealed', log: log.facts.key, store: this.#env.store })
  }

  #answerPointer(to: PeerId): void {
    const pointer = this.#pointers.current
    if (pointer) this.#env.send(to, { kind: 'pointer', pointer })
  }

  #confirm(from: PeerId, message: LogMessage & { kind: 'confirm' }): void {
    const env = this.#env
    const log = this.#logs.get(message.log)
    if (message.store !== env.store || log?.facts.retired === true)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    // Not heard of yet: the writer's first `app` is still on its way, and the round is asked again.
    if (!log) return
    if (this.#logs.isOutdated(log, this.#pointers.current)) return this.#answerPointer(from) // K7
    log.heardAt = env.now
    if (log.sealing) return this.#answerSealed(from, log)
    env.send(from, { kind: 'confirmed', log: message.log, store: env.store, round: message.round })
  }

  #fetch(from: PeerId, message: LogMessage & { kind: 'fetch' }): void {
    const log = this.#logs.get(message.log)
    if (!log || log.facts.retired === true || log.length <= message.from) return
    this.#env.prove(message.log, message.from, Math.min(message.upTo, log.length), (proofs) =>
      this.#env.send(from, { kind: 'fetched', log: message.log, from: message.from, id: message.id, proofs }),
    )
  }
}
