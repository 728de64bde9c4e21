// What a caller is told when its call came to nothing: what happened, since when, whether it may have been executed, what
// to do.

import type { ActorKey } from '../../mesh/ids.ts'
import {
  ActorDiedError,
  ActorUnavailableError,
  CallCancelledError,
  CallTimeoutError,
  type Executed,
  MeshUnavailableError,
} from '../errors.ts'
import type { Target } from './creation.ts'
import type { Answer, CallFrame } from './frames.ts'

export function timedOut(
  { key }: Target,
  method: string,
  timeoutMs: number,
  executed: Executed,
): CallTimeoutError {
  const message = `${key}.${method} did not answer within ${Math.round(timeoutMs)} ms: it may still run; give it more time with ref.with({ timeoutMs })`
  return new CallTimeoutError(message, { executed })
}

export function cancelled(
  { key }: Target,
  method: string,
  signal: AbortSignal | undefined,
  executed: Executed,
): CallCancelledError {
  const what = executed === 'no' ? 'before it was sent' : 'and its host is told: it may have taken effect'
  const message = `${key}.${method} was cancelled ${what}. Look at the actor's state before you repeat the call`
  return new CallCancelledError(message, { executed, cause: signal?.reason })
}

export function unavailable(
  { key }: Target,
  why: string,
  forMs: number,
  executed: Executed,
): ActorUnavailableError {
  const since = Math.round(forMs)
  const message = `${key} is unavailable: ${why} (for ${since} ms). Call it again later; the mesh goes on trying to bring it back`
  return new ActorUnavailableError(message, why, since, { executed })
}

export function lostInSeries(
  { key }: Target,
  method: string,
  why: string,
  items: number,
): ActorUnavailableError {
  const message = `${key}.${method} was lost after ${items} item(s): ${why}. What it would have gone on with is gone; iterate again, from where you were if the method takes that`
  return new ActorUnavailableError(message, why, 0, { executed: 'unknown', items })
}

export function retriesUsedUp({ key }: Target, retries: number, lost: string): ActorUnavailableError {
  const why = `${lost}, and this call may be retried ${retries} time(s) only`
  const message = `${key} was lost during the call: ${why}. Raise retries, or look at its state and call it again`
  return new ActorUnavailableError(message, why, 0, { executed: 'unknown' })
}

export function recreated({ key }: Target): ActorDiedError {
  const message = `${key} was ended while the call was under way, and made again: look at its state before you repeat the call`
  return new ActorDiedError(message, { executed: 'unknown' })
}

export function deleted({ key }: Target): ActorDiedError {
  const message = `${key} was deleted while its items were awaited: a new call makes another one of that name`
  return new ActorDiedError(message, { executed: 'unknown' })
}

export function callerGone({ id }: CallFrame, executed: Executed): Answer {
  const why = `call ${id.n} comes from ${id.caller}, which the mesh has given up: its calls are refused, so that none is executed twice`
  return { kind: 'expired', why, executed }
}

/** Inside the host only: a hook that does not end. */
export class ActorHookTimeout extends Error {
  override name = 'ActorHookTimeout'
  constructor(type: string, hook: string, limitMs: number) {
    super(`${type}.${hook} did not end within ${limitMs} ms: do long work in a method`)
  }
}

/** This peer got a new boot while it asked for the actor: repeated under that, what was made and stopped since would be made again. */
export const maybeCreated = (key: ActorKey): MeshUnavailableError =>
  new MeshUnavailableError(
    `this peer was cut off and given up while it created ${key}, which may have been done: look whether it is there, and create it again if not`,
    { executed: 'unknown' },
  )
