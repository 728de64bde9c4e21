// `onActivate` and `onDeactivate`: what a class does at the beginning and the end of an object. A hook runs like a method,
// on a draft, with no other code of its actor beside it; but nobody called it, so nobody gets a result.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { AgendaChange } from '../../checkpoint/agenda.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { AgendaDraft } from './agenda-draft.ts'
import { ActorHookTimeout } from './call-errors.ts'
import { Cancellation } from './cancelling.ts'
import { Draft } from './draft.ts'
import { explain, tooLarge } from './execution.ts'
import type { HomeServices } from './home-services.ts'
import { OpaqueGuard } from './opaque-guard.ts'
import { OwnCallState } from './own-state.ts'
import { CallScope } from './scope.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor, DeactivateReason } from './types.ts'

/** Twice what a call is given by default: a start may have to call others that are being restored themselves. */
export const ACTIVATE_MS = 60_000
/** An actor that takes longer keeps a peer from leaving and its own next home from serving. */
export const DEACTIVATE_MS = 5000

export interface HookRun {
  readonly info: TypeInfo
  readonly instance: AnyActor
  readonly actor: ActorKey
  readonly log: ActorLog
  /** Resolves when the state that the hook sees may be seen by others (G5). */
  readonly gate: () => Promise<void>
  /** Whether the life that it belongs to is still this one. */
  readonly goesOn: () => boolean
  /** Undefined where the object is about to end: who would carry out what it adds? */
  readonly agenda: AgendaDraft | undefined
  readonly services: Pick<HomeServices, 'now' | 'within' | 'limits'>
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

/** Throws what the hook throws, and when it is late. */
export async function runHook(
  { info, instance, actor, log, gate, goesOn, agenda, services }: HookRun,
  { name, argument }: Hook,
): Promise<HookChange> {
  const limitMs = name === 'onActivate' ? ACTIVATE_MS : DEACTIVATE_MS
  const { state } = log
  const guard = new OpaqueGuard()
  if (!info.ownState) guard.reset(state)
  const draft = info.ownState ? new OwnCallState(info.name, instance) : new Draft(state)
  const deadline = services.now() + limitMs
  const cancellation = new Cancellation()
  let isLate = false
  const scope = new CallScope({
    owner: instance,
    draft,
    id: undefined,
    floors: { own: 0, all: 0 },
    chain: [actor],
    deadline,
    cancellation,
    gate,
    goesOn: () => !isLate && goesOn(),
    agenda,
  })
  const close = (): void => {
    scope.open = false
  }
  const hooks = instance as unknown as Record<string, (argument: unknown) => unknown>
  const done = scope.run(async () => hooks[name]?.(argument))
  try {
    const late = new ActorHookTimeout(info.name, name, limitMs)
    if ((await services.within(done, limitMs, late)) === late) {
      isLate = true
      cancellation.cancel() // Nobody waits for it any more.
      throw late
    }
    guard.check()
    const patches = draft.finish(state)
    const { maxBytes } = services.limits
    if (patches !== undefined && patches.length > maxBytes)
      throw tooLarge('change of state', patches.length, maxBytes)
    return { name, patches, agenda: agenda?.changes ?? [] }
  } catch (error) {
    draft.discard()
    throw explain(info, name, error)
  } finally {
    // What is late still runs. Outside of the scope its calls would be nobody's, and wait for nothing.
    if (isLate) done.then(close, close)
    else close()
  }
}
