// What peers say to each other about calls. Decoding never throws: a frame that is not one of these is undefined.

import type { CallFloors, CallId } from '../../checkpoint/call-table.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { ErrorFrame } from './remote-error.ts'

/** Which life of an actor the caller means, as its registry has it. */
export interface ActorVersion {
  readonly incarnation: number
  readonly epoch: number
}

export interface CallFrame extends ActorVersion {
  readonly t: 'call'
  /** The caller's own mark of this attempt, sent back with the answer. */
  readonly token: string
  readonly id: CallId
  readonly floors: CallFloors
  readonly chain: readonly ActorKey[]
  readonly actor: ActorKey
  readonly method: string
  readonly args: Uint8Array
  /** How long its caller goes on waiting: calls made on its behalf need not take longer. */
  readonly leftMs: number
}

export type Answer =
  | { readonly kind: 'result'; readonly result: Uint8Array }
  | { readonly kind: 'error'; readonly error: ErrorFrame }
  /** The actor lives elsewhere, as of this version or a later one. The call was not and will not be executed here. */
  | ({ readonly kind: 'moved' } & ActorVersion)
  /** Not executed here; ask again when the registry changed, or after a moment. */
  | { readonly kind: 'retry'; readonly why: string }
  /** Still waiting here, and for what. More answers follow. */
  | { readonly kind: 'waiting'; readonly why: string }

export interface AnswerFrame {
  readonly t: 'answer'
  readonly token: string
  readonly answer: Answer
}

/** The caller gives up one attempt of a call: whoever else waits for the call keeps it going. Never answered. */
export interface CancelFrame {
  readonly t: 'cancel'
  readonly token: string
  readonly id: CallId
  readonly actor: ActorKey
}

/** Has a peer that knows the type create the actor. */
export interface CreateFrame {
  readonly t: 'create'
  readonly token: string
  readonly type: string
  readonly name: string
  readonly init: Uint8Array
}

/** `why` is empty when the actor exists now. */
export interface CreatedFrame {
  readonly t: 'created'
  readonly token: string
  readonly why: string
}

export type Frame = CallFrame | CancelFrame | AnswerFrame | CreateFrame | CreatedFrame

export const CALL_SERVICE = 'call'

type Shape = Readonly<Record<string, (value: unknown) => boolean>>
const text = (value: unknown): boolean => typeof value === 'string'
const count = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const bytes = (value: unknown): boolean => value instanceof Uint8Array
const fits = (value: unknown, shape: Shape): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(shape).every(([key, check]) => check((value as Record<string, unknown>)[key]))

const error: Shape = {
  name: text,
  message: text,
  stack: text,
  data: bytes,
  kind: (kind) => kind === 'user' || kind === 'mesh',
}
const callId = (id: unknown): boolean => fits(id, { caller: text, n: count, path: text })
const answers: Readonly<Record<string, Shape>> = {
  result: { result: bytes },
  error: { error: (value) => fits(value, error) },
  moved: { incarnation: count, epoch: count },
  retry: { why: text },
  waiting: { why: text },
}
const frames: Readonly<Record<string, Shape>> = {
  call: {
    token: text,
    id: callId,
    floors: (floors) => fits(floors, { own: count, all: count }),
    chain: (chain) => Array.isArray(chain) && chain.every(text),
    actor: text,
    incarnation: count,
    epoch: count,
    method: text,
    args: bytes,
    leftMs: (left) => typeof left === 'number' && left >= 0,
  },
  cancel: { token: text, id: callId, actor: text },
  answer: {
    token: text,
    answer: (answer) => {
      const shape = answers[String((answer as { readonly kind?: unknown } | null)?.kind)]
      return shape !== undefined && fits(answer, shape)
    },
  },
  create: { token: text, type: text, name: text, init: bytes },
  created: { token: text, why: text },
}

export function readFrame(body: unknown): Frame | undefined {
  const shape = frames[String((body as { readonly t?: unknown } | null | undefined)?.t)]
  return shape !== undefined && fits(body, shape) ? (body as Frame) : undefined
}
