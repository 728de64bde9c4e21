// Answers other peers' questions about the journals held here.

import { blocksUpTo, historyOf } from '../../checkpoint/history.ts'
import type { JournalIndexes } from '../../checkpoint/journal-index.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { LogKey } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import {
  type Newest,
  RESTORE_SERVICE,
  RESTORED_SERVICE,
  type RestoreAnswer,
  type RestoreQuestion,
  readQuestion,
} from './restore-frames.ts'

/** Proofs in one answer: a few blocks, so that a large restore is many answers and nothing else waits behind it. */
const ANSWER_BYTES = 4 * 1024 * 1024

/** Of one page of a history; more than that is another question. */
const MAX_LINES = 1000

export interface RestoreSide {
  readonly store: LogStore
  readonly indexes: JournalIndexes
  /** How much of a journal that this boot writes is acknowledged; undefined: it is not one. */
  readonly acknowledged: (journal: LogKey) => number | undefined
  /** Of an actor that is at home here, and confirmed to be (D1 in bounded-reads.ts). */
  readonly newest: (life: Pick<ActorEntry, 'key' | 'incarnation' | 'epoch'>) => Promise<Newest | undefined>
}

export function serveRestores(mesh: MeshHandle, side: RestoreSide): void {
  mesh.onService(RESTORE_SERVICE, (from, _boot, body) => {
    const question = readQuestion(body)
    if (question === undefined) return
    answer(side, question)
      .catch((error: unknown): RestoreAnswer => ({ a: 'no', id: question.id, why: String(error) }))
      .then((reply) => mesh.sendService(from, { service: RESTORED_SERVICE, body: reply }))
      .catch(() => {}) // the asker asks again
  })
}

async function answer(
  { store, indexes, acknowledged, newest }: RestoreSide,
  question: RestoreQuestion,
): Promise<RestoreAnswer> {
  const { id } = question
  if (question.q === 'newest') {
    const { actor: key, incarnation, epoch } = question
    const found = await newest({ key, incarnation, epoch })
    return found === undefined ? { a: 'no', id, why: 'has nothing of it' } : { a: 'newest', id, ...found }
  }
  const { journal } = question
  const lacks = async (length: number): Promise<RestoreAnswer> => ({
    a: 'no',
    id,
    why: `holds ${await store.length(journal)} of its ${length} blocks`,
  })
  if (question.q === 'find') {
    const { length, sequence } = question
    const blocks = await (sequence === undefined
      ? indexes.of(journal).find(question, length)
      : blocksUpTo(store, journal, question, { length, sequence }))
    return blocks === undefined ? lacks(length) : { a: 'found', id, blocks }
  }
  if (question.q === 'length') {
    const length = acknowledged(journal)
    return length === undefined ? { a: 'no', id, why: 'does not write it' } : { a: 'length', id, length }
  }
  if (question.q === 'history') {
    const lines = await historyOf(store, journal, {
      ...question,
      limit: Math.min(question.limit, MAX_LINES),
    })
    return lines === undefined ? lacks(question.length) : { a: 'history', id, lines }
  }
  const proofs: Uint8Array[] = []
  let bytes = 0
  for (const index of question.indexes) {
    const [proof] = await store.prove(journal, index, index + 1)
    if (proof === undefined) break
    proofs.push(proof)
    bytes += proof.length
    if (bytes >= ANSWER_BYTES) break
  }
  return proofs.length > 0 ? { a: 'blocks', id, proofs } : { a: 'no', id, why: 'does not hold these blocks' }
}
