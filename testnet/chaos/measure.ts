// Figures of a run, from its history and its faults. Times in milliseconds.

import type { FaultRecord } from './faults.ts'
import type { FaultKind } from './plan.ts'
import type { Recorded } from './workload.ts'

/** An answer this soon after a fault may have been on its way before it. */
const ON_ITS_WAY_MS = 25
/** An actor that nobody asks anything for longer than this after a fault may be back long before it answers. */
const ASKED_MS = 250
/** Shorter gaps between two answers of an actor are no unavailability. */
const GAP_MS = 1000
/** Of the timeline. */
export const BUCKET_MS = 250

export interface Spread {
  readonly n: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.ceil((sorted.length - 1) * share)]! * 10) / 10
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

const actorOf = ({ type, name }: Recorded): string => `${type}/${name}`

function acknowledgedByActor(
  history: readonly Recorded[],
): ReadonlyMap<string, readonly (Recorded & { end: number })[]> {
  const byActor = new Map<string, (Recorded & { end: number })[]>()
  for (const operation of history) {
    if (operation.outcome !== 'ok' || operation.end === undefined) continue
    const known = byActor.get(actorOf(operation)) ?? []
    byActor.set(actorOf(operation), known)
    known.push({ ...operation, end: operation.end })
  }
  for (const operations of byActor.values()) operations.sort((a, b) => a.end - b.end)
  return byActor
}

/**
 * By kind of fault: for every actor of a peer that was hit and that somebody was asking then, from the fault to the first
 * answer that a client on another peer got and that cannot have been on its way before.
 */
export function recoveries(
  history: readonly Recorded[],
  faults: readonly FaultRecord[],
): ReadonlyMap<FaultKind, readonly number[]> {
  const answers = acknowledgedByActor(history)
  const asked = Map.groupBy(history, actorOf)
  const byKind = new Map<FaultKind, number[]>()
  for (const { kind, began, actors, peers, skipped } of faults) {
    if (skipped !== undefined || actors.length === 0) continue
    const times = byKind.get(kind) ?? []
    byKind.set(kind, times)
    const isOf = ({ start, end = Number.POSITIVE_INFINITY, peer }: Recorded): boolean =>
      end > began &&
      (start >= began || end > began + ON_ITS_WAY_MS) &&
      (kind === 'kill-all' || !peers.includes(peer))
    for (const actor of actors) {
      const isAsked = asked.get(actor)?.some((each) => isOf(each) && each.start <= began + ASKED_MS)
      const first = answers.get(actor)?.find(isOf)
      if (isAsked && first !== undefined) times.push(first.end - began)
    }
  }
  return byKind
}

/** A peer held another one to be gone. */
export interface Loss {
  readonly by: number
  readonly lost: number
  /** On the machine's clock. */
  readonly at: number
}

/** By kind of fault: for every peer that was not hit, from the fault to when it first held one that was hit to be gone. */
export function detections(
  losses: readonly Loss[],
  faults: readonly FaultRecord[],
): ReadonlyMap<FaultKind, readonly number[]> {
  const byKind = new Map<FaultKind, number[]>()
  for (const { kind, began, ended = Number.POSITIVE_INFINITY, peers } of faults) {
    const times = byKind.get(kind) ?? []
    byKind.set(kind, times)
    const first = new Map<number, number>()
    for (const { by, lost, at } of losses) {
      if (!peers.includes(lost) || peers.includes(by) || at < began || at > ended) continue
      first.set(by, Math.min(at, first.get(by) ?? Number.POSITIVE_INFINITY))
    }
    times.push(...[...first.values()].map((at) => at - began))
  }
  return byKind
}

/** How long each actor gave no answer at a stretch although somebody waited for one; only stretches beyond a second. */
export function unavailable(history: readonly Recorded[]): readonly number[] {
  const asked = new Map<string, number[]>()
  for (const operation of history) {
    const starts = asked.get(actorOf(operation)) ?? []
    asked.set(actorOf(operation), starts)
    starts.push(operation.start)
  }
  const gaps: number[] = []
  for (const [actor, answers] of acknowledgedByActor(history)) {
    const starts = (asked.get(actor) ?? []).sort((a, b) => a - b)
    let next = 0
    for (const [i, { end }] of answers.entries()) {
      const before = answers[i - 1]?.end
      if (before === undefined || end - before < GAP_MS) continue
      while (next < starts.length && starts[next]! < before) next++
      const waitedFrom = starts[next]
      if (waitedFrom !== undefined && end - waitedFrom >= GAP_MS) gaps.push(end - waitedFrom)
    }
  }
  return gaps
}

export interface Bucket {
  /** From the beginning of the run. */
  readonly at: number
  readonly answered: number
  readonly failed: number
  readonly p50: number
  readonly max: number
}

export function timeline(history: readonly Recorded[], began: number, ended: number): readonly Bucket[] {
  const buckets = Array.from({ length: Math.ceil((ended - began) / BUCKET_MS) }, () => ({
    times: [] as number[],
    failed: 0,
  }))
  for (const { start, end, outcome } of history) {
    const bucket = end === undefined ? undefined : buckets[Math.floor((end - began) / BUCKET_MS)]
    if (bucket === undefined || end === undefined) continue
    if (outcome === 'ok') bucket.times.push(end - start)
    else bucket.failed++
  }
  return buckets.map(({ times, failed }, i) => {
    const { p50 = 0, max = 0 } = spread(times) ?? {}
    return { at: i * BUCKET_MS, answered: times.length, failed, p50, max }
  })
}
