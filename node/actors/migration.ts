// States of older versions of their class. What was read back may be older than the class that runs here, because the app
// was upgraded, or newer, because this peer was not upgraded yet: then the actor waits, and nothing of it is touched.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import { decodeUser, encode, encodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { textOf } from './remote-error.ts'
import type { TypeInfo } from './type-info.ts'

/** A start that fails until another version of the class runs, or can be loaded. It is no reason to give the actor up. */
export class UnfitState extends Error {
  override name = 'UnfitState'
}

/** Brings the log's state to the version of its class; its snapshot is on its way then (H2). Throws UnfitState. */
export function migrateState(info: TypeInfo, log: ActorLog, makeRef: MakeRef): void {
  if (log.version !== info.version) log.migrate(migrated(info, log.state, log.version, makeRef), info.version)
}

/** A state of another version, as the class wants it. Throws UnfitState. */
export function migrated(
  { name, version, type }: TypeInfo,
  earlier: object,
  from: number,
  makeRef: MakeRef,
): object {
  if (from > version)
    throw new UnfitState(
      `its state is of version ${from} of ${name}, and this peer has version ${version}: start this peer with the newer class`,
    )
  if (type.migrate === undefined)
    throw new UnfitState(
      `its state is of version ${from} of ${name}, and the class is version ${version} without a static migrate(state, fromVersion): add one`,
    )
  // A copy: one that throws in the middle has changed nothing.
  const old = decodeUser(encode(earlier), makeRef)
  try {
    const state: unknown = type.migrate(old, from)
    if (typeof state !== 'object' || state === null || state instanceof Promise)
      throw new TypeError(
        `it returned ${state instanceof Promise ? 'a promise' : String(state)}: return the state, an object, at once`,
      )
    return decodeUser(encodeUser(state, 'state'), makeRef) as object
  } catch (error) {
    throw new UnfitState(`${name}.migrate failed for a state of version ${from}: ${textOf(error)}`)
  }
}
