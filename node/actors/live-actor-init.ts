// What a live actor is made of.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { HomeServices } from './home-services.ts'
import type { JournalSide } from './journal-writer.ts'
import type { Seat } from './seat.ts'
import type { TypeInfo } from './type-info.ts'

export interface LiveActorOwner {
  /** Has its seat make another object, from the log. Rejects when the actor ends here before. */
  renew(): Promise<void>
}

export interface LiveActorInit {
  readonly entry: ActorEntry
  readonly info: TypeInfo
  readonly seat: Seat
  readonly restored: boolean
  readonly owner: LiveActorOwner
  readonly log: ActorLog
  readonly journal: JournalSide
  readonly services: Pick<
    HomeServices,
    'now' | 'clock' | 'limits' | 'isGone' | 'makeRef' | 'cipher' | 'agenda' | 'past'
  >
}
