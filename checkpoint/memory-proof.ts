// Proofs of the in-memory twin. The hash of a log is a chain of its blocks; the tag stands for the writer's signature.
// It is no cryptography: whoever reads this file can forge one. It refuses what a test can do to a real proof: flipped
// bits, the wrong log, the wrong place, the wrong block.
//
// On the wire: version 1 byte, index 6 bytes, the chain before the block 32, the tag 32, the block.

import { hash } from 'node:crypto'
import { InvalidProofError } from './errors.ts'
import type { MemoryBlock } from './memory-disk.ts'
import type { LogKey } from './mesh-types.ts'
import { MAX_BLOCK_BYTES } from './port.ts'

const VERSION = 1
const HEADER_BYTES = 1 + 6 + 32 + 32

export interface MemoryProof {
  readonly index: number
  /** Hex; the empty string before the first block. */
  readonly before: string
  readonly after: string
  readonly block: Uint8Array
}

export function chain(before: string, block: Uint8Array): string {
  const bytes = Buffer.allocUnsafe(before.length + block.byteLength)
  bytes.write(before, 'latin1')
  bytes.set(block, before.length)
  return hash('sha256', bytes)
}

export function encodeMemoryProof(
  log: LogKey,
  index: number,
  before: string,
  { block, hash: after }: MemoryBlock,
): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + block.byteLength)
  bytes[0] = VERSION
  bytes.writeUIntBE(index, 1, 6)
  bytes.write(before, 7, 'hex')
  bytes.write(tag(log, index, after), 39, 'hex')
  bytes.set(block, HEADER_BYTES)
  return bytes
}

/** Decodes and verifies; throws {@link InvalidProofError} and nothing else. */
export function verifyMemoryProof(log: LogKey, input: Uint8Array): MemoryProof {
  if (!(input instanceof Uint8Array)) throw new InvalidProofError('it is not made of bytes')
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  if (bytes.byteLength < HEADER_BYTES || bytes[0] !== VERSION)
    throw new InvalidProofError('it is not a proof')
  if (bytes.byteLength > HEADER_BYTES + MAX_BLOCK_BYTES) throw new InvalidProofError('its block is too large')
  const index = bytes.readUIntBE(1, 6)
  const chained = bytes.toString('hex', 7, 39)
  if (index === 0 && /[^0]/.test(chained)) throw new InvalidProofError('nothing is before the first block')
  const before = index === 0 ? '' : chained
  const block = new Uint8Array(bytes.subarray(HEADER_BYTES))
  const after = chain(before, block)
  if (bytes.toString('hex', 39, 71) !== tag(log, index, after))
    throw new InvalidProofError('the tag is not of this block')
  return { index, before, after, block }
}

function tag(log: LogKey, index: number, after: string): string {
  return hash('sha256', `${log} ${index} ${after}`)
}
