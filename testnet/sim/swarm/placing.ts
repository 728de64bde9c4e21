// What actors ask of their homes in some seeds, and what peers offer there: always so that three peers are enough for
// every actor, because as many stay to the end.

import type { Placement } from '../../../mesh/occupancy.ts'
import { DaemonLedger, Ledger, LOOSELY, OwnLedger, OwnSyncedLedger, SyncedLedger } from '../ledger.ts'
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
  /** Beside the actors that are counted. */
  readonly daemons: boolean
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

interface Ways {
  /** Those that are `replicated` answer before they are written. */
  readonly loose: boolean
  /** Their state is in fields of their own. */
  readonly own: boolean
  /** They run in threads of their own. */
  readonly isolated: boolean
}

/** The classes that run, under their usual names. */
export function ledgersOf(work: Work, { loose, own, isolated }: Ways): readonly (typeof Ledger)[] {
  const asked = asks(work)
  const daemons = work.daemons ? [DaemonLedger] : []
  if (!asked && !loose && !own && !isolated) return [...daemons, Ledger, SyncedLedger]
  const options = { ...asked, ...(isolated && { isolation: SIM_ISOLATION }) }
  const Replicated = own ? OwnLedger : Ledger
  const Synced = own ? OwnSyncedLedger : SyncedLedger
  class DrawnLedger extends Replicated {
    static readonly actorName = 'Ledger'
    static override readonly options = {
      ...Replicated.options,
      ...options,
      ...(loose && { checkpoint: LOOSELY }),
    }
  }
  class DrawnSyncedLedger extends Synced {
    static readonly actorName = 'SyncedLedger'
    static override readonly options = { ...Synced.options, ...options }
  }
  return [...daemons, DrawnLedger, DrawnSyncedLedger]
}
