// Repair: a keeper of a sealed log gets the blocks it lacks from another one, and says so to the head that asked.
//
// K5 blocks below a seal may still be filled in; nothing else is written to a sealed log.

import type { Env } from '../env.ts'
import type { PeerId } from '../ids.ts'
import type { LogMessage } from '../messages.ts'
import type { KeptLog, KeptLogs } from './kept-logs.ts'

export class Repairs {
  readonly #env: Env
  readonly #logs: KeptLogs

  constructor(env: Env, logs: KeptLogs) {
    this.#env = env
    this.#logs = logs
  }

  fill(from: PeerId, message: LogMessage & { kind: 'fill' }): void {
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

  fetched(from: PeerId, message: LogMessage & { kind: 'fetched' }): void {
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
}
