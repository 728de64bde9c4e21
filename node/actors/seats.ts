// Which seat an object gets: in this thread, or, where its type asks for isolation, in a worker.

import type { MakeRef } from '../../checkpoint/reference.ts'
import type { Clock } from '../ports.ts'
import type { ActorTypes } from './actor-types.ts'
import { LocalSeat, type LocalSeatInit } from './local-seat.ts'
import type { OpenSeat, Seat, SeatInit } from './seat.ts'
import type { Outward } from './worker/errands.ts'
import { openWorkerSeat } from './worker/worker-seat.ts'

/** In place of a worker: `local` is what a seat in this thread is made of. */
export type OpenIsolated = (init: SeatInit, local: LocalSeatInit) => Promise<Seat>

export interface SeatsInit {
  readonly clock: Clock
  readonly types: ActorTypes
  readonly maxBytes: number
  readonly makeRef: MakeRef
  readonly outward: Outward
  readonly isolated: OpenIsolated | undefined
}

export function seatsOf({ clock, types, maxBytes, makeRef, outward, isolated }: SeatsInit): OpenSeat {
  const generators = (): ReadonlyMap<string, ReadonlySet<string>> =>
    new Map(types.all.map((info) => [info.name, info.generators]))
  return async (init) => {
    const { isolation } = init.info
    const local = { ...init, maxBytes, makeRef }
    if (isolation === undefined) return new LocalSeat(local)
    if (isolated !== undefined) return isolated(init, local)
    return openWorkerSeat(init, isolation.module!, { clock, maxBytes, outward, generators })
  }
}
