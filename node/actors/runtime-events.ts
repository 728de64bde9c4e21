// What the runtime tells the node that carries it.

import type { ActorKey, LogKey } from '../../mesh/ids.ts'
import type { Clock } from '../ports.ts'
import { sleep } from './timing.ts'

export interface RuntimeEvents {
  /** An actor serves here with a state that was read from `journal`, as of its record `sequence`. */
  readonly recovered?: (event: {
    readonly actor: ActorKey
    readonly epoch: number
    readonly sequence: number
    readonly journal: LogKey
  }) => void
  /** An object of an actor was made here and serves. */
  readonly started?: (event: {
    readonly actor: ActorKey
    readonly epoch: number
    readonly restored: boolean
  }) => void
  /** Only its position is left in memory. */
  readonly passivated?: (event: { readonly actor: ActorKey; readonly epoch: number }) => void
  /** The actor is not at home here any more. */
  readonly stopped?: (event: {
    readonly actor: ActorKey
    readonly epoch: number
    readonly reason: StopReason
  }) => void
  readonly sendFailed?: (event: SendFailed) => void
  readonly alarmFailed?: (event: AlarmFailed) => void
}

/** A one-way call that had no effect, or none that is known of. */
export interface SendFailed {
  /** The actor whose method sent it; undefined: the app. */
  readonly from: ActorKey | undefined
  readonly type: string
  readonly name: string
  readonly method: string
  readonly error: unknown
}

/** The method of an alarm threw. */
export interface AlarmFailed {
  readonly actor: ActorKey
  readonly id: string
  readonly method: string
  /** From 1. */
  readonly attempt: number
  readonly willRetry: boolean
  readonly error: unknown
}

/** `moved`: another peer has it, or will; `stopped`: and forgotten, where it was deleted; `dead`: ActorDiedError has the cause. */
export type StopReason = 'moved' | 'stopped' | 'dead'

/** The part of a pino logger that is used. */
export interface RuntimeLogger {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

export const silent: RuntimeLogger = { info: () => {}, warn: () => {} }

const LOOK_MS = 20

/** Looks until the condition holds (true), or the time is over or `given up` says so (false). */
export async function ending(
  clock: Clock,
  condition: () => boolean,
  timeoutMs: number,
  givenUp: () => boolean,
): Promise<boolean> {
  const deadline = clock.now() + timeoutMs
  while (!condition()) {
    if (givenUp() || clock.now() >= deadline) return false
    await sleep(clock, LOOK_MS)
  }
  return true
}
