// Questions about journals that a peer holds, and their answers, for a peer that restores an actor.

import type { HistoryLine, HistoryQuestion } from '../../checkpoint/history.ts'
import type { ActorLife } from '../../checkpoint/journal-index.ts'
import type { LogKey } from '../../mesh/ids.ts'

/** Questions and answers are two services: each has one listener. */
export const RESTORE_SERVICE = 'restore'
export const RESTORED_SERVICE = 'restored'

/** The newest acknowledged record of an actor, and the block with its last part. */
export interface Newest {
  readonly sequence: number
  readonly journal: LogKey
  readonly index: number
}

export type RestoreQuestion =
  /** Which blocks below `length` does the actor's state need, or its state as of one record? */
  | ({
      readonly q: 'find'
      readonly id: string
      readonly journal: LogKey
      readonly length: number
      readonly sequence?: number
    } & ActorLife)
  /** Of an open journal, to its writer: how much of it is acknowledged? */
  | { readonly q: 'length'; readonly id: string; readonly journal: LogKey }
  /** To an actor's host, which confirms that it is that after it was asked. */
  | ({ readonly q: 'newest'; readonly id: string } & ActorLife)
  | ({ readonly q: 'history'; readonly id: string; readonly journal: LogKey } & HistoryQuestion)
  | {
      readonly q: 'blocks'
      readonly id: string
      readonly journal: LogKey
      readonly indexes: readonly number[]
    }

export type RestoreAnswer =
  | { readonly a: 'found'; readonly id: string; readonly blocks: readonly number[] }
  /** Proofs of as many of the blocks as fit, in the order asked, at least one. */
  | { readonly a: 'blocks'; readonly id: string; readonly proofs: readonly Uint8Array[] }
  | { readonly a: 'length'; readonly id: string; readonly length: number }
  | ({ readonly a: 'newest'; readonly id: string } & Newest)
  | { readonly a: 'history'; readonly id: string; readonly lines: readonly HistoryLine[] }
  /** Not held here, or not enough of it. */
  | { readonly a: 'no'; readonly id: string; readonly why: string }

const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const counts = (value: unknown): boolean => Array.isArray(value) && value.every(count)
const text = (value: unknown): boolean => typeof value === 'string'

export function readQuestion(body: unknown): RestoreQuestion | undefined {
  const { q, id, journal, length, actor, incarnation, epoch, sequence, before, limit, indexes } = (body ??
    {}) as Record<string, unknown>
  if (!text(id)) return undefined
  if (q === 'newest')
    return text(actor) && count(incarnation) && count(epoch) ? (body as RestoreQuestion) : undefined
  if (!text(journal)) return undefined
  const actors = count(length) && text(actor) && count(incarnation)
  const fine =
    (q === 'find' && actors && count(epoch) && (sequence === undefined || count(sequence))) ||
    (q === 'blocks' && counts(indexes)) ||
    q === 'length' ||
    (q === 'history' && actors && count(before) && count(limit))
  return fine ? (body as RestoreQuestion) : undefined
}

const isFolded = (value: unknown): boolean =>
  Array.isArray(value) && count(value[0]) && text(value[1]) && (value[2] === null || text(value[2]))

function isLine(value: unknown): boolean {
  const line = (value ?? {}) as Record<string, unknown>
  const { sequence, epoch, kind, at, bytes, method, caller, folded } = line
  return (
    [sequence, epoch, at, bytes].every(count) &&
    (kind === 'snapshot' || kind === 'delta' || kind === 'release') &&
    text(method) &&
    (caller === null || text(caller)) &&
    Array.isArray(folded) &&
    folded.every(isFolded)
  )
}

export function readAnswer(body: unknown): RestoreAnswer | undefined {
  const { a, id, blocks, proofs, length, lines, sequence, journal, index, why } = (body ?? {}) as Record<
    string,
    unknown
  >
  if (typeof id !== 'string') return undefined
  const fine =
    (a === 'found' && counts(blocks)) ||
    (a === 'blocks' && Array.isArray(proofs) && proofs.every((proof) => proof instanceof Uint8Array)) ||
    (a === 'length' && count(length)) ||
    (a === 'newest' && count(sequence) && text(journal) && count(index)) ||
    (a === 'history' && Array.isArray(lines) && lines.every(isLine)) ||
    (a === 'no' && typeof why === 'string')
  return fine ? (body as RestoreAnswer) : undefined
}
