// One corestore: every call to it, and to the hypercores in it, is here. Callers see to it that calls for one log
// don't overlap.
//
// H1 corestore stores the secret of a key pair that it is given. Ours never reaches it: a log is opened by key and
//    manifest, and the pair goes along with each append.
// H2 a block is stored only as the next one of its log, together with the signature of that length, in one write: the
//    tree is never longer than the blocks. (hypercore's applyProof would let it be.)
// H3 no core here ever replicates: nothing is downloaded or uploaded, and the code that prints conflicts isn't reached.
// H4 a log here has every block below its length, so which those are is not read back from the disk at each append; and what
//    an append has written of that in its one write is not written once more in another.

import { generateKeyPairSync } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import Corestore from 'corestore'
import Hypercore, { type Core, type KeyPair } from 'hypercore'
import Bitfield from 'hypercore/lib/bitfield.js'
import { MerkleTree } from 'hypercore/lib/merkle-tree.js'
import { codeOf, InvalidProofError, StoreDamagedError } from './errors.ts'
import {
  blockOf,
  encodeProof,
  manifestOf,
  type Proof,
  SIGNATURE_BYTES,
  sameRoots,
  seamOf,
  treeOf,
} from './hypercore-proof.ts'

/** Blocks read at a time: enough to hide the trip to rocksdb's threads. */
const READ_WINDOW = 64
/** And no more than about this much memory at a time, going by the blocks read so far. */
const READ_WINDOW_BYTES = 4 * 1024 * 1024

export class HypercoreLogs {
  readonly #store: Corestore

  private constructor(store: Corestore) {
    this.#store = store
  }

  /** Throws what corestore throws; the caller knows the directory and makes sense of it. */
  static async open(directory: string, options: Readonly<Record<string, unknown>>): Promise<HypercoreLogs> {
    const storage = Hypercore.defaultStorage(directory, options)
    const store = new Corestore(storage, { suspend: false })
    try {
      await store.ready()
      await removeOldReports(storage.rocks.path)
    } catch (error) {
      await storage.deviceFile?.close().catch(() => {})
      throw error
    }
    return new HypercoreLogs(store)
  }

  async isEmpty(): Promise<boolean> {
    for await (const _ of this.#store.storage.createDiscoveryKeyStream()) return false
    return true
  }

  /** What is stored of the key pairs of all logs: nothing, H1. */
  async storedKeyPairs(): Promise<unknown[]> {
    const pairs: unknown[] = []
    for await (const discoveryKey of this.#store.storage.createDiscoveryKeyStream()) {
      pairs.push((await this.#store.storage.getAuth(discoveryKey))?.keyPair ?? null)
    }
    return pairs
  }

  async currentWal(): Promise<number> {
    return (await this.#store.storage.rocks.currentWalFile()).number
  }

  get walDirectory(): string {
    return this.#store.storage.rocks.path
  }

  /** The log, made, which this object can append to from now on. */
  async create({ key, keyPair }: NewLog): Promise<OpenLog> {
    return this.#open(key, keyPair.publicKey, keyPair)
  }

  /** Undefined for a log never heard of. */
  async find(key: Buffer): Promise<OpenLog | undefined> {
    // Asked first: a failed open would stay in corestore's cache for seconds.
    if (!(await this.#store.storage.hasCore(Hypercore.discoveryKey(key)))) return undefined
    return this.#open(key)
  }

  /** The log of this writer, made if need be. */
  async adopt(key: Buffer, publicKey: Buffer): Promise<OpenLog> {
    return this.#open(key, Buffer.from(publicKey))
  }

  /** Removes the log and everything in it; it is as if never heard of. */
  async remove(log: OpenLog): Promise<void> {
    const { storage } = log.core.core.state
    const writer = storage.write()
    writer.deleteHead()
    writer.deleteBlockRange(0, -1)
    writer.deleteTreeNodeRange(0, -1)
    writer.deleteBitfieldPageRange(0, -1)
    // The name first: a crash in between leaves bytes that nothing names, never a log without its blocks.
    await this.#store.storage.deleteCore(storage.core)
    await writer.flush()
    await log.close()
    // Else corestore hands out the old core, with its length and its place, to whoever opens the log again.
    await log.core.core.close()
  }

  /** Gives the space of removed logs back to the file system. */
  async compact(): Promise<void> {
    await this.#store.storage.db.flush()
    await this.#store.storage.compact()
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #open(key: Buffer, publicKey?: Buffer, keyPair?: KeyPair): Promise<OpenLog> {
    const manifest = publicKey && manifestOf(publicKey)
    const core = this.#store.get({
      key,
      active: false,
      ...(manifest ? { manifest } : { createIfMissing: false }),
    }) // H1, H3
    await core.ready()
    spareTrips(core.core) // H4
    const writer = core.manifest?.signers[0]?.publicKey
    if (writer === undefined || core.recovering !== 0 || core.contiguousLength !== core.length) {
      await core.close()
      throw new StoreDamagedError(`Log ${key.toString('hex')} lost blocks that it had`)
    }
    return new OpenLog(core, writer, keyPair)
  }
}

export interface NewLog {
  readonly key: Buffer
  readonly keyPair: KeyPair
}

/** A log while it is open. Blocks go in and out without their seams (hypercore-proof.ts). */
export class OpenLog {
  readonly core: Hypercore
  readonly #keyPair: KeyPair | undefined
  readonly #publicKey: Buffer

  constructor(core: Hypercore, publicKey: Buffer, keyPair: KeyPair | undefined) {
    this.core = core
    this.#publicKey = publicKey
    this.#keyPair = keyPair
  }

  get length(): number {
    return this.core.length
  }

  get byteLength(): number {
    return this.core.core.state.byteLength
  }

  get writable(): boolean {
    return this.#keyPair !== undefined
  }

  async append(block: Uint8Array): Promise<{ length: number; proof: Buffer }> {
    if (this.#keyPair === undefined) throw new Error('append to a log of another writer')
    const { length: index, roots, signature: seam } = this.core.core.state
    const stored = Buffer.concat(seam === null ? [block] : [seam, block])
    const { length } = await this.core.append(stored, { keyPair: this.#keyPair })
    const proof = { publicKey: this.#publicKey, index, signature: this.#signature(), roots, stored }
    return { length, proof: encodeProof(proof) }
  }

  /** Stores a run of proofs that begins at the length held, in one write, or nothing of it. */
  async ingest(run: readonly Proof[]): Promise<void> {
    const last = run.at(-1)
    if (last === undefined) return
    this.#checkRun(run)
    try {
      // A copy of the signature: hypercore keeps it, and it is a view of a whole frame.
      await this.core.append(
        run.map((proof) => proof.stored),
        { signature: Buffer.from(last.signature) },
      )
    } catch (error) {
      if (codeOf(error) === 'INVALID_SIGNATURE')
        throw new InvalidProofError('the signature is not of this block')
      throw error
    }
  }

  async hash(length: number): Promise<string> {
    return length === 0 ? '' : (await this.core.treeHash(length)).toString('hex')
  }

  async read(from: number, to: number, maxBytes: number): Promise<Buffer[]> {
    const blocks: Buffer[] = []
    let bytes = 0
    for await (const [index, stored] of this.#stored(from, Math.min(to, this.length))) {
      const block = blockOf(index, stored)
      bytes += block.byteLength
      if (blocks.length > 0 && bytes > maxBytes) break
      blocks.push(block)
    }
    return blocks
  }

  async prove(from: number, to: number, maxBytes: number): Promise<Buffer[]> {
    const end = Math.min(to, this.length)
    if (from >= end) return []
    const tree = treeOf(await MerkleTree.getRoots(this.core.core.state, from), from)
    const publicKey = this.#publicKey
    const proofs: Buffer[] = []
    let bytes = 0
    let waiting: { index: number; roots: Proof['roots']; stored: Buffer } | undefined
    // Each block is proved with the seam of the one behind it, the last of the log with the signature of the log.
    for await (const [index, stored] of this.#stored(from, Math.min(end + 1, this.length))) {
      if (waiting !== undefined && !add(seamOf(index, stored))) return proofs
      waiting = { index, roots: [...tree.roots], stored }
      tree.append(stored)
    }
    if (end === this.length) add(this.#signature())
    return proofs

    function add(signature: Buffer): boolean {
      if (waiting === undefined) return false
      const proof = encodeProof({ publicKey, signature, ...waiting })
      bytes += proof.byteLength
      if (proofs.length > 0 && bytes > maxBytes) return false
      proofs.push(proof)
      return true
    }
  }

  async close(): Promise<void> {
    await this.core.close()
  }

  #signature(): Buffer {
    const { signature } = this.core.core.state
    if (signature?.byteLength !== SIGNATURE_BYTES) throw new Error('hypercore changed its signatures')
    return signature
  }

  /** Everything that hypercore does not check itself: it is given nothing but blocks and the last signature. */
  #checkRun(run: readonly Proof[]): void {
    const tree = treeOf(this.core.core.state.roots, this.length)
    let seam = this.core.core.state.signature ?? Buffer.alloc(0)
    for (const [i, proof] of run.entries()) {
      if (!proof.publicKey.equals(this.#publicKey)) throw new InvalidProofError("its writer is not the log's")
      if (!sameRoots(proof.roots, tree.roots))
        throw new InvalidProofError('its roots are not those of the log')
      if (!seamOf(proof.index, proof.stored).equals(seam))
        throw new InvalidProofError('it does not follow the block before')
      seam = proof.signature
      if (i < run.length - 1) tree.append(proof.stored)
    }
  }

  async *#stored(from: number, to: number): AsyncGenerator<[number, Buffer]> {
    let window = 1
    for (let start = from; start < to; ) {
      const end = Math.min(to, start + window)
      const reader = this.core.core.state.storage.read()
      const reads = Array.from({ length: end - start }, (_, i) => reader.getBlock(start + i))
      reader.tryFlush()
      let bytes = 0
      for (const [i, stored] of (await Promise.all(reads)).entries()) {
        if (stored === null) throw new StoreDamagedError(`Block ${start + i} of a log is missing`)
        bytes += stored.byteLength
        yield [start + i, stored]
      }
      window = Math.max(
        1,
        Math.min(
          READ_WINDOW,
          Math.floor((READ_WINDOW_BYTES * (end - start)) / Math.max(1, bytes)),
          4 * window,
        ),
      )
      start = end
    }
  }
}

/**
 * hypercore reads the page of an appended block to set its bit: here it is told what the page is. And it writes again how
 * many blocks there are without a gap, which it did along with the block.
 */
function spareTrips(core: Core): void {
  const { state, header } = core
  const { storage } = state
  // Opened again while it was still open, it is the same core.
  if (Object.hasOwn(storage, 'read')) return
  const flushHints = core.flushHints.bind(core)
  core.flushHints = async () => {
    const { contiguousLength, recovering } = header.hints
    if (contiguousLength !== state.length || recovering !== 0) return flushHints()
    core.hintsChanged = false
  }
  const read = storage.read.bind(storage)
  storage.read = (fork) => {
    const reader = read(fork)
    reader.getBitfieldPage = (index) => {
      // Whoever asks for pages asks for nothing else, so there is nothing to read.
      reader.tryFlush = reader.destroy
      return Promise.resolve(storedPage(index, state.length))
    }
    return reader
  }
}

/** A page of the blocks of a log of that length. */
function storedPage(index: number, length: number): Buffer {
  const { BITS_PER_PAGE, BYTES_PER_PAGE } = Bitfield
  const stored = Math.min(Math.max(length - index * BITS_PER_PAGE, 0), BITS_PER_PAGE)
  const whole = Math.floor(stored / 8)
  const page = Buffer.alloc(BYTES_PER_PAGE).fill(0xff, 0, whole)
  if (whole < BYTES_PER_PAGE) page[whole] = 2 ** (stored % 8) - 1
  return page
}

/** rocksdb begins a new report of what it does at every open, and keeps a thousand old ones that nobody reads. */
async function removeOldReports(directory: string): Promise<void> {
  for (const name of await readdir(directory))
    if (name.startsWith('LOG.old.')) await rm(join(directory, name), { force: true })
}

/** A log that is nowhere yet. */
export function newLog(): NewLog {
  const keyPair = newKeyPair()
  return { key: Hypercore.key(manifestOf(keyPair.publicKey)), keyPair }
}

function newKeyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const publicKey = Buffer.from(x ?? '', 'base64url')
  return { publicKey, secretKey: Buffer.concat([Buffer.from(d ?? '', 'base64url'), publicKey]) }
}
