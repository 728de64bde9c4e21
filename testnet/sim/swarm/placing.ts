// What actors ask of their homes in some seeds, and what peers offer there: always so that three peers are enough for
// every actor, because as many stay to the end.

import type { Placement } from '../../../mesh/occupancy.ts'
import { Ledger, SyncedLedger } from '../ledger.ts'
import { seededRandom } from '../random.ts'
import { SIM_ISOLATION } from '../sim-thread.ts'

type Six = [number, number, number, number, number, number]

/** Drawn once per seed. */
export interface Placing {
  readonly slots: boolean
  readonly spread: 'zone' | 'peer' | undefined
  readonly prefer: boolean
  readonly apart: boolean
  readonly head: boolean
}

/** As many as will be there in any case. */
const STAYING = 3

interface Work {
  readonly placing: Placing | undefined
  /** Of all types together. */
  readonly actors: number
  readonly types: number
}

/** Has chance of its own: what else a seed draws does not depend on it, nor the other way round. */
export function drawPlacing(seed: number): Placing | undefined {
  const random = seededRandom(seed ^ 0x91ace)
  random() // the first of neighbouring seeds are alike
  const [some, slots, spread, prefer, apart, head] = Array.from({ length: 6 }, random) as Six
  if (some >= 0.4) return undefined
  return {
    slots: slots < 0.6,
    spread: spread < 0.3 ? 'zone' : spread < 0.5 ? 'peer' : undefined,
    prefer: prefer < 0.3,
    apart: apart < 0.3,
    head: head < 0.15,
  }
}

export function asks({ placing, actors, types }: Work): Placement | undefined {
  if (!placing) return undefined
  if (placing.head) return { home: 'head' }
  return {
    ...(placing.slots && { resources: { slots: 0.1 } }),
    ...(placing.spread && { spread: placing.spread }),
    ...(placing.prefer && { preferLabels: { disk: 'ssd' } }),
    ...(placing.apart && types === 1 && actors <= STAYING && { apartFrom: ['Ledger', 'SyncedLedger'] }),
  }
}

/** By the number in a peer's name. */
export function offers({ placing, actors }: Work, number: number) {
  if (!placing) return {}
  return {
    labels: { zone: 'abc'[number % 3]!, disk: number % 2 === 0 ? 'ssd' : 'hdd' },
    resources: { slots: Math.ceil(actors / STAYING) / 10 },
  }
}

/** The classes that run, under their usual names. */
export function ledgersOf(work: Work, isIsolated: boolean): readonly (typeof Ledger)[] {
  const asked = asks(work)
  if (!asked && !isIsolated) return [Ledger, SyncedLedger]
  const placement = { ...asked, ...(isIsolated && { isolation: SIM_ISOLATION }) }
  class PlacedLedger extends Ledger {
    static readonly actorName = 'Ledger'
    static override readonly options = { ...Ledger.options, ...placement }
  }
  class PlacedSyncedLedger extends SyncedLedger {
    static readonly actorName = 'SyncedLedger'
    static override readonly options = { ...SyncedLedger.options, ...placement }
  }
  return [PlacedLedger, PlacedSyncedLedger]
}
