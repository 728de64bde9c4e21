// What agendas need of the world around their actor.

import type { MakeRef } from '../../checkpoint/reference.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { Clock } from '../ports.ts'
import type { Delivered } from './client.ts'
import type { Target } from './creation.ts'
import type { OutgoingCallInit } from './outgoing-call.ts'
import type { AlarmFailed, SendFailed } from './runtime-events.ts'

export interface AgendaServices {
  readonly clock: Clock
  /** Makes references in arguments and errors usable. */
  readonly makeRef: MakeRef
  /** Rescues of the registry so far (Q2). */
  readonly generation: () => number
  /** The life of an actor that a send of now is meant for: the present one, or the next where that is over; 0 and below: one that is yet to be created, see {@link SendEntry}. */
  readonly lifeOf: (target: Target) => number
  readonly target: (key: ActorKey, init: Uint8Array) => Target
  /** One attempt to have a call answered. Rejects when it got no answer; `over` ends it early. */
  readonly deliver: (call: OutgoingCallInit, over: () => boolean) => Promise<Delivered>
  readonly sleep: (ms: number) => Promise<void>
  /** When that actor's first alarm is due, in wall-clock milliseconds; undefined: it has none. */
  readonly wakeAt: (actor: ActorKey, at: number | undefined) => void
  readonly sendFailed: (event: SendFailed) => void
  readonly alarmFailed: (event: AlarmFailed) => void
}
