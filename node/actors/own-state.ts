// Actors that keep their state in fields of their own, and say what it is: `getState()` after each call, `loadState(state)`
// where an object of them is made from a log.
//
//  O1 What is written is what `getState()` gives when a method has returned, as patches to what was written last; nothing of
//     the log's own state is ever handed out.
//  O2 A call that comes to nothing may have changed fields, and nobody knows which: its object is thrown away, and the next
//     call gets one that is made from the log. So it has changed nothing, as any other (G4).
//  O3 Nothing else runs while a call does, reads neither: there is one set of fields.

import type { Patches } from 'mutative'
import { checkUser, decodeUser, encode, encodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { StateError } from '../errors.ts'
import { difference } from './difference.ts'
import type { CallState } from './draft.ts'
import { UnfitState } from './migration.ts'
import { textOf } from './remote-error.ts'
import { outside } from './scope.ts'
import type { AnyActor, OwnState } from './types.ts'

type Keeper = AnyActor & OwnState<unknown>

/** For each call: what its object's state is when it has returned. */
export class OwnCallState implements CallState {
  readonly #type: string
  readonly #actor: Keeper

  constructor(type: string, actor: AnyActor) {
    this.#type = type
    this.#actor = actor as Keeper
  }

  encodeResult(result: unknown): Uint8Array {
    return encodeUser(result, 'result')
  }

  finish(base: object): Uint8Array | undefined {
    const value = stateOf(this.#type, this.#actor)
    const patches = difference(base, value)
    if (patches === undefined) return encode([{ op: 'replace', path: [], value }] as Patches)
    return patches.length === 0 ? undefined : encode(patches)
  }

  discard(): void {
    // What it may have changed goes with its object (O2).
  }
}

/** What a new object starts with, encoded. */
export const ownInitial = (type: string, actor: AnyActor): Uint8Array =>
  encode(stateOf(type, actor as Keeper))

/** Throws UnfitState. */
export function loadOwn(type: string, actor: AnyActor, state: object, makeRef: MakeRef): void {
  try {
    const loaded: unknown = outside(
      () => (actor as Keeper).loadState(decodeUser(encode(state), makeRef)), // O1
    )
    if (loaded instanceof Promise) {
      loaded.catch(() => {})
      throw new TypeError(
        'it returned a promise: load the state at once, and await what else there is in onActivate',
      )
    }
  } catch (error) {
    throw new UnfitState(`${type}.loadState failed: ${textOf(error)}`)
  }
}

/** Checked: plain data, an object. */
function stateOf(type: string, actor: Keeper): object {
  const value: unknown = outside(() => actor.getState())
  if (typeof value !== 'object' || value === null || value instanceof Promise) {
    if (value instanceof Promise) value.catch(() => {})
    const what = value instanceof Promise ? 'a promise' : String(value)
    throw new StateError(`${type}.getState() gave ${what}: return the state, an object, at once`)
  }
  checkUser(value, 'state')
  return value
}
