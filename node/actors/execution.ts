// The words for what a method may not do.

import { UnserialisableValue } from '../../checkpoint/codec.ts'
import { StateError, TooLargeError, UnserialisableStateError } from '../errors.ts'
import type { TypeInfo } from './type-info.ts'

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
