// What a journal tells of one actor's past, newest first. Read backwards from a length that the caller vouches for, block by
// block and without an index: somebody looks back now and then, and every index would have to be kept for it.
//
//  R10 Nothing at or beyond the length that was asked for is ever part of an answer.

import type { ActorKey, CallerId, LogKey } from './mesh-types.ts'
import type { LogStore } from './port.ts'
import { type BlockEntry, decodeDelta, type FoldedChange, type RecordKind, readHeader } from './records.ts'

/** Of which records: those of one life of a name, over all its homes. */
export interface HistoryQuestion {
  readonly actor: ActorKey
  readonly incarnation: number
  /** Blocks of the journal that count. */
  readonly length: number
  /** Only records with lower numbers. */
  readonly before: number
  /** That many, the newest of them. */
  readonly limit: number
}

/** One record. */
export interface HistoryLine {
  readonly sequence: number
  readonly epoch: number
  readonly kind: RecordKind
  /** Wall-clock milliseconds; 0: not known. */
  readonly at: number
  /** Of its body. */
  readonly bytes: number
  /** What made it; empty where nobody called for it. */
  readonly method: string
  /** Null where nobody called, or that can't be read here. */
  readonly caller: CallerId | null
  /** Changes that a snapshot was written with, its own among them. */
  readonly folded: readonly FoldedChange[]
}

/** Blocks read at a time: a page of a busy journal, and no more than a few of them for nothing. */
const READ_BLOCKS = 32

interface Parts {
  seen: number
  bytes: number
}

/** Undefined when the store does not hold `length` blocks: that is no answer. */
export async function historyOf(
  store: LogStore,
  journal: LogKey,
  { actor, incarnation, length, before, limit }: HistoryQuestion,
): Promise<readonly HistoryLine[] | undefined> {
  if ((await store.length(journal)) < length) return undefined
  const lines: HistoryLine[] = []
  const parts = new Map<string, Parts>()
  let to = length
  while (to > 0 && lines.length < limit) {
    const from = Math.max(0, to - READ_BLOCKS)
    const blocks = await readAll(store, journal, from, to) // R10
    if (blocks === undefined) return undefined
    for (const block of blocks.toReversed())
      for (const entry of readHeader(block).toReversed()) {
        if (entry.actor !== actor || entry.incarnation !== incarnation) continue
        if (entry.sequence >= before || lines.length >= limit) continue
        const key = `${entry.epoch} ${entry.sequence}`
        const { seen, bytes } = parts.get(key) ?? { seen: 0, bytes: 0 }
        const now = { seen: seen + 1, bytes: bytes + entry.length }
        // Its last parts may be beyond the length: then it does not count.
        if (entry.part !== entry.parts - now.seen) continue
        parts.set(key, now)
        if (entry.part === 0) lines.push(lineOf(entry, now.bytes, block))
      }
    to = from
  }
  return lines
}

async function readAll(
  store: LogStore,
  journal: LogKey,
  from: number,
  to: number,
): Promise<readonly Uint8Array[] | undefined> {
  const blocks: Uint8Array[] = []
  while (from + blocks.length < to) {
    const some = await store.read(journal, from + blocks.length, to)
    if (some.length === 0) return undefined // the log was given up meanwhile
    blocks.push(...some)
  }
  return blocks
}

function lineOf(entry: BlockEntry, bytes: number, block: Uint8Array): HistoryLine {
  const { sequence, epoch, kind, at, note } = entry
  const common = { sequence, epoch, kind, at, bytes }
  if (typeof note === 'string' || kind === 'delta')
    return { ...common, method: String(note ?? ''), caller: callerOf(entry, block), folded: [] }
  const folded = note ?? []
  const own = folded.find(([each]) => each === sequence)
  return { ...common, method: own?.[1] ?? '', caller: own?.[2] ?? null, folded }
}

/** A delta's caller is in its body; one of several parts is not put together for that. */
function callerOf(entry: BlockEntry, block: Uint8Array): CallerId | null {
  if (entry.parts > 1) return null
  try {
    const { calls } = decodeDelta(block.subarray(entry.offset, entry.offset + entry.length))
    return calls[0]?.caller ?? null
  } catch {
    return null
  }
}

/**
 * The blocks, in order, that the state as of one record is made from: those from the last snapshot before it, or its own, on.
 * None when the journal has no such record or not what it depends on; undefined like {@link historyOf}.
 */
export async function blocksUpTo(
  store: LogStore,
  journal: LogKey,
  life: { readonly actor: ActorKey; readonly incarnation: number; readonly epoch: number },
  { length, sequence }: { readonly length: number; readonly sequence: number },
): Promise<readonly number[] | undefined> {
  if ((await store.length(journal)) < length) return undefined
  const wanted: number[] = []
  let found = false
  for (let at = length - 1; at >= 0; at--) {
    const [block] = await store.read(journal, at, at + 1) // R10
    if (block === undefined) return undefined
    const own = readHeader(block).filter(
      (entry) =>
        entry.actor === life.actor &&
        entry.incarnation === life.incarnation &&
        entry.epoch === life.epoch &&
        entry.sequence <= sequence,
    )
    found ||= own.some((entry) => entry.sequence === sequence && entry.part === entry.parts - 1)
    if (!found || own.length === 0) continue
    wanted.unshift(at)
    if (own.some((entry) => entry.kind !== 'delta' && entry.part === 0)) return wanted
  }
  return []
}
