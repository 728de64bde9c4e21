// What a live actor is made of.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { BootId } from '../../mesh/ids.ts'
import type { Clock } from '../ports.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor } from './types.ts'

export interface LiveActorInit {
  readonly info: TypeInfo
  readonly instance: AnyActor
  readonly log: ActorLog
  readonly reads: { readonly local: boolean }
  /** Callers that are refused for ever: nothing is kept for them. */
  readonly isGone: (caller: BootId) => boolean
  readonly now: () => number
  readonly clock: Clock
  readonly mailboxLimit: number
  /** Largest result and largest change of one call, encoded. */
  readonly maxBytes: number
  /** Makes references in arguments usable. */
  readonly makeRef: MakeRef
  /** Too many bytes wait for the keepers. */
  readonly congested: () => boolean
  /** Resolves when this boot's journal was found unsealed in a round started after the call. */
  readonly confirm: () => Promise<void>
}
