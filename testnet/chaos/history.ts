// Every operation of a run, as its clients told it.

import { WorkloadError } from './judge.ts'
import type { OperationEvent, Recorded } from './workload.ts'

export class History {
  readonly #operations = new Map<string, Recorded>()
  readonly #counts = { ok: 0, refused: 0, unknown: 0 }
  /** Ended with an error, by its code. */
  readonly codes = new Map<string, number>()
  /** Rejects as soon as a workload turns out not to work. */
  readonly broken: Promise<never>
  readonly #break: (error: unknown) => void

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => {}) // the run may be over already
    this.broken = promise
    this.#break = reject
  }

  get acknowledged(): number {
    return this.#counts.ok
  }
  get failed(): number {
    return this.#counts.refused + this.#counts.unknown
  }
  get operations(): readonly Recorded[] {
    return [...this.#operations.values()]
  }

  break(error: unknown): void {
    this.#break(error)
  }

  take(peer: number, event: OperationEvent): void {
    if (event.kind === 'broken') {
      this.break(new WorkloadError(event.text))
      return
    }
    if (event.kind === 'begun') {
      const { id, start, operation } = event
      this.#operations.set(id, { ...operation, id, peer, start, outcome: 'unknown' })
      return
    }
    const begun = this.#operations.get(event.id)
    if (begun === undefined) throw new Error(`operation ${event.id} ended, and nobody began it`)
    const { end, outcome, result, code } = event
    this.#counts[outcome]++
    if (code !== undefined) this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
    this.#operations.set(event.id, {
      ...begun,
      end,
      outcome,
      ...(outcome === 'ok' && { result }),
      ...(code !== undefined && { code }),
    })
  }
}
