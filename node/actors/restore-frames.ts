// Questions about journals that a peer holds, and their answers, for a peer that restores an actor.

import type { ActorLife } from '../../checkpoint/journal-index.ts'
import type { LogKey } from '../../mesh/ids.ts'

/** Questions and answers are two services: each has one listener. */
export const RESTORE_SERVICE = 'restore'
export const RESTORED_SERVICE = 'restored'

export type RestoreQuestion =
  /** Which blocks below `length` does the actor's state need? */
  | ({
      readonly q: 'find'
      readonly id: string
      readonly journal: LogKey
      readonly length: number
    } & ActorLife)
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
  /** Not held here, or not enough of it. */
  | { readonly a: 'no'; readonly id: string; readonly why: string }

const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const counts = (value: unknown): boolean => Array.isArray(value) && value.every(count)

export function readQuestion(body: unknown): RestoreQuestion | undefined {
  const { q, id, journal, length, actor, incarnation, epoch, indexes } = (body ?? {}) as Record<
    string,
    unknown
  >
  if (typeof id !== 'string' || typeof journal !== 'string') return undefined
  const find =
    q === 'find' && count(length) && typeof actor === 'string' && count(incarnation) && count(epoch)
  return find || (q === 'blocks' && counts(indexes)) ? (body as RestoreQuestion) : undefined
}

export function readAnswer(body: unknown): RestoreAnswer | undefined {
  const { a, id, blocks, proofs, why } = (body ?? {}) as Record<string, unknown>
  if (typeof id !== 'string') return undefined
  const fine =
    (a === 'found' && counts(blocks)) ||
    (a === 'blocks' && Array.isArray(proofs) && proofs.every((proof) => proof instanceof Uint8Array)) ||
    (a === 'no' && typeof why === 'string')
  return fine ? (body as RestoreAnswer) : undefined
}
