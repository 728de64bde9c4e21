// What a case is: it starts what it needs, measures, and returns rows. It hands everything that must end to `teardown`.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stalls } from './stalls.ts'
import type { Spread } from './statistics.ts'

/** Of one subject of a comparison, over all rounds. */
export interface CallsRow {
  readonly kind: 'calls'
  readonly group: string
  readonly subject: string
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly maxMs: Spread
  readonly perSecond: Spread
  /** Calls that were measured, all rounds together. */
  readonly count: number
  /** To its floor, if it has one, and to each that it is compared with. */
  readonly ratios: readonly Ratio[]
  /** The worst of all processes that took part and can tell. */
  readonly stalls?: Stalls
}

/** Round by round, this subject's figure divided by that of another. */
export interface Ratio extends Spread {
  readonly to: string
  /** `latency`: medians, less is better. `throughput`: calls per second, more is better. */
  readonly by: 'latency' | 'throughput'
}

/** One number that is not a call's time. */
export interface FigureRow {
  readonly kind: 'figure'
  readonly group: string
  readonly name: string
  readonly unit: string
  readonly value: Spread
  readonly ratio?: { readonly to: string; readonly median: number }
}

/** What a reader of the tables must know: versions, what was left out and why. */
export interface NoteRow {
  readonly kind: 'note'
  readonly text: string
}

export type Row = CallsRow | FigureRow | NoteRow

export interface Case {
  readonly name: string
  readonly about: string
  run(bench: Bench): Promise<readonly Row[]>
}

/** How a case is to be run. */
export interface Bench {
  /** Every subject is measured so often, in turn with the others. */
  readonly rounds: number
  /** One measurement of calls in a loop. */
  readonly forMs: number
  /** What is measured at its steady speed runs for so long before it counts. */
  readonly warmUpMs: number
  /** Tells people what is going on. */
  say(line: string): void
  /** Called when the case is over, the last one first. */
  teardown(end: () => unknown): void
  /** An empty directory that is gone when the case is over. */
  directory(): string
}

/** Runs a case and ends what it started, whether it succeeds or not. */
export async function runCase(
  it: Case,
  options: Pick<Bench, 'rounds' | 'forMs' | 'warmUpMs' | 'say'>,
): Promise<readonly Row[]> {
  const ends: (() => unknown)[] = []
  const bench: Bench = {
    ...options,
    teardown: (end) => void ends.push(end),
    directory: () => {
      const directory = mkdtempSync(join(tmpdir(), 'actor-mesh-bench-'))
      ends.push(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
      return directory
    },
  }
  try {
    return await it.run(bench)
  } finally {
    for (const end of ends.reverse()) await end()
  }
}
