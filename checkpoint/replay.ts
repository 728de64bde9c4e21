// From blocks back to an actor: the last complete snapshot and the deltas after it. What comes out is, value for value,
// what the live actor had after the last of these records, because a live actor applies its own decoded patches too.

import { apply, type Patches } from 'mutative'
import { Agenda } from './agenda.ts'
import { CallTable } from './call-table.ts'
import type { Cipher } from './cipher.ts'
import { decodeUser } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { type BlockEntry, decodeDelta, decodeSnapshot, type RecordKind, readHeader } from './records.ts'
import type { MakeRef } from './reference.ts'

export interface Restored {
  readonly state: object
  readonly calls: CallTable
  readonly agenda: Agenda
  /** Answers of calls that changed nothing, where a record has them. */
  readonly told?: CallTable
  /** Of the class that the state is one of. */
  readonly version: number
  /** Of the last record. */
  readonly sequence: number
  readonly kind: RecordKind
}

/** Applies patches that came from bytes. A first patch with an empty path replaces the whole state. */
export function applyPatches(state: object, patches: Patches): object {
  const [first] = patches
  if (first === undefined) return state
  if (first.path.length === 0) return first.value as object
  return apply(state, patches) as object
}

interface Whole {
  readonly entry: BlockEntry
  readonly body: Uint8Array
}

/**
 * Undefined when the blocks hold no complete snapshot of that life. Blocks in journal order. With `cipher` every record of it
 * is encrypted; throws where one is not, or was changed.
 */
export function replay(
  life: ActorLife,
  blocks: readonly Uint8Array[],
  makeRef?: MakeRef,
  cipher?: Cipher,
): Restored | undefined {
  const records = wholeRecords(life, blocks)
  const bodyOf = ({ entry, body }: Whole): Uint8Array =>
    cipher === undefined ? body : cipher.decrypt({ what: 'record', ...entry }, body)
  const start = records.findLastIndex((record) => record.entry.kind !== 'delta')
  if (start < 0) return undefined
  const first = records[start]!
  const snapshot = decodeSnapshot(bodyOf(first))
  let state = decodeUser(snapshot.state, makeRef) as object
  const calls = CallTable.from(snapshot.calls)
  const agenda = Agenda.from(snapshot.agenda)
  let last = first.entry
  for (const record of records.slice(start + 1)) {
    const { entry } = record
    if (entry.sequence !== last.sequence + 1) {
      throw new Error(
        `records of ${life.actor} jump from ${last.sequence} to ${entry.sequence}: a block is missing`,
      )
    }
    const delta = decodeDelta(bodyOf(record))
    state = applyPatches(state, decodeUser(delta.patches, makeRef) as Patches)
    for (const call of delta.calls) calls.settle(call, entry.sequence)
    for (const change of delta.agenda) agenda.apply(change) // Q1
    last = entry
  }
  const told = snapshot.told === undefined ? {} : { told: CallTable.from(snapshot.told) }
  return {
    state,
    calls,
    agenda,
    ...told,
    version: snapshot.version,
    sequence: last.sequence,
    kind: last.kind,
  }
}

function wholeRecords(life: ActorLife, blocks: readonly Uint8Array[]): readonly Whole[] {
  const whole: Whole[] = []
  let parts: Uint8Array[] = []
  for (const block of blocks) {
    for (const entry of readHeader(block)) {
      const { actor, incarnation, epoch } = entry
      if (actor !== life.actor || incarnation !== life.incarnation || epoch !== life.epoch) continue
      if (entry.part === 0) parts = []
      parts.push(block.subarray(entry.offset, entry.offset + entry.length))
      // Blocks may start in the middle of a record that is older than the snapshot: it never gets complete.
      if (entry.part === entry.parts - 1 && parts.length === entry.parts) {
        whole.push({ entry, body: parts.length === 1 ? parts[0]! : Buffer.concat(parts) })
      }
    }
  }
  return whole
}
