// What a live actor is made of.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { HomeServices } from './home-services.ts'
import type { JournalSide } from './journal-writer.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor } from './types.ts'

export interface LiveActorOwner {
  /** Another object, made from the log. Rejects when the actor ends here before. */
  renew(): Promise<AnyActor>
}

export interface LiveActorInit {
  readonly entry: ActorEntry
  readonly info: TypeInfo
  readonly instance: AnyActor
  readonly owner: LiveActorOwner
  readonly log: ActorLog
  readonly journal: JournalSide
  readonly services: Pick<HomeServices, 'now' | 'clock' | 'limits' | 'isGone' | 'makeRef' | 'agenda'>
}
