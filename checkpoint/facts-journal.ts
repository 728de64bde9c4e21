// The facts on disk: one file of checksummed entries. The first entry is a snapshot, later ones are patches; every
// open, and growth past a limit, writes a new file with one snapshot and puts it in the old one's place.
//
// F1 an entry is synced before anybody is told, and before the next one is written: only the last can be torn.
// F2 a bad entry with a good one behind it is damage, never a torn end: promises would be forgotten silently.
// F3 a new file takes the old one's place only when it is synced.

import { type FileHandle, readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { reasonOf, StoreDamagedError } from './errors.ts'
import { decodeFactsEntry, encodeFactsEntry, type FactsEntry, FactsTable } from './facts.ts'
import { replaceFile, writeAll } from './files.ts'
import type { FactsPatch, StoreFacts } from './mesh-types.ts'

const MAGIC = Buffer.from('AMF1')
/** magic, sequence, payload length, payload checksum, checksum of the 16 bytes before. */
const HEADER_BYTES = 20
/** Rewriting costs as much as the snapshot: with this factor it is a quarter of what the patches cost. */
const REWRITE_FACTOR = 4
const REWRITE_MIN_BYTES = 4 * 1024 * 1024

export class FactsJournal {
  readonly #path: string
  readonly #table: FactsTable
  readonly #rewriteMinBytes: number
  #file: FileHandle
  #size: number
  #snapshotSize: number
  #sequence = 1

  private constructor(
    path: string,
    table: FactsTable,
    file: FileHandle,
    size: number,
    rewriteMinBytes: number,
  ) {
    this.#path = path
    this.#table = table
    this.#file = file
    this.#size = size
    this.#snapshotSize = size
    this.#rewriteMinBytes = rewriteMinBytes
  }

  static async create(
    path: string,
    facts: StoreFacts,
    rewriteMinBytes = REWRITE_MIN_BYTES,
  ): Promise<FactsJournal> {
    const bytes = frame(0, { kind: 'snapshot', facts })
    return new FactsJournal(
      path,
      new FactsTable(facts),
      await replaceFile(path, bytes),
      bytes.byteLength,
      rewriteMinBytes,
    )
  }

  static async open(path: string, rewriteMinBytes = REWRITE_MIN_BYTES): Promise<FactsJournal> {
    const facts = readFacts(await readFile(path), path)
    return FactsJournal.create(path, facts, rewriteMinBytes)
  }

  get table(): FactsTable {
    return this.#table
  }

  /** Resolves once the patches are durable, all of them together. */
  async append(patches: readonly FactsPatch[]): Promise<void> {
    for (const patch of patches) this.#table.apply(patch)
    if (this.#size > Math.max(this.#rewriteMinBytes, REWRITE_FACTOR * this.#snapshotSize))
      return this.#rewrite()
    const bytes = frame(this.#sequence, { kind: 'patches', patches })
    await writeAll(this.#file, bytes, this.#size)
    await this.#file.datasync()
    this.#size += bytes.byteLength
    this.#sequence += 1
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #rewrite(): Promise<void> {
    const bytes = frame(0, { kind: 'snapshot', facts: this.#table.snapshot() })
    const old = this.#file
    this.#file = await replaceFile(this.#path, bytes)
    this.#size = bytes.byteLength
    this.#snapshotSize = bytes.byteLength
    this.#sequence = 1
    await old.close()
  }
}

function frame(sequence: number, entry: FactsEntry): Buffer {
  const payload = encodeFactsEntry(entry)
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.byteLength)
  MAGIC.copy(bytes, 0)
  bytes.writeUInt32BE(sequence, 4)
  bytes.writeUInt32BE(payload.byteLength, 8)
  bytes.writeUInt32BE(crc32(payload), 12)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 16)), 16)
  payload.copy(bytes, HEADER_BYTES)
  return bytes
}

/** The entry at `offset` with its end, or undefined when it is cut short or its checksums don't hold. */
function entryAt(
  bytes: Buffer,
  offset: number,
): { sequence: number; entry: FactsEntry; end: number } | undefined {
  if (offset + HEADER_BYTES > bytes.byteLength) return undefined
  const header = bytes.subarray(offset, offset + HEADER_BYTES)
  if (!header.subarray(0, 4).equals(MAGIC) || header.readUInt32BE(16) !== crc32(header.subarray(0, 16)))
    return undefined
  const end = offset + HEADER_BYTES + header.readUInt32BE(8)
  if (end > bytes.byteLength) return undefined
  const payload = bytes.subarray(offset + HEADER_BYTES, end)
  if (header.readUInt32BE(12) !== crc32(payload)) return undefined
  const entry = decodeFactsEntry(payload)
  return entry === undefined ? undefined : { sequence: header.readUInt32BE(4), entry, end }
}

function readFacts(bytes: Buffer, path: string): StoreFacts {
  const first = entryAt(bytes, 0)
  if (first === undefined || first.entry.kind !== 'snapshot') {
    throw new StoreDamagedError(`The facts in ${path} don't begin with a readable snapshot`)
  }
  const table = new FactsTable(first.entry.facts)
  let offset = first.end
  for (let sequence = 1; offset < bytes.byteLength; sequence += 1) {
    const next = entryAt(bytes, offset)
    if (next === undefined || next.sequence !== sequence || next.entry.kind !== 'patches') {
      refuseDamage(bytes, offset, path)
      break
    }
    applyAll(table, next.entry.patches, path)
    offset = next.end
  }
  return table.snapshot()
}

function applyAll(table: FactsTable, patches: readonly FactsPatch[], path: string): void {
  try {
    for (const patch of patches) table.apply(patch)
  } catch (error) {
    throw new StoreDamagedError(`An entry of ${path} is not a change of facts (${reasonOf(error)})`, error)
  }
}

/** F2: what can't be read at `offset` may only be the torn end of the file. */
function refuseDamage(bytes: Buffer, offset: number, path: string): void {
  for (let at = bytes.indexOf(MAGIC, offset); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (entryAt(bytes, at) !== undefined) {
      throw new StoreDamagedError(
        `The facts in ${path} are damaged at byte ${offset}, with readable entries behind it`,
      )
    }
  }
}
