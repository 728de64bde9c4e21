// Which seat an object gets: in this thread, or, where its type asks for isolation, in a worker.

import type { MakeRef } from '../../checkpoint/reference.ts'
import type { Clock } from '../ports.ts'
import type { ActorTypes } from './actor-types.ts'
import { LocalSeat } from './local-seat.ts'
import type { OpenSeat } from './seat.ts'
import type { Outward } from './worker/errands.ts'
import { openRemoteSeat } from './worker/remote-seat.ts'
import type { StartThread } from './worker/thread.ts'

export interface SeatsInit {
  readonly clock: Clock
  readonly types: ActorTypes
  readonly maxBytes: number
  readonly makeRef: MakeRef
  readonly outward: Outward
  readonly startThread: StartThread
  readonly pause: () => Promise<void>
}

export function seatsOf({ types, makeRef, ...seats }: SeatsInit): OpenSeat {
  const generators = new Map(types.all.map((info) => [info.name, info.generators]))
  const limits = { maxBytes: seats.maxBytes, makeRef }
  return async (init) => {
    const { isolation } = init.info
    if (isolation === undefined) return new LocalSeat({ ...init, limits })
    return openRemoteSeat(init, isolation, { ...seats, generators })
  }
}
