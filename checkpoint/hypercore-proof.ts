// A block on its way between two stores: the block, the writer's signature of the tree that ends with it, and the
// roots of the tree before it. That is enough to verify the block against nothing but the key of its log, and costs
// 176 bytes and 38 per root (one per set bit of the index). hypercore's own code hashes and verifies.
//
// hypercore keeps only the newest signature of a log, but a copy that is behind needs the one of its own next length.
// So every block but the first begins with the signature of the tree before it (the seam): any stretch of a log can be
// proved block by block, and the signature of the last block of a run vouches for all blocks of the run.
//
// On the wire: version 1 byte, public key 32, index 6, signature 68, number of roots 1, roots (size 6, hash 32) each,
// the block as stored. Integers are big-endian.

import Hypercore from 'hypercore'
import { MerkleTreeBatch, type TreeNode } from 'hypercore/lib/merkle-tree.js'
import Verifier from 'hypercore/lib/verifier.js'
import { InvalidProofError } from './errors.ts'
import { MAX_BLOCK_BYTES } from './port.ts'

const VERSION = 1
const KEY_BYTES = 32
const INTEGER_BYTES = 6
const HASH_BYTES = 32
/** hypercore's encoding of one ed25519 signature by the only signer: 1, 0, 64 bytes, 0, 0. */
export const SIGNATURE_BYTES = 68
const ROOT_BYTES = INTEGER_BYTES + HASH_BYTES
const HEADER_BYTES = 1 + KEY_BYTES + INTEGER_BYTES + SIGNATURE_BYTES + 1

export interface Proof {
  readonly publicKey: Buffer
  readonly index: number
  /** Of the tree of `index` + 1 blocks. */
  readonly signature: Buffer
  /** Of the tree of `index` blocks. */
  readonly roots: readonly TreeNode[]
  /** As hypercore stores it: with the seam in front. */
  readonly stored: Buffer
}

export const manifestOf = (publicKey: Buffer) => ({ version: 1, signers: [{ publicKey }] })
export const seamBytes = (index: number): number => (index === 0 ? 0 : SIGNATURE_BYTES)
export const seamOf = (index: number, stored: Buffer): Buffer => stored.subarray(0, seamBytes(index))
export const blockOf = (index: number, stored: Buffer): Buffer => stored.subarray(seamBytes(index))

export function encodeProof(proof: Proof): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + proof.roots.length * ROOT_BYTES + proof.stored.byteLength)
  bytes[0] = VERSION
  proof.publicKey.copy(bytes, 1)
  bytes.writeUIntBE(proof.index, 1 + KEY_BYTES, INTEGER_BYTES)
  proof.signature.copy(bytes, 1 + KEY_BYTES + INTEGER_BYTES)
  bytes[HEADER_BYTES - 1] = proof.roots.length
  let at = HEADER_BYTES
  for (const root of proof.roots) {
    bytes.writeUIntBE(root.size, at, INTEGER_BYTES)
    root.hash.copy(bytes, at + INTEGER_BYTES)
    at += ROOT_BYTES
  }
  proof.stored.copy(bytes, at)
  return bytes
}

/** Total: bytes that are no proof throw {@link InvalidProofError}, whatever they are. Views of the input, no copies. */
export function decodeProof(input: Uint8Array): Proof {
  if (!(input instanceof Uint8Array)) throw new InvalidProofError('it is not made of bytes')
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  if (bytes.byteLength < HEADER_BYTES) throw new InvalidProofError('it is too short')
  if (bytes[0] !== VERSION) throw new InvalidProofError('its version is unknown')
  const index = bytes.readUIntBE(1 + KEY_BYTES, INTEGER_BYTES)
  const signature = bytes.subarray(1 + KEY_BYTES + INTEGER_BYTES, HEADER_BYTES - 1)
  const indexes = rootIndexes(index)
  if (bytes[HEADER_BYTES - 1] !== indexes.length)
    throw new InvalidProofError('it has a wrong number of roots')
  const start = HEADER_BYTES + indexes.length * ROOT_BYTES
  const stored = bytes.subarray(start)
  if (bytes.byteLength < start + seamBytes(index)) throw new InvalidProofError('it is cut short')
  if (stored.byteLength > seamBytes(index) + MAX_BLOCK_BYTES)
    throw new InvalidProofError('its block is too large')
  if (!isSingleSignature(signature)) throw new InvalidProofError('its signature is malformed')
  const roots = indexes.map((node, i) => readRoot(bytes, HEADER_BYTES + i * ROOT_BYTES, node))
  return { publicKey: bytes.subarray(1, 1 + KEY_BYTES), index, signature, roots, stored }
}

/** Verifies one proof against the key of its log and nothing else. */
export function verifyProof(key: Buffer, proof: Proof): void {
  if (!isWriterOf(key, proof.publicKey)) throw new InvalidProofError("its writer is not the log's")
  const tree = treeOf(proof.roots, proof.index)
  tree.append(proof.stored)
  if (!Verifier.fromManifest(manifestOf(proof.publicKey)).verify(tree, proof.signature)) {
    throw new InvalidProofError('the signature is not of this block')
  }
}

function isWriterOf(key: Buffer, publicKey: Buffer): boolean {
  return Hypercore.key(manifestOf(publicKey)).equals(key)
}

/** A tree to append to that needs no storage. */
export function treeOf(roots: readonly TreeNode[], length: number): MerkleTreeBatch {
  const byteLength = roots.reduce((sum, root) => sum + root.size, 0)
  return new MerkleTreeBatch({
    fork: 0,
    roots,
    length,
    byteLength,
    signature: null,
    prologue: null,
    storage: null,
  })
}

export function sameRoots(a: readonly TreeNode[], b: readonly TreeNode[]): boolean {
  return (
    a.length === b.length &&
    a.every((root, i) => root.index === b[i]?.index && root.size === b[i].size && root.hash.equals(b[i].hash))
  )
}

/** Flat-tree indexes of the roots over `length` leaves: one full subtree per set bit, largest first. */
function rootIndexes(length: number): number[] {
  const indexes: number[] = []
  let leaves = 0
  for (let size = 2 ** 47; size >= 1; size /= 2) {
    if (length - leaves < size) continue
    indexes.push(2 * leaves + size - 1)
    leaves += size
  }
  return indexes
}

function readRoot(bytes: Buffer, at: number, index: number): TreeNode {
  const size = bytes.readUIntBE(at, INTEGER_BYTES)
  return { index, size, hash: bytes.subarray(at + INTEGER_BYTES, at + ROOT_BYTES) }
}

function isSingleSignature(bytes: Buffer): boolean {
  return bytes[0] === 1 && bytes[1] === 0 && bytes[66] === 0 && bytes[67] === 0
}
