// Errors on their way between peers. A method's own error arrives as an ActorError that says what class it was; an error
// of the mesh arrives as what it is, with its class and code.

import { decodeUser, encodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import {
  ActorDiedError,
  ActorError,
  ActorUnavailableError,
  AgendaFullError,
  BadInputError,
  CallCancelledError,
  CallExpiredError,
  CallTimeoutError,
  type Executed,
  MailboxFullError,
  MeshError,
  MeshUnavailableError,
  ReentrantCallError,
  StateError,
  TooLargeError,
  UnknownMethodError,
  UnknownTypeError,
  UnserialisableStateError,
} from '../errors.ts'
import type { Answer } from './frames.ts'

/** What is left of an error that crossed a wire. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly stack: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface ErrorFrame {
  /** `mesh`: one of the catalogue, by its code. */
  readonly kind: 'user' | 'mesh'
  readonly name: string
  readonly message: string
  readonly code: string | undefined
  readonly stack: string
  /** Encoded own properties. */
  readonly data: Uint8Array
  readonly executed: Executed | undefined
}

/** An error's text is for people: more of it is a mistake somewhere. */
const MAX_TEXT = 64 * 1024
const clip = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

/** What a caller is told of it. */
export const errorAnswer = (error: unknown): Answer => ({ kind: 'error', error: toFrame(error) })

export function toFrame(thrown: unknown): ErrorFrame {
  if (thrown instanceof ActorError) {
    const { name, message, code, remoteStack, data } = thrown
    return {
      kind: 'user',
      name,
      message,
      code,
      stack: clip(remoteStack),
      data: dataBytes(data),
      executed: undefined,
    }
  }
  if (thrown instanceof Error) {
    const own = thrown as Error & { readonly code?: unknown }
    const code = typeof own.code === 'string' ? own.code : undefined
    return {
      kind: thrown instanceof MeshError ? 'mesh' : 'user',
      name: className(thrown),
      message: clip(String(thrown.message)),
      code,
      stack: clip(String(thrown.stack ?? '')),
      data: dataBytes(Object.fromEntries(Object.entries(thrown).filter(([key]) => !HIDDEN.has(key)))),
      executed: thrown instanceof MeshError ? thrown.executed : undefined,
    }
  }
  const message = `a method threw ${describe(thrown)}, which is not an Error`
  return {
    kind: 'user',
    name: 'Error',
    message,
    code: undefined,
    stack: '',
    data: dataBytes({ thrown }),
    executed: undefined,
  }
}

const HIDDEN: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause', 'executed'])

function className(error: Error): string {
  const { name } = error.constructor
  return Object.hasOwn(error, 'name') || error.name !== 'Error' || name === '' ? String(error.name) : name
}

function describe(value: unknown): string {
  try {
    return clip(typeof value === 'string' ? JSON.stringify(value) : String(value))
  } catch {
    return 'something'
  }
}

/** Own properties one by one: one that can't travel must not cost the error its message. */
function dataBytes(data: Readonly<Record<string, unknown>>): Uint8Array {
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(data)) {
    try {
      encodeUser(value, key)
      kept[key] = value
    } catch {
      kept[key] = `[not serialisable: ${describe(value)}]`
    }
  }
  return encodeUser(kept, 'data')
}

type Rebuild = (frame: ErrorFrame, data: Readonly<Record<string, unknown>>) => MeshError
const because = (frame: ErrorFrame): { readonly executed?: Executed } =>
  frame.executed === undefined ? {} : { executed: frame.executed }

const CATALOGUE: Readonly<Record<string, Rebuild>> = {
  ACTOR_DIED: (frame) => new ActorDiedError(frame.message, because(frame)),
  ACTOR_UNAVAILABLE: (frame, data) =>
    new ActorUnavailableError(frame.message, String(data['why']), Number(data['since']), because(frame)),
  CALL_TIMEOUT: (frame) => new CallTimeoutError(frame.message, because(frame)),
  CALL_CANCELLED: (frame) => new CallCancelledError(frame.message, because(frame)),
  CALL_EXPIRED: (frame) => new CallExpiredError(frame.message, because(frame)),
  MAILBOX_FULL: (frame) => new MailboxFullError(frame.message),
  BAD_INPUT: (frame) => new BadInputError(frame.message),
  AGENDA_FULL: (frame) => new AgendaFullError(frame.message),
  REENTRANT_CALL: (frame) => new ReentrantCallError(frame.message),
  UNKNOWN_TYPE: (frame) => new UnknownTypeError(frame.message),
  UNKNOWN_METHOD: (frame) => new UnknownMethodError(frame.message),
  UNSERIALISABLE_STATE: (frame, data) => new UnserialisableStateError(frame.message, String(data['path'])),
  BAD_STATE_CHANGE: (frame) => new StateError(frame.message),
  TOO_LARGE: (frame) => new TooLargeError(frame.message),
  MESH_UNAVAILABLE: (frame) => new MeshUnavailableError(frame.message, because(frame)),
}

export function fromFrame(frame: ErrorFrame, makeRef: MakeRef): MeshError {
  let data: Readonly<Record<string, unknown>> = {}
  try {
    data = decodeUser(frame.data, makeRef) as Readonly<Record<string, unknown>>
  } catch {
    // A peer sent something else than it should have; its message is still worth having.
  }
  if (frame.kind === 'user') return new ActorError({ ...frame, data })
  const rebuild = CATALOGUE[frame.code ?? '']
  return rebuild?.(frame, data) ?? new MeshError(frame.code ?? 'UNKNOWN', frame.message, because(frame))
}
