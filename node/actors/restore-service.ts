// Answers other peers' questions about the journals held here.

import type { JournalIndexes } from '../../checkpoint/journal-index.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import {
  RESTORE_SERVICE,
  RESTORED_SERVICE,
  type RestoreAnswer,
  type RestoreQuestion,
  readQuestion,
} from './restore-frames.ts'

/** Proofs in one answer: a few blocks, so that a large restore is many answers and nothing else waits behind it. */
const ANSWER_BYTES = 4 * 1024 * 1024

export function serveRestores(mesh: MeshHandle, store: LogStore, indexes: JournalIndexes): void {
  mesh.onService(RESTORE_SERVICE, (from, _boot, body) => {
    const question = readQuestion(body)
    if (question === undefined) return
    answer(store, indexes, question)
      .catch((error: unknown): RestoreAnswer => ({ a: 'no', id: question.id, why: String(error) }))
      .then((reply) => mesh.sendService(from, { service: RESTORED_SERVICE, body: reply }))
      .catch(() => {}) // the asker asks again
  })
}

async function answer(
  store: LogStore,
  indexes: JournalIndexes,
  question: RestoreQuestion,
): Promise<RestoreAnswer> {
  const { id, journal } = question
  if (question.q === 'find') {
    const blocks = await indexes.of(journal).find(question, question.length)
    if (blocks !== undefined) return { a: 'found', id, blocks }
    return { a: 'no', id, why: `holds ${await store.length(journal)} of its ${question.length} blocks` }
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
