// The run of one method: inside its call's scope, on its call's draft; and the words for what it may not do.

import { decodeUser, UnserialisableValue } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { StateError, TooLargeError, UnserialisableStateError } from '../errors.ts'
import type { AgendaDraft } from './agenda-draft.ts'
import type { Cancellation } from './cancelling.ts'
import type { CallState } from './draft.ts'
import type { CallFrame } from './frames.ts'
import { CallScope } from './scope.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor } from './types.ts'

/** `left`: it called others, or asked for a checkpoint. */
export type Outcome = { readonly result: Uint8Array; readonly left: boolean } | { readonly error: unknown }

export interface Execution {
  readonly info: TypeInfo
  readonly instance: AnyActor
  readonly frame: CallFrame
  readonly deadline: number
  readonly cancellation: Cancellation
  readonly draft: CallState
  readonly gate: () => Promise<void>
  /** Whether the life that it runs in is still this one. */
  readonly goesOn: () => boolean
  /** Undefined for methods that may not change anything. */
  readonly agenda: AgendaDraft | undefined
  readonly maxBytes: number
  readonly makeRef: MakeRef
}

/** Never rejects. The result is encoded while its draft still lives; after an error the draft has ended. */
export async function execute({
  instance,
  frame,
  deadline,
  cancellation,
  draft,
  gate,
  goesOn,
  agenda,
  maxBytes,
  makeRef,
}: Execution): Promise<Outcome> {
  const chain = [...frame.chain, frame.actor]
  const scope = new CallScope({
    owner: instance,
    draft,
    id: frame.id,
    floors: frame.floors,
    chain,
    deadline,
    cancellation,
    gate,
    goesOn,
    agenda,
  })
  try {
    const method = (instance as unknown as Record<string, (...args: unknown[]) => unknown>)[frame.method]!
    const args = decodeUser(frame.args, makeRef) as unknown[]
    const result = draft.encodeResult(await scope.run(() => method.apply(instance, args)))
    if (result.length > maxBytes) throw tooLarge('result', result.length, maxBytes)
    return { result, left: scope.left }
  } catch (error) {
    draft.discard()
    return { error }
  } finally {
    scope.open = false
  }
}

export function refuseChange(info: TypeInfo, method: string, patches: Uint8Array | undefined): void {
  if (patches === undefined) return
  throw new StateError(
    `${info.name}.${method} is listed in readOnly and changed the state: take it out of ${info.name}.options.readOnly`,
  )
}

/** What the user should read of an error that only says where and what. */
export function explain(info: TypeInfo, method: string, error: unknown): unknown {
  if (!(error instanceof UnserialisableValue)) return error
  const message = `${info.name}.${method}: ${error.message}, which can't be stored: keep plain data there (objects, arrays, Map, Set, Date, BigInt, typed arrays)`
  return new UnserialisableStateError(message, error.path)
}

export const tooLarge = (what: string, size: number, most: number): TooLargeError =>
  new TooLargeError(
    `a ${what} of ${size} bytes is beyond the limit of ${most}: split it into several calls or actors`,
  )
