// What a worker and the thread that started it say to each other. Values of users are encoded; everything else is plain
// data that a structured clone keeps as it is. Messages of one side arrive in the order they were sent.

import type { MessagePort } from 'node:worker_threads'
import type { Referent } from '../../../checkpoint/reference.ts'
import type { ActorKey } from '../../../mesh/ids.ts'
import type { ActorStatus, CallOptions, Receipt } from '../../api.ts'
import type { ContextData } from '../context.ts'
import type { Invoke } from '../ref.ts'
import type { ErrorFrame } from '../remote-error.ts'
import type { Outcome, Step, Work } from '../seat.ts'

/** What a worker begins with. */
export interface WorkerStart {
  /** Of the module that exports the class. */
  readonly module: string
  readonly type: string
  readonly context: ContextData
  /** Encoded arguments of the constructor. */
  readonly init: Uint8Array
  readonly isFresh: boolean
  readonly maxBytes: number
  /** By type, the methods that are generators: a reference has to know how to call them. */
  readonly generators: ReadonlyMap<string, ReadonlySet<string>>
  /** Shared: the worker counts up in it while its event loop turns. */
  readonly beats: Int32Array
  readonly beatMs: number
  /** Of all messages; the port that every worker has is left to what runs there. */
  readonly line: MessagePort
  readonly questions: QuestionLine
}

/** Where a worker waits for an answer without giving its event loop up. */
export interface QuestionLine {
  /** Shared: 1 when the answer is there. */
  readonly lock: Int32Array
  readonly answers: MessagePort
}

export type ToWorker =
  /** Of the state that it begins with, in their order. */
  | { readonly t: 'piece'; readonly bytes: Uint8Array }
  /** With the pieces that came before; `isInitial`: with what the constructor set. */
  | { readonly t: 'begin'; readonly sequence: number; readonly isInitial: boolean }
  /** In place of the object another one, of the state of the moment. */
  | { readonly t: 'renew' }
  | ({
      readonly t: 'run'
      readonly run: number
      readonly chain: readonly ActorKey[]
      /** Of the state that it works on. */
      readonly sequence: number
      readonly durable: number
      readonly hasAgenda: boolean
    } & Pick<Work, 'kind' | 'method' | 'args'>)
  | { readonly t: 'cancel'; readonly run: number }
  | { readonly t: 'next'; readonly run: number }
  | { readonly t: 'end'; readonly run: number }
  | {
      readonly t: 'changed'
      readonly sequence: number
      readonly durable: number
      readonly patches: Uint8Array
    }
  /** Of a call or send: its result; of items: the next one, undefined at the end. */
  | {
      readonly t: 'answer'
      readonly call: number
      readonly value: Uint8Array | undefined
      readonly receipt?: Receipt | undefined
    }
  | { readonly t: 'failed'; readonly call: number; readonly error: ErrorFrame }

export interface Calling {
  readonly call: number
  /** Which run makes it; undefined: none. */
  readonly run: number | undefined
  readonly target: Referent
  readonly method: string
  readonly args: Uint8Array
  readonly options: PlainOptions
}

/** Those that can be sent; a signal is heard on the other side. */
export type PlainOptions = Pick<CallOptions, 'timeoutMs' | 'retries' | 'durability' | 'receipt'>

/** Of a reference, beside its calls. */
export type Member = keyof Pick<Invoke, 'history' | 'restore' | 'fork'>

/** Of an agenda's, on behalf of a run. */
export type Question =
  | {
      readonly t: 'set'
      readonly run: number
      readonly id: string | undefined
      readonly at: number
      readonly every: number | undefined
      readonly method: string
      readonly args: Uint8Array
    }
  | { readonly t: 'unset'; readonly run: number; readonly id: string }
  | { readonly t: 'list'; readonly run: number }
  | { readonly t: 'status'; readonly target: Referent }

/** What a question is answered with. */
export type AnswerTo =
  | { readonly value: string | boolean | Uint8Array | ActorStatus | undefined }
  | { readonly error: ErrorFrame }

export type FromWorker =
  | { readonly t: 'ready'; readonly initial: Uint8Array }
  /** The state was taken, by the object or by another one. */
  | { readonly t: 'begun' }
  | { readonly t: 'broken'; readonly error: ErrorFrame }
  | { readonly t: 'done'; readonly run: number; readonly outcome: Outcome }
  | { readonly t: 'step'; readonly run: number; readonly step: Step }
  | { readonly t: 'ended'; readonly run: number }
  | ({ readonly t: 'call' | 'send' | 'items' } & Calling)
  | ({ readonly t: 'member' } & Calling & { readonly method: Member })
  /** `this.checkpoint()` */
  | { readonly t: 'pass'; readonly call: number; readonly run: number }
  /** The next item; or none any more. */
  | { readonly t: 'pull' | 'close'; readonly call: number }
  | { readonly t: 'abort'; readonly call: number }
  | { readonly t: 'ask'; readonly question: Question }

/** A copy that holds nothing else: a clone of a view takes the whole buffer along. To be transferred. */
export const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)

/** The buffers in a message, each the whole of what it shows; see {@link own}. */
export const moved = (...all: readonly (Uint8Array<ArrayBuffer> | undefined)[]): ArrayBuffer[] =>
  all.flatMap((bytes) => (bytes === undefined || bytes.length === 0 ? [] : [bytes.buffer]))
