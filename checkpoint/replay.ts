// From blocks back to an actor: the last complete snapshot and the deltas after it. What comes out is, value for value,
// what the live actor had after the last of these records, because a live actor applies its own decoded patches too.

import { apply, type Patches } from 'mutative'
import { Agenda } from './agenda.ts'
import { CallTable } from './call-table.ts'
import { type Cipher, isEncryptedPart } from './cipher.ts'
import { decodeUser } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { decodeLarge, isLarge, type LargeSnapshot } from './large-snapshot.ts'
import { PIECE_BYTES } from './pieces.ts'
import { type BlockEntry, decodeDelta, decodeSnapshot, type RecordKind, readHeader } from './records.ts'
import type { MakeRef } from './reference.ts'
import { atOnce, type Sliced } from './slices.ts'

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
  /** About the size of the state, encoded. */
  readonly bytes: number
}

/** Applies patches that came from bytes. A first patch with an empty path replaces the whole state. */
export function applyPatches(state: object, patches: Patches): object {
  const [first] = patches
  if (first === undefined) return state
  if (first.path.length === 0) return first.value as object
  return apply(state, patches) as object
}

/** The same to a state that nobody else has: what a change does not touch is not copied either. */
function applyInPlace(state: object, patches: Patches): object {
  const [first] = patches
  if (first === undefined) return state
  if (first.path.length === 0) return first.value as object
  apply(state, patches, { mutable: true })
  return state
}

/** What a small delta takes, as bytes of a large one. */
const DELTA_WORK = 1024

interface Whole {
  readonly entry: BlockEntry
  readonly parts: readonly Uint8Array[]
}

/**
 * Undefined when the blocks hold no complete snapshot of that life. Blocks in journal order; records after `upTo` are left out. With `cipher` every record of it
 * is encrypted; throws where one is not, or was changed.
 */
export const replay = (
  life: ActorLife,
  blocks: readonly Uint8Array[],
  makeRef?: MakeRef,
  cipher?: Cipher,
  upTo?: number,
): Restored | undefined => atOnce(replaying(life, blocks, makeRef, cipher, upTo))

/** The same in slices of work. */
export function* replaying(
  life: ActorLife,
  blocks: readonly Uint8Array[],
  makeRef?: MakeRef,
  cipher?: Cipher,
  upTo = Number.POSITIVE_INFINITY,
): Sliced<Restored | undefined> {
  const records = wholeRecords(life, blocks).filter(({ entry }) => entry.sequence <= upTo)
  const start = records.findLastIndex((record) => record.entry.kind !== 'delta')
  if (start < 0) return undefined
  const first = records[start]!
  const parts = yield* textOf(first, cipher)
  const snapshot = isLarge(parts) ? yield* decodeLarge(parts, makeRef) : decodeSmall(joined(parts), makeRef)
  let { state } = snapshot
  let bytes = parts.reduce((sum, { length }) => sum + length, 0)
  let work = 0
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
    const delta = decodeDelta(joined(yield* textOf(record, cipher)))
    bytes += delta.patches.length
    work += delta.patches.length + DELTA_WORK
    if (work > PIECE_BYTES) {
      yield undefined
      work = 0
    }
    state = applyInPlace(state, decodeUser(delta.patches, makeRef) as Patches)
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
    bytes,
  }
}

/** What a record says, decrypted: as it was encrypted, whole or part by part. */
function* textOf({ entry, parts }: Whole, cipher: Cipher | undefined): Sliced<readonly Uint8Array[]> {
  if (cipher === undefined) return parts
  if (!isEncryptedPart(parts[0]!)) return [cipher.decrypt({ what: 'record', ...entry }, joined(parts))]
  const texts: Uint8Array[] = []
  for (const [part, bytes] of parts.entries()) {
    texts.push(cipher.decrypt({ ...entry, what: 'part', part, parts: parts.length }, bytes))
    yield undefined
  }
  return texts
}

function decodeSmall(body: Uint8Array, makeRef: MakeRef | undefined): LargeSnapshot {
  const { state, ...rest } = decodeSnapshot(body)
  return { ...rest, state: decodeUser(state, makeRef) as object }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? parts[0]! : Buffer.concat(parts)

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
        whole.push({ entry, parts })
      }
    }
  }
  return whole
}
