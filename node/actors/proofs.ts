// Where a record of an actor is kept, and how durable it is there: for calls that ask for more than their type.

import type { ActorLog, Position } from '../../checkpoint/actor-log.ts'
import type { JournalClass } from '../../mesh/registry/types.ts'
import type { Receipt } from '../api.ts'
import { MeshUnavailableError } from '../errors.ts'
import type { CallFrame } from './frames.ts'
import type { JournalSide } from './journal-writer.ts'

export interface ProofsInit {
  readonly log: ActorLog
  readonly journal: JournalSide
  readonly level: JournalClass['level']
}

/** Whether a result of that call waits for more, or says more, than others; of an error there is no receipt. */
export const wantsProof = ({ durability, receipt }: CallFrame, kind: 'result' | 'error'): boolean =>
  durability === 'synced' || (receipt === true && kind === 'result')

/**
 * Resolves when the record is as durable as the call wants it, with the receipt that it asked for. Rejects when the
 * actor is over here.
 */
export async function prove(
  init: ProofsInit,
  record: number,
  { durability, receipt }: CallFrame,
): Promise<Receipt | undefined> {
  const { log, journal, level } = init
  if (durability === undefined && log.durable < record)
    return { record, journal: '', block: -1, keepers: [], durability: 'unsaved' }
  const isSynced = level === 'synced' || durability === 'synced'
  const position = await reach(log, journal, record, isSynced && level !== 'synced')
  if (receipt !== true) return undefined
  const keepers = journal.holders(position) ?? []
  const { journal: key, index: block } = position
  return { record, journal: key, block, keepers, durability: isSynced ? 'synced' : 'replicated' }
}

/** Has it in a journal that this boot writes now: elsewhere nobody says anything any more, and the copy counts. */
async function reach(log: ActorLog, journal: JournalSide, record: number, sync: boolean): Promise<Position> {
  for (;;) {
    await log.whenDurable(record)
    const { position } = log
    const isHere = position !== undefined && journal.holders(position) !== undefined
    if (isHere && (!sync || (await journal.sync(position)))) return position
    if (log.position !== position) continue
    await log.writeSnapshot()
    if (log.position === position)
      throw new MeshUnavailableError('the actor was released: its next home says where it is')
  }
}
