// One object of a user's class: made with its context, its `state` led to the draft of whichever call is running.

import { encodeUser } from '../../checkpoint/codec.ts'
import { StateError } from '../errors.ts'
import { construct } from './actor.ts'
import { ownInitial } from './own-state.ts'
import { currentScope, outside } from './scope.ts'
import type { TypeInfo } from './type-info.ts'
import type { ActorContext, AnyActor } from './types.ts'

export interface Instance {
  readonly actor: AnyActor
  /** Encoded: what the constructor set. Throws UnserialisableValue when that can't be stored. */
  readonly initial: () => Uint8Array
}

/** Throws what the constructor throws. */
export function makeInstance(info: TypeInfo, context: ActorContext, init: readonly unknown[]): Instance {
  const actor: AnyActor = outside(() => construct(context, () => new info.type(...init)))
  if (info.ownState) return { actor, initial: () => ownInitial(info.name, actor) }
  const initial: unknown = Object.hasOwn(actor, 'state') && actor.state !== undefined ? actor.state : {}
  if (typeof initial !== 'object' || initial === null) {
    throw new StateError(`the state of ${info.name} starts as ${String(initial)}: it must be an object`)
  }
  Object.defineProperty(actor, 'state', STATE)
  return { actor, initial: () => encodeUser(initial, 'state') }
}

/** The same for every object, so that they share its cost. */
const STATE = {
  configurable: false,
  enumerable: true,
  get(this: AnyActor): unknown {
    return scopeOf(this).draft.state
  },
  set(this: AnyActor, value: unknown): void {
    scopeOf(this).draft.state = value
  },
}

/** Of the call that runs; `this.context.signal` leads here. */
export function signalOf(context: ActorContext): AbortSignal {
  const scope = currentScope()
  if (scope !== undefined && (scope.owner as AnyActor).context === context) return scope.signal
  throw new StateError(
    `the signal of ${context.key} was looked at outside of its calls: take it while the method runs (const { signal } = this.context)`,
  )
}

function scopeOf(actor: AnyActor): NonNullable<ReturnType<typeof currentScope>> {
  const scope = currentScope()
  if (scope?.owner === actor) return scope
  throw new StateError(
    `the state of ${actor.context.key} was used outside of its calls (in a timer, a callback or after the method returned): await the work inside the method, or call a method through this.context.actor(…)`,
  )
}
