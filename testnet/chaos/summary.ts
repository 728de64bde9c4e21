// A run's result as plain figures: what a program reads, and what the texts and the page are made of.

import type { PacketCounts } from '../packets/packet-loss.ts'
import type { ChaosResult } from './chaos.ts'
import { type Bucket, detections, recoveries, type Spread, spread, timeline, unavailable } from './measure.ts'
import type { FaultKind } from './plan.ts'

export interface FaultSummary {
  readonly kind: FaultKind
  readonly happened: number
  readonly skipped: number
  /** From the fault to when each other peer held one that was hit to be gone; missing where nobody did while it lasted. */
  readonly detectionMs?: Spread
  /** From the fault to the first answer of each actor that was hit; missing where it hit none. */
  readonly recoveryMs?: Spread
}

export interface Growth {
  /** Of processes that lived through the whole of it: the medians of the first and of the last quarter of their samples. */
  readonly first: number
  readonly last: number
}

/** Stable: fields are added, never changed. */
export interface ChaosSummary {
  readonly ok: boolean
  readonly seed: number
  readonly peers: number
  readonly seconds: number
  readonly workloads: readonly string[]
  readonly calls: {
    readonly acknowledged: number
    readonly failed: number
    readonly byCode: Readonly<Record<string, number>>
    readonly latencyMs?: Spread
  }
  /** What the history breaks, and what did not come back. */
  readonly problems: readonly string[]
  readonly stuck: readonly string[]
  readonly faults: readonly FaultSummary[]
  /** Stretches of more than a second in which an actor gave no answer although somebody waited. */
  readonly unavailableMs?: Spread
  /** What the kernel dropped and TCP sent again; only with `--netns`. */
  readonly packets?: PacketCounts
  /** Bytes and counts per peer process; missing when none lived long enough. */
  readonly heapBytes?: Growth
  readonly rssBytes?: Growth
  readonly descriptors?: Growth
  /** Bytes per data directory, whose process may have been another one meanwhile. */
  readonly diskBytes?: Growth
  readonly timeline: readonly Bucket[]
  /** When each fault was on, in milliseconds from the beginning. */
  readonly schedule: readonly {
    readonly kind: FaultKind
    readonly from: number
    readonly to: number
    readonly peers: readonly number[]
  }[]
}

export function summarise(result: ChaosResult): ChaosSummary {
  const { history, faults, began, ended } = result
  const times = recoveries(history, faults)
  const noticed = detections(result.losses, faults)
  const kinds = [...new Set(faults.map(({ kind }) => kind))]
  const latencies = history.flatMap(({ outcome, start, end }) =>
    outcome === 'ok' && end !== undefined ? [end - start] : [],
  )
  return {
    ok: result.ok,
    seed: result.seed,
    peers: result.peers,
    seconds: Math.round((ended - began) / 100) / 10,
    workloads: result.workloads,
    calls: {
      acknowledged: result.acknowledged,
      failed: result.failed,
      byCode: Object.fromEntries(result.codes),
      ...optional('latencyMs', spread(latencies)),
    },
    problems: result.problems.map(({ promise, text }) => `${promise}: ${text}`),
    stuck: result.stuck,
    faults: kinds.map((kind) => ({
      kind,
      happened: faults.filter((fault) => fault.kind === kind && fault.skipped === undefined).length,
      skipped: faults.filter((fault) => fault.kind === kind && fault.skipped !== undefined).length,
      ...optional('detectionMs', spread(noticed.get(kind) ?? [])),
      ...optional('recoveryMs', spread(times.get(kind) ?? [])),
    })),
    ...optional('unavailableMs', spread(unavailable(history))),
    ...optional('packets', result.packets),
    ...optional('heapBytes', growth(result, 'heapUsed')),
    ...optional('rssBytes', growth(result, 'rss')),
    ...optional('descriptors', growth(result, 'descriptors')),
    ...optional('diskBytes', growth(result, 'disk')),
    timeline: timeline(history, began, ended),
    schedule: faults
      .filter(({ skipped }) => skipped === undefined)
      .map(({ kind, began: from, ended: to = ended, peers }) => ({
        kind,
        from: Math.round(from - began),
        to: Math.round(to - began),
        peers,
      })),
  }
}

const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } =>
  (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value }

/** Fewer samples of one process, or disk, say nothing about growth. */
const MIN_SAMPLES = 40

type Grows = 'heapUsed' | 'rss' | 'descriptors' | 'disk'

function growth({ samples }: ChaosResult, what: Grows): Growth | undefined {
  const bySource = Map.groupBy(samples, ({ peer, start }) =>
    what === 'disk' ? `${peer}` : `${peer}.${start}`,
  )
  const long = [...bySource.values()]
    .map((each) => each.map((sample) => sample[what]))
    .filter(({ length }) => length >= MIN_SAMPLES)
  if (long.length === 0) return undefined
  const quarter = (values: readonly number[], last: boolean): readonly number[] =>
    last ? values.slice(-Math.floor(values.length / 4)) : values.slice(0, Math.floor(values.length / 4))
  const median = (last: boolean): number => spread(long.flatMap((values) => quarter(values, last)))!.p50
  return { first: median(false), last: median(true) }
}
