// What a journal's blocks say. One block is one batch of records of many actors:
//
//     version (1 byte) · header length (4 bytes, big endian) · header (CBOR) · bodies, one after the other
//
// The header lists each record's actor, numbers and length, so that an index is built without decoding a body. A body
// larger than a part is cut over several entries, in one block or in consecutive ones; a record counts only when all its
// parts are there, so a journal cut in the middle of one ends before it.

import type { AgendaChange, AgendaData } from './agenda.ts'
import type { CallTableData, SettledCall } from './call-table.ts'
import { decode, encode } from './codec.ts'
import type { ActorKey } from './mesh-types.ts'

const VERSION = 1
/** Of a block in which an actor has an agenda: a release that does not know of agendas must not read past one. */
const AGENDA_VERSION = 2
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
}

/** One call's change, and the call; or what became of the agenda beside calls. */
export interface DeltaBody {
  readonly patches: Uint8Array
  readonly calls: readonly SettledCall[]
  readonly agenda: readonly AgendaChange[]
}

/** A record ready to be put into a block. */
export interface EncodedRecord {
  readonly head: RecordHead
  readonly body: Uint8Array
  /** In place of the body, where it was made in parts. */
  readonly parts?: readonly Uint8Array[]
  readonly hasAgenda?: boolean
}

/** One entry of a block: a record, or part `part` of `parts` of one. */
export interface BlockEntry extends RecordHead {
  readonly part: number
  readonly parts: number
  /** Where its bytes lie in the block. */
  readonly offset: number
  readonly length: number
}

type HeaderLine = readonly [ActorKey, number, number, number, number, number, number, number]
const KINDS: readonly RecordKind[] = ['snapshot', 'delta', 'release']

// The agenda, and what was told, come last and are left out where there is none: so records of earlier releases read the same.

export function encodeSnapshot({ state, calls, agenda, told }: SnapshotBody): Uint8Array {
  if (told !== undefined) return encode([state, calls, agenda ?? null, told])
  return encode(agenda === undefined ? [state, calls] : [state, calls, agenda])
}

export function decodeSnapshot(bytes: Uint8Array): SnapshotBody {
  type Fields = [Uint8Array, CallTableData, (AgendaData | null)?, CallTableData?]
  const [state, calls, agenda, told] = decode(bytes) as Fields
  return { state, calls, agenda: agenda ?? undefined, told }
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
  readonly hasAgenda?: boolean
}

export function cut(record: EncodedRecord, partBytes = PART_BYTES): readonly RecordPart[] {
  const count = Math.max(1, Math.ceil(record.body.length / partBytes))
  const cuts = Array.from({ length: count }, (_, n) =>
    record.body.subarray(n * partBytes, (n + 1) * partBytes),
  )
  const all = record.parts ?? cuts
  const hasAgenda = record.hasAgenda === true
  return all.map((bytes, part) => ({ ...record.head, part, parts: all.length, bytes, hasAgenda }))
}

export function encodeBlock(parts: readonly RecordPart[]): Uint8Array {
  const header = encode(
    parts.map(
      (part): HeaderLine => [
        part.actor,
        part.incarnation,
        part.epoch,
        part.sequence,
        KINDS.indexOf(part.kind),
        part.part,
        part.parts,
        part.bytes.length,
      ],
    ),
  )
  const total = parts.reduce((sum, part) => sum + part.bytes.length, PREFIX_BYTES + header.length)
  const block = new Uint8Array(total)
  block[0] = parts.some(({ hasAgenda }) => hasAgenda) ? AGENDA_VERSION : VERSION
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
  if (block[0] !== VERSION && block[0] !== AGENDA_VERSION) {
    throw new UnreadableBlock(
      `a block of format ${block[0]}, and this release reads up to ${AGENDA_VERSION}: upgrade actor-mesh`,
    )
  }
  if (block.length < PREFIX_BYTES) throw new UnreadableBlock('a block shorter than its prefix')
  const headerLength = new DataView(block.buffer, block.byteOffset, block.byteLength).getUint32(1)
  let offset = PREFIX_BYTES + headerLength
  if (offset > block.length) throw new UnreadableBlock('a block shorter than its header')
  const lines = decode(block.subarray(PREFIX_BYTES, offset)) as readonly HeaderLine[]
  const entries = lines.map(
    ([actor, incarnation, epoch, sequence, kind, part, parts, length]): BlockEntry => {
      const entry = { actor, incarnation, epoch, sequence, kind: KINDS[kind]!, part, parts, offset, length }
      offset += length
      return entry
    },
  )
  if (offset !== block.length) throw new UnreadableBlock('a block whose records do not fill it')
  return entries
}
