// Several systems doing the same work, in turn, round after round: load from elsewhere meets them all, and a ratio is of two
// measurements that follow each other. What a round starts with changes, so that none is always the one behind another.

import type { Bench, CallsRow, Ratio } from './case.ts'
import { type Stalls, worst } from './stalls.ts'
import { type Measured, type Spread, spread } from './statistics.ts'

/** One that is measured. */
export interface Subject {
  readonly name: string
  measure(): Promise<Measured>
  /** Names of the subjects whose times together are the least this one can take. */
  readonly floors?: readonly string[]
  /** Names of other systems that do the same work. */
  readonly besides?: readonly string[]
  /** Processes whose event loops are watched. */
  readonly watched?: readonly { stalls(): Promise<Stalls> }[]
}

export interface Comparison {
  readonly group: string
  readonly by: Ratio['by']
  readonly subjects: readonly Subject[]
  /** What they do again and again, as processes that have been running for a while do it: each is warmed up before it counts. */
  readonly steady?: true
}

export async function compare(
  { group, by, subjects, steady }: Comparison,
  { rounds, warmUpMs, say }: Pick<Bench, 'rounds' | 'warmUpMs' | 'say'>,
): Promise<readonly CallsRow[]> {
  if (steady) for (const subject of subjects) await warmUp(subject, warmUpMs)
  const measurements = new Map<string, Measured[]>(subjects.map(({ name }) => [name, []]))
  const stalls = new Map<string, Stalls>()
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of rotated(subjects, round)) {
      const { name, watched = [] } = subject
      await Promise.all(watched.map((each) => each.stalls()))
      const result = await subject.measure()
      measurements.get(name)?.push(result)
      const seen = await Promise.all(watched.map((each) => each.stalls()))
      if (watched.length > 0)
        stalls.set(name, worst([...seen, ...(stalls.get(name) ? [stalls.get(name)!] : [])]))
      say(`${group}, ${name}, ${round + 1}/${rounds}: ${told(result)}`)
    }
  }
  const of = (name: string): readonly Measured[] => {
    const found = measurements.get(name)
    if (found === undefined)
      throw new Error(`${name} is compared with in "${group}" and is not measured there`)
    return found
  }
  return subjects.map(({ name, floors = [], besides = [] }): CallsRow => {
    const all = of(name)
    const over = (figure: keyof Measured): Spread => spread(all.map((each) => each[figure]))
    const worstStalls = stalls.get(name)
    return {
      kind: 'calls',
      group,
      subject: name,
      p50Ms: over('p50Ms'),
      p99Ms: over('p99Ms'),
      maxMs: over('maxMs'),
      perSecond: over('perSecond'),
      count: all.reduce((sum, { count }) => sum + count, 0),
      ratios: [floors, ...besides.map((each) => [each])]
        .filter((others) => others.length > 0)
        .map((others) => ratioOf(by, all, others, of)),
      ...(worstStalls !== undefined && { stalls: worstStalls }),
    }
  })
}

/** Compilers and caches take some thousand calls until they have done what they can. */
async function warmUp(subject: Subject, forMs: number): Promise<void> {
  const until = performance.now() + forMs
  while (performance.now() < until) await subject.measure()
}

/** Latencies of several floors add up; of rates the lowest is the bound. */
function ratioOf(
  by: Ratio['by'],
  all: readonly Measured[],
  others: readonly string[],
  of: (name: string) => readonly Measured[],
): Ratio {
  const rounds = all.map(({ p50Ms, perSecond }, round) => {
    const beside = others.map((name) => of(name)[round]!)
    return by === 'latency'
      ? p50Ms / beside.reduce((sum, each) => sum + each.p50Ms, 0)
      : perSecond / Math.min(...beside.map((each) => each.perSecond))
  })
  return { to: others.join(' + '), by, ...spread(rounds) }
}

const rotated = <T>(items: readonly T[], by: number): readonly T[] => {
  const at = items.length === 0 ? 0 : by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

const told = ({ p50Ms, p99Ms, perSecond }: Measured): string =>
  `p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms, ${Math.round(perSecond)} per second`
