// From single times to figures: what one measurement says, and what several of the same thing say together.

/** One measurement: many calls of one kind, in milliseconds. */
export interface Measured {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Calls that ended per second of it. */
  readonly perSecond: number
  readonly count: number
}

/** One figure over several rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The smallest value that at least `share` of the values do not exceed; NaN of none. */
export function quantile(ascending: readonly number[], share: number): number {
  const index = Math.ceil(share * ascending.length) - 1
  return ascending[Math.max(0, Math.min(ascending.length - 1, index))] ?? Number.NaN
}

/** `times`: milliseconds of each call; `elapsedMs`: of all of them together. */
export function measured(times: readonly number[], elapsedMs: number): Measured {
  const ascending = Float64Array.from(times).sort() as unknown as readonly number[]
  return {
    p50Ms: quantile(ascending, 0.5),
    p99Ms: quantile(ascending, 0.99),
    maxMs: quantile(ascending, 1),
    perSecond: elapsedMs > 0 ? (times.length / elapsedMs) * 1000 : 0,
    count: times.length,
  }
}

export function spread(values: readonly number[]): Spread {
  const ascending = [...values].sort((a, b) => a - b)
  return { median: quantile(ascending, 0.5), min: quantile(ascending, 0), max: quantile(ascending, 1) }
}
