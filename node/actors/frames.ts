// What peers say to each other about calls. Decoding never throws: a frame that is not one of these is undefined.

import type { CallFloors, CallId } from '../../checkpoint/call-table.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { Durability, Receipt } from '../api.ts'
import type { Executed } from '../errors.ts'
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
  /** Its method is a generator, whose items are asked for. Such a call is in no call table: its id is of its attempt alone. */
  readonly series?: true
  /** How durable what it did, or saw, is to be before it is answered, where that is more than the type says. */
  readonly durability?: Durability | undefined
  /** Its answer says where that is. */
  readonly receipt?: true | undefined
  /** How long its caller goes on waiting: calls made on its behalf need not take longer. */
  readonly leftMs: number
}

export type Answer =
  | { readonly kind: 'result'; readonly result: Uint8Array; readonly receipt?: Receipt | undefined }
  | { readonly kind: 'error'; readonly error: ErrorFrame }
  /** Items of a series, `first` the number of the first of them. */
  | { readonly kind: 'items'; readonly first: number; readonly items: readonly Uint8Array[] }
  /** The end of a series after so many items; `error`: its generator threw. */
  | { readonly kind: 'end'; readonly count: number; readonly error?: ErrorFrame | undefined }
  /** The actor lives elsewhere, as of this version or a later one. The call was not and will not be executed here. */
  | ({ readonly kind: 'moved' } & ActorVersion)
  /** Not executed here; ask again when the registry changed, or after a moment. */
  | { readonly kind: 'retry'; readonly why: string }
  /** Where it ran is gone, and nothing of it counts: its caller may have it tried again, which is a retry. */
  | { readonly kind: 'lost'; readonly why: string }
  /** Its caller was given up for good, so it is refused here; `executed`: what this host knows of copies that came before. */
  | { readonly kind: 'expired'; readonly why: string; readonly executed: Executed }
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

/** The caller of a series is there, and has taken so many items; `again`: some may be lost, send what is left again. */
export interface MoreFrame {
  readonly t: 'more'
  readonly token: string
  readonly actor: ActorKey
  readonly taken: number
  readonly again: boolean
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

export type Frame = CallFrame | CancelFrame | MoreFrame | AnswerFrame | CreateFrame | CreatedFrame

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
const isDurability = (value: unknown): boolean => value === 'replicated' || value === 'synced'
const receipt: Shape = {
  record: count,
  journal: text,
  block: (block) => count(block) || block === -1,
  keepers: (keepers) => Array.isArray(keepers) && keepers.every(text),
  durability: (value) => isDurability(value) || value === 'unsaved',
}
const callId = (id: unknown): boolean => fits(id, { caller: text, n: count, path: text })
const answers: Readonly<Record<string, Shape>> = {
  result: { result: bytes, receipt: (value) => value === undefined || fits(value, receipt) },
  error: { error: (value) => fits(value, error) },
  items: { first: count, items: (items) => Array.isArray(items) && items.every(bytes) },
  end: { count, error: (value) => value === undefined || fits(value, error) },
  moved: { incarnation: count, epoch: count },
  retry: { why: text },
  lost: { why: text },
  expired: { why: text, executed: (value) => value === 'no' || value === 'unknown' },
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
    series: (series) => series === undefined || series === true,
    durability: (durability) => durability === undefined || isDurability(durability),
    receipt: (receipt) => receipt === undefined || receipt === true,
    leftMs: (left) => typeof left === 'number' && left >= 0,
  },
  cancel: { token: text, id: callId, actor: text },
  more: { token: text, actor: text, taken: count, again: (again) => typeof again === 'boolean' },
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
