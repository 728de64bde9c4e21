// What is inside the blocks of a registry log: first a snapshot in one or more parts, then batches of commands.

import type { Codec } from '../env.ts'
import { decodeRegistry, encodeRegistry, type RegistryTable } from './state.ts'
import type { IssuedCommand } from './types.ts'

export type RegistryBlock =
  | { readonly kind: 'snapshot'; readonly part: number; readonly parts: number; readonly data: Uint8Array }
  | { readonly kind: 'commands'; readonly commands: readonly IssuedCommand[] }

/** Snapshots are cut, because hypercore takes blocks up to 15 MB and a message should not block the stream. */
const SNAPSHOT_PART_BYTES = 4 * 1024 * 1024

export function snapshotBlocks(table: RegistryTable, codec: Codec): Uint8Array[] {
  const whole = codec.encode(encodeRegistry(table))
  const parts = Math.max(1, Math.ceil(whole.byteLength / SNAPSHOT_PART_BYTES))
  return Array.from({ length: parts }, (_, part) => {
    const data = whole.slice(part * SNAPSHOT_PART_BYTES, (part + 1) * SNAPSHOT_PART_BYTES)
    return codec.encode({ kind: 'snapshot', part, parts, data } satisfies RegistryBlock)
  })
}

/** Reads the blocks of one registry log in order. Throws on bytes that no writer of this protocol produced. */
export class BlockReader {
  readonly #codec: Codec
  #parts: Uint8Array[] = []

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** A table when the snapshot is complete, commands of a batch, or nothing while parts are missing. */
  next(bytes: Uint8Array): { table: RegistryTable } | { commands: readonly IssuedCommand[] } | undefined {
    const block = this.#codec.decode(bytes) as RegistryBlock
    if (block.kind === 'commands') return { commands: block.commands }
    this.#parts.push(block.data)
    if (this.#parts.length < block.parts) return undefined
    const size = this.#parts.reduce((sum, part) => sum + part.byteLength, 0)
    const whole = new Uint8Array(size)
    let offset = 0
    for (const part of this.#parts) {
      whole.set(part, offset)
      offset += part.byteLength
    }
    this.#parts = []
    return { table: decodeRegistry(this.#codec.decode(whole)) }
  }
}
