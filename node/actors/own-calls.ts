// Calls that are the runtime's and none of a class's: they take their turn in the mailbox and settle like any other, so they
// happen once. No method can have such a name.

import type { Cipher } from '../../checkpoint/cipher.ts'
import { decodeUser, encode } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { BadInputError } from '../errors.ts'
import { initOf } from './encryption.ts'
import type { FirstState } from './first-state.ts'
import type { CallFrame } from './frames.ts'
import { migrated, UnfitState } from './migration.ts'
import type { EarlierState, Past } from './past.ts'
import type { TypeInfo } from './type-info.ts'

/** `[record]`: the state as of that record becomes the actor's. Gives the number of the record that it is written as. */
export const RESTORE = '#restore'
/** `[]`: gives the state, encoded, and its version. */
export const STATE = '#state'
/** `[state, of, version]`: the first state of an actor that was made as a copy, encoded, whose it was, and its version. */
export const BECOME = '#become'

export const OWN_CALLS: ReadonlySet<string> = new Set([RESTORE, STATE, BECOME])

export interface OwnCall {
  readonly frame: CallFrame
  readonly entry: ActorEntry
  readonly info: TypeInfo
  readonly state: object
  readonly version: number
  /** Of the last record. */
  readonly sequence: number
  readonly past: Past
  readonly makeRef: MakeRef
  readonly cipher: Cipher | undefined
}

/** What such a call comes to. Without `did` it changes nothing. */
export interface OwnOutcome {
  readonly result: Uint8Array
  readonly did?: string
  readonly patches?: Uint8Array
}

export async function runOwn(call: OwnCall): Promise<OwnOutcome> {
  const { frame, entry, info, state, version, sequence, past, makeRef, cipher } = call
  const [first, second] = decodeUser(frame.args, makeRef) as readonly unknown[]
  if (frame.method === STATE) return { result: encode({ state: encode(state), version }) }
  if (frame.method === BECOME) {
    if (decodeInit(initOf(entry, cipher), makeRef).copyOf !== second)
      throw new BadInputError(`${entry.key} is another actor than the copy that was made: fork again`)
    return { result: encode(undefined), did: `#fork ${String(second)}` }
  }
  const earlier = await past.stateAt(entry, first as number, makeRef)
  return {
    result: encode(sequence + 1),
    did: `#restore ${first}`,
    patches: encode([{ op: 'replace', path: [], value: presentOf(info, earlier, makeRef) }]),
  }
}

/** A state of then as the class wants it now. */
function presentOf(info: TypeInfo, { state, version }: EarlierState, makeRef: MakeRef): object {
  try {
    return version === info.version ? state : migrated(info, state, version, makeRef)
  } catch (error) {
    if (error instanceof UnfitState) throw new BadInputError(`it can't be restored: ${error.message}`)
    throw error
  }
}

/** In place of an actor's arguments: its first state comes by {@link BECOME}, its constructor's is never one. */
interface Copy {
  readonly copyOf: string
  /** The arguments of the actor that it is a copy of. */
  readonly init: Uint8Array
}

export const encodeCopy = (copy: Copy): Uint8Array => encode(copy)

/** Its constructor's arguments, and as they are encoded. */
export interface DecodedInit {
  readonly args: readonly unknown[]
  readonly init: Uint8Array
  readonly copyOf: string | undefined
}

export function decodeInit(init: Uint8Array, makeRef: MakeRef): DecodedInit {
  if (init.length === 0) return { args: [], init, copyOf: undefined }
  const value = decodeUser(init, makeRef) as readonly unknown[] | Copy
  if (!('copyOf' in value)) return { args: value, init, copyOf: undefined }
  return { ...decodeInit(value.init, makeRef), copyOf: value.copyOf }
}

/** The state that such a call brings. */
export function stateIn({ args }: CallFrame, makeRef: MakeRef): FirstState {
  const [state, , version] = decodeUser(args, makeRef) as readonly unknown[]
  if (state instanceof Uint8Array && typeof version === 'number') return { state, version }
  throw new BadInputError('a copy of an actor needs a state')
}
