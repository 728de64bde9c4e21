// The schedule of a run: which fault begins when, for how long, and what decides whom it hits. All of it from the seed, so
// that the same seed attacks in the same way; what the mesh makes of it is up to the machine.

import { seededRandom } from '../sim/random.ts'

/** Faults that take no privilege; each is in faults.ts. What a seed draws depends on this list and its order. */
export const FAULT_KINDS = [
  'kill',
  'kill-head',
  'kill-host-and-head',
  'kill-all',
  'freeze',
  'stop',
  'leave',
  'wipe',
  'disk-full',
  'slow-disk',
  'partition',
  'one-way',
  'isolate-host',
  'delay',
  'throttle',
  'reset',
] as const
/** The same, and what takes a network namespace of the run's own. */
export const NETNS_FAULT_KINDS = [...FAULT_KINDS, 'packet-loss'] as const
export type FaultKind = (typeof NETNS_FAULT_KINDS)[number]

/** How often each is drawn beside the others, and for how long it lasts, in milliseconds. */
const SHAPES: Readonly<Record<FaultKind, { weight: number; shortest: number; longest: number }>> = {
  kill: { weight: 4, shortest: 200, longest: 8000 },
  'kill-head': { weight: 2, shortest: 200, longest: 8000 },
  'kill-host-and-head': { weight: 1, shortest: 1000, longest: 8000 },
  'kill-all': { weight: 0.3, shortest: 100, longest: 500 },
  freeze: { weight: 3, shortest: 300, longest: 12_000 },
  stop: { weight: 1, shortest: 200, longest: 6000 },
  leave: { weight: 1, shortest: 200, longest: 6000 },
  wipe: { weight: 0.7, shortest: 500, longest: 4000 },
  'disk-full': { weight: 1, shortest: 500, longest: 6000 },
  'slow-disk': { weight: 1, shortest: 1000, longest: 10_000 },
  partition: { weight: 2, shortest: 500, longest: 12_000 },
  'one-way': { weight: 1.5, shortest: 500, longest: 12_000 },
  'isolate-host': { weight: 1, shortest: 500, longest: 12_000 },
  delay: { weight: 1, shortest: 1000, longest: 8000 },
  throttle: { weight: 0.7, shortest: 1000, longest: 8000 },
  reset: { weight: 1, shortest: 200, longest: 2000 },
  'packet-loss': { weight: 2, shortest: 1000, longest: 12_000 },
}

export interface PlannedFault {
  readonly kind: FaultKind
  /** Milliseconds from the beginning of the attack. */
  readonly at: number
  readonly lastsMs: number
  /** Uniform in [0, 1): whom it hits, and how hard. */
  readonly draws: readonly number[]
}

export interface PlanOptions {
  readonly seed: number
  readonly lastsMs: number
  readonly kinds: readonly FaultKind[]
  /** Between the beginnings of two faults, on average. */
  readonly gapMs: number
}

const DRAWS = 8

export function planOf({ seed, lastsMs, kinds, gapMs }: PlanOptions): readonly PlannedFault[] {
  const random = seededRandom(seed)
  random() // the first of neighbouring seeds are alike
  const faults: PlannedFault[] = []
  for (let at = gapMs * random(); at < lastsMs; at += gapMs * 2 * random()) {
    const kind = drawn(kinds, random())
    const { shortest, longest } = SHAPES[kind]
    // Short ones are as interesting as long ones, so the logarithm is drawn.
    const lasts = shortest * (longest / shortest) ** random()
    faults.push({
      kind,
      at: Math.round(at),
      lastsMs: Math.round(lasts),
      draws: Array.from({ length: DRAWS }, random),
    })
  }
  return faults
}

function drawn(kinds: readonly FaultKind[], draw: number): FaultKind {
  let left = draw * kinds.reduce((sum, kind) => sum + SHAPES[kind].weight, 0)
  for (const kind of kinds) {
    left -= SHAPES[kind].weight
    if (left <= 0) return kind
  }
  return kinds.at(-1)!
}
