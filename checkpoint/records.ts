// What a journal's blocks say. One block is one batch of records of many actors:
//
//     version (1 byte) · header length (4 bytes, big endian) · header (CBOR) · bodies, one after the other
//
// The header says when the block was formed, and lists each record's actor, numbers, length and what it is of, so that an
// index or a history is built without decoding a body. A body
// larger than a part is cut over several entries, in one block or in consecutive ones; a record counts only when all its
// parts are there, so a journal cut in the middle of one ends before it.

import type { AgendaChange, AgendaData } from './agenda.ts'
import type { CallTableData, SettledCall } from './call-table.ts'
import { decode, encode } from './codec.ts'
import type { ActorKey, CallerId } from './mesh-types.ts'

/** Blocks of format 1 and 2 differ in their header: it has neither a time nor notes. */
const VERSION = 3
const PREFIX_BYTES = 5
/** Small enough that a large snapshot lets others' records through, large enough that its parts are few. */
export const PART_BYTES = 1024 * 1024

/** A `release` is a snapshot after which this epoch of the actor writes nothing more. */
export type RecordKind = 'snapshot' | 'delta' | 'release'

export interface RecordHead {
  readonly actor: ActorKey
  readonly incarnation: number
  readonly epoch: number
  /** +1 with every record of an actor, over all journals and epochs. */
  readonly sequence: number
  readonly kind: RecordKind
}

/** Everything an actor is: its state, the calls that the state contains, and what it still has to do. */
export interface SnapshotBody {
  readonly state: Uint8Array
  readonly calls: CallTableData
  /** Undefined while it never had one. */
  readonly agenda: AgendaData | undefined
  /** Answers of calls that changed nothing; only of an actor that is passivated. */
  readonly told: CallTableData | undefined
  /** Of the class that the state is one of; deltas to it are of the same. 0 where the class has none. */
  readonly version: number
}

/** One call's change, and the call; or what became of the agenda beside calls. */
export interface DeltaBody {
  readonly patches: Uint8Array
  readonly calls: readonly SettledCall[]
  readonly agenda: readonly AgendaChange[]
}

/** A change that a snapshot holds and no record of its own tells of; nobody called for it where the caller is null. */
export type FoldedChange = readonly [sequence: number, method: string, caller: CallerId | null]

/** For people who look back: the method that made a delta, or the changes that a snapshot was written with. */
export type Note = string | readonly FoldedChange[]

/** A record ready to be put into a block. */
export interface EncodedRecord {
  readonly head: RecordHead
  readonly body: Uint8Array
  /** In place of the body, where it was made in parts. */
  readonly parts?: readonly Uint8Array[]
  readonly note?: Note
}

/** One entry of a block: a record, or part `part` of `parts` of one. */
export interface BlockEntry extends RecordHead {
  readonly part: number
  readonly parts: number
  /** Where its bytes lie in the block. */
  readonly offset: number
  readonly length: number
  /** On the first part. */
  readonly note: Note | undefined
  /** Wall-clock milliseconds at which its host formed the block; 0: not known. One time is enough for a batch. */
  readonly at: number
}

type HeaderLine = readonly [ActorKey, number, number, number, number, number, number, number, Note?]
const KINDS: readonly RecordKind[] = ['snapshot', 'delta', 'release']

// Most actors have none of what comes last, which is left out then.

export function encodeSnapshot({ state, calls, agenda, told, version }: SnapshotBody): Uint8Array {
  const rest = [agenda ?? null, told ?? null, version === 0 ? null : version]
  while (rest.at(-1) === null) rest.pop()
  return encode([state, calls, ...rest])
}

export function decodeSnapshot(bytes: Uint8Array): SnapshotBody {
  type Fields = [Uint8Array, CallTableData, (AgendaData | null)?, (CallTableData | null)?, number?]
  const [state, calls, agenda, told, version = 0] = decode(bytes) as Fields
  return { state, calls, agenda: agenda ?? undefined, told: told ?? undefined, version }
}

export function encodeDelta({ patches, calls, agenda }: DeltaBody): Uint8Array {
  const lines = calls.map((call) => [
    call.caller,
    call.n,
    call.path,
    call.floors.own,
    call.floors.all,
    call.result,
  ])
  return encode(agenda.length === 0 ? [patches, lines] : [patches, lines, agenda])
}

export function decodeDelta(bytes: Uint8Array): DeltaBody {
  type Line = [SettledCall['caller'], number, string, number, number, Uint8Array]
  const [patches, lines, agenda = []] = decode(bytes) as [Uint8Array, Line[], (readonly AgendaChange[])?]
  const calls = lines.map(([caller, n, path, own, all, result]) => ({
    caller,
    n,
    path,
    floors: { own, all },
    result,
  }))
  return { patches, calls, agenda }
}

/** Cuts a record into the parts that blocks carry. */
export interface RecordPart extends RecordHead {
  readonly part: number
  readonly parts: number
  readonly bytes: Uint8Array
  readonly note?: Note
}

export function cut(record: EncodedRecord, partBytes = PART_BYTES): readonly RecordPart[] {
  const count = Math.max(1, Math.ceil(record.body.length / partBytes))
  const all =
    record.parts ??
    Array.from({ length: count }, (_, n) => record.body.subarray(n * partBytes, (n + 1) * partBytes))
  return all.map((bytes, part) => ({
    ...record.head,
    part,
    parts: all.length,
    bytes,
    ...(part === 0 && record.note !== undefined && { note: record.note }),
  }))
}

export function encodeBlock(parts: readonly RecordPart[], at = 0): Uint8Array {
  const header = encode([
    at,
    ...parts.map(
      (part): HeaderLine => [
        part.actor,
        part.incarnation,
        part.epoch,
        part.sequence,
        KINDS.indexOf(part.kind),
        part.part,
        part.parts,
        part.bytes.length,
        ...(part.note === undefined ? ([] as const) : ([part.note] as const)),
      ],
    ),
  ])
  const total = parts.reduce((sum, part) => sum + part.bytes.length, PREFIX_BYTES + header.length)
  const block = new Uint8Array(total)
  block[0] = VERSION
  new DataView(block.buffer).setUint32(1, header.length)
  block.set(header, PREFIX_BYTES)
  let offset = PREFIX_BYTES + header.length
  for (const part of parts) {
    block.set(part.bytes, offset)
    offset += part.bytes.length
  }
  return block
}

/** A block of this version that contradicts itself, or one of another version. */
export class UnreadableBlock extends Error {
  override name = 'UnreadableBlock'
}

/** The entries of a block, bodies untouched. Throws {@link UnreadableBlock}. */
export function readHeader(block: Uint8Array): readonly BlockEntry[] {
  const version = block[0] ?? 0
  if (version < 1 || version > VERSION) {
    throw new UnreadableBlock(
      `a block of format ${version}, and this release reads up to ${VERSION}: upgrade actor-mesh`,
    )
  }
  if (block.length < PREFIX_BYTES) throw new UnreadableBlock('a block shorter than its prefix')
  const headerLength = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(1)
  let offset = PREFIX_BYTES + headerLength
  if (offset > block.length) throw new UnreadableBlock('a block shorter than its header')
  const header = decode(block.subarray(PREFIX_BYTES, offset)) as readonly (number | HeaderLine)[]
  const at = version === VERSION ? (header[0] as number) : 0
  const lines = (version === VERSION ? header.slice(1) : header) as readonly HeaderLine[]
  const entries = lines.map((line): BlockEntry => {
    const [actor, incarnation, epoch, sequence, kind, part, parts, length, note] = line
    const numbers = { actor, incarnation, epoch, sequence, kind: KINDS[kind]!, part, parts }
    const entry = { ...numbers, offset, length, note, at }
    offset += length
    return entry
  })
  if (offset !== block.length) throw new UnreadableBlock('a block whose records do not fill it')
  return entries
}
