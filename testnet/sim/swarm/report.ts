// What many seeds came to: a block for each that failed, and at the end what was run and which faults it met.

import type { Outcome, SeedResult } from './run-seed.ts'

/** By weight: the outcome of a whole run is the worst of its seeds. */
const BY_WEIGHT: readonly Outcome[] = ['ok', 'liveness', 'crash', 'safety']
/** The rest of a seed's problems mostly follows from the first ones. */
const PROBLEMS_TOLD = 5

export class Report {
  readonly #startedAt = performance.now()
  readonly #faults = new Map<string, number>()
  readonly #failed: SeedResult[] = []
  #seeds = 0
  #steps = 0
  #virtualMs = 0
  #acknowledged = 0
  #outcome: Outcome = 'ok'

  /** The text to print for this seed; empty when all is well. */
  add(result: SeedResult): string {
    this.#seeds++
    this.#steps += result.steps
    this.#virtualMs += result.virtualMs
    this.#acknowledged += result.acknowledged
    for (const [kind, count] of Object.entries(result.faults))
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count)
    if (result.outcome === 'ok') return ''
    this.#failed.push(result)
    if (BY_WEIGHT.indexOf(result.outcome) > BY_WEIGHT.indexOf(this.#outcome)) this.#outcome = result.outcome
    const { seed, outcome, virtualMs, problems } = result
    const told = problems.slice(0, PROBLEMS_TOLD)
    const more = problems.length > told.length ? [`… and ${problems.length - told.length} more`] : []
    return [
      `FAILED seed ${seed}: ${outcome}, at ${(virtualMs / 1000).toFixed(1)} s of virtual time`,
      ...[...told, ...more].map((problem) => problem.replaceAll(/^/gm, '    ')),
      `    again: npm run sim -- --seed ${seed} --trace`,
    ].join('\n')
  }

  /** Kinds of fault that were injected at all. */
  get kinds(): number {
    return this.#faults.size
  }
  get acknowledged(): number {
    return this.#acknowledged
  }
  get outcome(): Outcome {
    return this.#outcome
  }

  progress(of: number): string {
    const rate = this.#seeds / this.#seconds()
    const minutes = Math.ceil((of - this.#seeds) / rate / 60)
    return `${this.#seeds} of ${of} seeds, ${this.#failed.length} failed, ${rate.toFixed(1)} per second, about ${minutes} min more`
  }

  summary(): string {
    const seconds = this.#seconds()
    const width = Math.max(0, ...[...this.#faults.keys()].map((kind) => kind.length))
    const faults = this.#sorted().map(([kind, count]) => `  ${kind.padEnd(width)}  ${count}`)
    return [
      `${this.#seeds} seeds, ${this.#failed.length} failed${this.#failedSeeds()}`,
      `${(this.#virtualMs / 3_600_000).toFixed(2)} virtual hours in ${seconds.toFixed(0)} s, ${this.#acknowledged} calls acknowledged`,
      `${(this.#seeds / seconds).toFixed(1)} seeds and ${Math.round(this.#steps / seconds)} simulated events per second`,
      'faults injected:',
      ...faults,
    ].join('\n')
  }

  toJson(first: number, last: number): unknown {
    const seconds = this.#seconds()
    return {
      first,
      last,
      outcome: this.#outcome,
      seeds: this.#seeds,
      virtualHours: this.#virtualMs / 3_600_000,
      seconds,
      steps: this.#steps,
      seedsPerSecond: this.#seeds / seconds,
      eventsPerSecond: this.#steps / seconds,
      acknowledged: this.#acknowledged,
      faults: Object.fromEntries(this.#sorted()),
      failed: this.#failed,
    }
  }

  #seconds(): number {
    return (performance.now() - this.#startedAt) / 1000
  }

  #failedSeeds(): string {
    return this.#failed.length === 0 ? '' : `: ${this.#failed.map(({ seed }) => seed).join(' ')}`
  }

  #sorted(): [string, number][] {
    return [...this.#faults].sort(([a], [b]) => (a < b ? -1 : 1))
  }
}
