// The in-memory twin of the hypercore store, for the simulator and for tests: the same contract, no disk, and nothing
// happens by itself. Whoever opens it decides when each operation ends.

import { createHash } from 'node:crypto'
import { logKey, storeId } from '../mesh/ids.ts'
import {
  BlockTooLargeError,
  DirectoryInUseError,
  InvalidProofError,
  NotHeldError,
  NotWritableError,
  StoreClosedError,
  StoreError,
  StoreFailedError,
} from './errors.ts'
import type { MemoryBlock, MemoryDisk, MemoryWrite } from './memory-disk.ts'
import { chain, encodeMemoryProof, verifyMemoryProof } from './memory-proof.ts'
import type { FactsPatch, LogKey, StoreFacts } from './mesh-types.ts'
import { type LogStore, MAX_BLOCK_BYTES } from './port.ts'
import { SharedRun } from './shared-run.ts'
import { Turns } from './turns.ts'

export type MemoryOperation = 'open' | 'append' | 'ingest' | 'read' | 'drop' | 'sync' | 'persist' | 'close'

export interface MemoryStoreOptions {
  readonly disk: MemoryDisk
  /** 128 random bits in hex, from the simulation's seed. */
  readonly random: () => string
  /**
   * Calls back when the disk is to be done with an operation; in which order and when is the simulator's choice.
   * Default: in a microtask. Operations of one log are handed over one after the other.
   */
  readonly schedule?: (operation: MemoryOperation, done: () => void) => void
}

/** Throws DirectoryInUseError while another store has the disk open. */
export async function openMemoryStore(options: MemoryStoreOptions): Promise<LogStore> {
  const store = new MemoryStore(options)
  await store.opened()
  return store
}

class MemoryStore implements LogStore {
  readonly facts: StoreFacts
  readonly systemBoot: string
  readonly #disk: MemoryDisk
  readonly #random: () => string
  readonly #schedule: (operation: MemoryOperation, done: () => void) => void
  readonly #turns = new Turns<LogKey>()
  readonly #writable = new Set<LogKey>()
  /** Writes handed to the disk that it is not done with. */
  readonly #inFlight = new Set<MemoryWrite>()
  readonly #syncing = new SharedRun(() => this.#guard(() => this.#syncDisk()))
  readonly #persisting = new SharedRun(() => this.#guard(() => this.#persistPending()))
  #pending: FactsPatch[] = []
  #persistingNow: readonly FactsPatch[] = []
  #failure: StoreFailedError | undefined
  #closing: Promise<void> | undefined
  #crashed = false

  constructor({ disk, random, schedule = (_, done) => queueMicrotask(done) }: MemoryStoreOptions) {
    if (!disk.own(this)) throw new DirectoryInUseError('The disk')
    this.#disk = disk
    this.#random = random
    this.#schedule = schedule
    this.facts = disk.loadFacts(() => ({ storeId: storeId(random()), boots: [], logs: {}, peers: {} }))
    this.systemBoot = disk.systemBoot
  }

  opened(): Promise<void> {
    return this.#step('open', () => {})
  }

  /** The process ends here: nothing of it settles or writes any more. */
  crash(keepInFlight: boolean): void {
    this.#crashed = true
    if (!keepInFlight) return
    for (const write of this.#inFlight) this.#disk.write(write)
    this.#disk.persist(this.#persistingNow)
  }

  async createLog(): Promise<LogKey> {
    this.#assertOpen()
    const log = logKey(createHash('sha256').update(this.#random()).digest('hex'))
    this.#writable.add(log)
    return log
  }

  append(log: LogKey, block: Uint8Array): Promise<{ length: number; proof: Uint8Array }> {
    return this.#inTurn(log, async () => {
      if (block.byteLength > MAX_BLOCK_BYTES) throw new BlockTooLargeError(block.byteLength, MAX_BLOCK_BYTES)
      if (!this.#writable.has(log)) throw new NotWritableError(log)
      const held = this.#held(log)
      const index = held.length
      const before = held.at(-1)?.hash ?? ''
      const copy = new Uint8Array(block)
      const appended = { block: copy, hash: chain(before, copy) }
      await this.#write('append', { kind: 'append', log, blocks: [appended] })
      return { length: index + 1, proof: encodeMemoryProof(log, index, before, appended) }
    })
  }

  ingest(log: LogKey, proofs: readonly Uint8Array[]): Promise<number> {
    return this.#inTurn(log, async () => {
      if (!Array.isArray(proofs)) throw new InvalidProofError('there is no list of proofs')
      const decoded = proofs.map((proof) => verifyMemoryProof(log, proof))
      const held = this.#held(log).length
      const run = decoded.filter((proof) => proof.index >= held)
      if (run.length === 0 || run.some((proof, i) => proof.index !== held + i))
        return this.#step('read', () => held)
      let hash = this.#held(log).at(-1)?.hash ?? ''
      for (const proof of run) {
        if (proof.before !== hash) throw new InvalidProofError('it does not follow the block before')
        hash = proof.after
      }
      const blocks = run.map(({ block, after }) => ({ block, hash: after }))
      await this.#write('ingest', { kind: 'append', log, blocks })
      return held + run.length
    })
  }

  length(log: LogKey): Promise<number> {
    return this.#reading(log, () => this.#held(log).length)
  }

  hash(log: LogKey, length: number): Promise<string> {
    return this.#reading(log, () => {
      const held = this.#held(log)
      if (!Number.isSafeInteger(length) || length < 0 || length > held.length) {
        throw new NotHeldError(log, length, held.length)
      }
      return held[length - 1]?.hash ?? ''
    })
  }

  read(
    log: LogKey,
    from: number,
    to: number,
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<readonly Uint8Array[]> {
    return this.#reading(log, () =>
      within(
        maxBytes,
        range(this.#held(log), from, to).map(({ block }) => new Uint8Array(block)),
      ),
    )
  }

  prove(
    log: LogKey,
    from: number,
    to: number,
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<readonly Uint8Array[]> {
    return this.#reading(log, () => {
      const held = this.#held(log)
      const proofs = range(held, from, to).map((each, i) =>
        encodeMemoryProof(log, from + i, held[from + i - 1]?.hash ?? '', each),
      )
      return within(maxBytes, proofs)
    })
  }

  async verify(log: LogKey, proof: Uint8Array): Promise<{ index: number; block: Uint8Array }> {
    this.#assertOpen()
    const { index, block } = verifyMemoryProof(log, proof)
    return { index, block }
  }

  async sync(): Promise<void> {
    this.#assertOpen()
    await this.#syncing.request()
  }

  async persist(patch: FactsPatch): Promise<void> {
    this.#assertOpen()
    this.#pending.push(patch)
    await this.#persisting.request()
  }

  drop(log: LogKey): Promise<void> {
    return this.#inTurn(log, async () => {
      this.#writable.delete(log)
      if (this.#disk.writtenLogs.has(log)) await this.#write('drop', { kind: 'drop', log })
      else await this.#step('read', () => {})
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#turns.idle()
    await this.#persisting.request().catch(() => {})
    await this.#syncing.request().catch(() => {})
    await this.#step('close', () => this.#disk.disown(this))
  }

  #held(log: LogKey): readonly MemoryBlock[] {
    return this.#disk.writtenLogs.get(log) ?? []
  }

  #write(operation: MemoryOperation, write: MemoryWrite): Promise<void> {
    this.#inFlight.add(write)
    return this.#step(operation, () => {
      this.#inFlight.delete(write)
      this.#disk.write(write)
    })
  }

  #syncDisk(): Promise<void> {
    const covered = this.#disk.unsynced()
    return this.#step('sync', () => this.#disk.sync(covered))
  }

  async #persistPending(): Promise<void> {
    const patches = this.#pending
    this.#pending = []
    if (patches.length === 0) return
    await this.#syncing.request()
    this.#persistingNow = patches
    await this.#step('persist', () => {
      this.#persistingNow = []
      this.#disk.persist(patches)
    })
  }

  /**
   * Does something to the disk when the simulator says so, and never once the process has crashed. At once, not in a
   * microtask later: a crash may come in between.
   */
  #step<Result>(operation: MemoryOperation, effect: () => Result): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    if (this.#crashed) return promise
    this.#schedule(operation, () => {
      if (this.#crashed) return
      try {
        resolve(effect())
      } catch (error) {
        reject(error)
      }
    })
    return promise
  }

  #reading<Result>(log: LogKey, result: () => Result): Promise<Result> {
    return this.#inTurn(log, () =>
      this.#step('read', () => {
        this.#disk.assertSound(log)
        return result()
      }),
    )
  }

  #inTurn<Result>(log: LogKey, work: () => Promise<Result>): Promise<Result> {
    try {
      this.#assertOpen()
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#turns.take(log, () => this.#guard(work))
  }

  #guard<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return work().catch((error: unknown) => {
      if (error instanceof StoreError) throw error
      this.#failure ??= new StoreFailedError('The disk failed', error)
      throw this.#failure
    })
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreClosedError()
    if (this.#failure !== undefined) throw this.#failure
  }
}

function range(held: readonly MemoryBlock[], from: number, to: number): readonly MemoryBlock[] {
  return Number.isSafeInteger(from) && from >= 0 && to > from ? held.slice(from, to) : []
}

function within<Bytes extends Uint8Array>(maxBytes: number, all: readonly Bytes[]): readonly Bytes[] {
  let bytes = 0
  const end = all.findIndex((one, i) => {
    bytes += one.byteLength
    return i > 0 && bytes > maxBytes
  })
  return end === -1 ? all : all.slice(0, end)
}
