// Every operation of a run, as its clients told it.

import type { OperationEvent, Recorded } from './workload.ts'

export class History {
  readonly #operations = new Map<string, Recorded>()
  readonly #counts = { ok: 0, refused: 0, unknown: 0 }
  /** Ended with an error, by its code. */
  readonly codes = new Map<string, number>()

  get acknowledged(): number {
    return this.#counts.ok
  }
  get failed(): number {
    return this.#counts.refused + this.#counts.unknown
  }
  get operations(): readonly Recorded[] {
    return [...this.#operations.values()]
  }

  take(peer: number, event: OperationEvent): void {
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
