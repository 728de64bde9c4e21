// `onActivate` and `onDeactivate`: what a class does at the beginning and the end of an object. A hook runs like a method,
// on a draft, with no other code of its actor beside it; but nobody called it, so nobody gets a result.

import type { AgendaChange } from '../../checkpoint/agenda.ts'
import { encode } from '../../checkpoint/codec.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { AgendaDraft } from './agenda-draft.ts'
import { ActorHookTimeout } from './call-errors.ts'
import { Cancellation } from './cancelling.ts'
import type { HomeServices } from './home-services.ts'
import type { Seat, Version } from './seat.ts'
import type { DeactivateReason } from './types.ts'

/** Twice what a call is given by default: a start may have to call others that are being restored themselves. */
export const ACTIVATE_MS = 60_000
/** An actor that takes longer keeps a peer from leaving and its own next home from serving. */
export const DEACTIVATE_MS = 5000

export interface HookRun {
  readonly type: string
  readonly seat: Seat
  readonly base: Version
  readonly actor: ActorKey
  /** Resolves when the state that the hook sees may be seen by others (G5). */
  readonly gate: () => Promise<void>
  /** Whether the life that it belongs to is still this one. */
  readonly goesOn: () => boolean
  /** Undefined where the object is about to end: who would carry out what it adds? */
  readonly agenda: AgendaDraft | undefined
  readonly services: Pick<HomeServices, 'now' | 'within'>
}

export type Hook =
  | { readonly name: 'onActivate'; readonly argument: boolean }
  | { readonly name: 'onDeactivate'; readonly argument: DeactivateReason }

/** What a hook changed, which the log does not have yet. */
export interface HookChange {
  readonly name: Hook['name']
  /** Encoded; undefined where the state stays as it was. */
  readonly patches: Uint8Array | undefined
  readonly agenda: readonly AgendaChange[]
}

/** Throws what the hook throws, by its words, and when it is late. */
export async function runHook(
  { type, seat, base, actor, gate, goesOn, agenda, services }: HookRun,
  { name, argument }: Hook,
): Promise<HookChange> {
  const limitMs = name === 'onActivate' ? ACTIVATE_MS : DEACTIVATE_MS
  const cancellation = new Cancellation()
  let isLate = false
  const done = seat.run({
    kind: 'hook',
    method: name,
    args: encode([argument]),
    base,
    scope: {
      id: undefined,
      floors: { own: 0, all: 0 },
      chain: [actor],
      deadline: services.now() + limitMs,
      cancellation,
      gate,
      // What is late still runs, and calls nobody any more.
      goesOn: () => !isLate && goesOn(),
      agenda,
    },
  })
  const late = new ActorHookTimeout(type, name, limitMs)
  const outcome = await services.within(done, limitMs, late)
  if (outcome instanceof ActorHookTimeout) {
    isLate = true
    cancellation.cancel() // Nobody waits for it any more.
    throw late
  }
  if ('error' in outcome) {
    const { name: error, message, stack } = outcome.error
    throw Object.assign(new Error(message), { name: error, stack })
  }
  return { name, patches: outcome.patches, agenda: agenda?.changes ?? [] }
}
