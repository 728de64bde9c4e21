// A keeper's promises about a log: it seals it for a ballot, and accepts a successor of a registry log. The two halves of
// Paxos at an acceptor (PROTOCOL.md section 3).
//
// K2 (R2) promises, seals and acceptances are synced before they are answered.
// K4 a seal's answer never changes: length and hash are stored with it. What repair brought to a journal since is told
//    beside it, once it is on the disk: who keeps the only copy that is left speaks for all of it.
// K9 (R3, R7) no vote on a log that may have been forgotten, acceptance and all. A keeper of a registry log has facts about it
//    before its term is chosen (C3), so it votes on none that it knows nothing of.

import type { Env } from '../env.ts'
import type { LogKey, PeerId } from '../ids.ts'
import type { Ballot, LogFacts, Successor } from '../log-types.ts'
import type { LogMessage } from '../messages.ts'
import type { PointerStore } from '../pointer.ts'
import { compareBallots } from './ballot.ts'
import { type KeptLog, type KeptLogs, whenDrained } from './kept-logs.ts'

export class Promises {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #logs: KeptLogs
  readonly #promised: (log: LogKey, ballot: Ballot) => void

  /** `promised`: somebody got this store's promise. */
  constructor(
    env: Env,
    pointers: PointerStore,
    logs: KeptLogs,
    promised: (log: LogKey, ballot: Ballot) => void,
  ) {
    this.#promised = promised
    this.#env = env
    this.#pointers = pointers
    this.#logs = logs
  }

  seal(from: PeerId, message: LogMessage & { kind: 'seal' }): void {
    const env = this.#env
    if (message.store !== env.store)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const pointer = this.#pointers.current
    const logClass = message.registry ? 'registry' : 'replicated'
    if (message.registry && !this.#logs.get(message.log)) return this.#refuse(from, message, message.order)
    if (this.#logs.isForgotten(message.log, logClass, message.order, pointer))
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const log = this.#logs.open(message.log, logClass, message.order)
    if (
      message.registry &&
      pointer &&
      pointer.key !== message.log &&
      (this.#isBefore(message.log, log, pointer.term) || this.#logs.isOutdated(log, pointer))
    )
      return env.send(from, { kind: 'pointer', pointer })
    if (log.facts.retired === true)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const heardRecently = env.now - log.heardAt < env.settings.stickinessMs
    if (message.force === 'none' && heardRecently && !log.sealing)
      return env.send(from, { kind: 'busy', log: message.log, store: env.store, ballot: message.ballot })
    const promised = log.facts.promised
    if (message.registry && promised && compareBallots(message.ballot, promised) < 0)
      return this.#nack(from, message, promised)
    this.#promise(log, message.ballot, undefined, ({ seal, accepted }) => {
      if (!seal) return
      const answer = (filled?: { length: number; hash: string }) =>
        env.send(from, {
          kind: 'sealed',
          log: message.log,
          store: env.store,
          ballot: message.ballot,
          ...seal,
          ...(filled ? { filled } : {}),
          ...(accepted ? { accepted } : {}),
        })
      if (message.registry || log.length <= seal.length) answer()
      else this.#withFilled(log, answer)
    })
  }

  /** What repair has brought by now, once that is on the disk (K4). */
  #withFilled(log: KeptLog, then: (filled: { length: number; hash: string }) => void): void {
    const { length, facts } = log
    this.#env.sync(() => {
      if (log.facts.retired === true) return
      this.#env.hash(facts.key, length, (hash) => then({ length, hash }))
    })
  }

  accept(from: PeerId, message: LogMessage & { kind: 'accept' }): void {
    const env = this.#env
    if (message.store !== env.store)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const log = this.#logs.get(message.log)
    if (!log) return this.#refuse(from, message, message.successor.term - 1)
    if (log.facts.retired === true || this.#logs.isOutdated(log, this.#pointers.current)) {
      const pointer = this.#pointers.current
      return pointer ? env.send(from, { kind: 'pointer', pointer }) : undefined
    }
    const promised = log.facts.promised
    if (promised && compareBallots(message.ballot, promised) < 0) return this.#nack(from, message, promised)
    this.#promise(log, message.ballot, message.successor, () =>
      env.send(from, { kind: 'accepted', log: message.log, store: env.store, ballot: message.ballot }),
    )
  }

  /** Another ballot was promised, which is higher. */
  #nack(to: PeerId, { log, ballot }: LogMessage & { kind: 'seal' | 'accept' }, promised: Ballot): void {
    this.#env.send(to, { kind: 'nack', log, store: this.#env.store, ballot, promised })
  }

  /** Nothing is known here of a registry log of that term (K9). */
  #refuse(from: PeerId, { log, store }: LogMessage & { kind: 'seal' | 'accept' }, term: number): void {
    const pointer = this.#pointers.current
    if (pointer && pointer.key !== log && term <= pointer.term)
      return this.#env.send(from, { kind: 'pointer', pointer })
    this.#env.send(from, { kind: 'unknown', log, store })
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
    whenDrained(log, () =>
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
        env.persist({ logs: { [before.key]: facts } }, () => {
          // Another term was chosen meanwhile, and the log given up with what is said here of it.
          if (log.facts.retired === true) return
          this.#promised(before.key, ballot)
          then(facts)
        })
      }),
    )
  }

  #withSealLength(log: KeptLog, then: (seal: NonNullable<LogFacts['seal']>) => void): void {
    if (log.facts.seal) return then(log.facts.seal)
    const length = log.length
    const tainted = this.#logs.isTainted(log)
    if (length === 0) return then({ length, hash: '', tainted })
    this.#env.hash(log.facts.key, length, (hash) => then(log.facts.seal ?? { length, hash, tainted }))
  }

  #isBefore(key: LogKey, log: KeptLog, term: number): boolean {
    const pointer = this.#pointers.current
    return pointer?.parent?.key === key || (log.facts.order >= 0 && log.facts.order < term)
  }
}
