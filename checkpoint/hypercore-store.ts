// The LogStore on a real disk: logs in one corestore, facts in a journal beside it.
//
// S1 operations on one log take turns (turns.ts); everything a log promises rests on that.
// S2 facts are written after the logs are synced: a seal is durable together with the blocks it counts.
// S3 after a failed write or sync nothing is known about the disk, and nothing more is answered.
// S4 who may append is known to this object alone, and only for logs it created.
// S5 a log that was created is in no corestore before its first block: a process that ends before it wrote down what the log
//    is leaves nothing of it behind.

import { logKey, storeId } from '../mesh/ids.ts'
import { exists, meaningOf, prepareDirectory, type StoreDirectory, syncNewDirectory } from './directory.ts'
import {
  BlockTooLargeError,
  InvalidProofError,
  NotHeldError,
  NotWritableError,
  StoreClosedError,
  StoreDamagedError,
  StoreError,
  StoreFailedError,
} from './errors.ts'
import { FactsJournal } from './facts-journal.ts'
import { HypercoreLogs, type NewLog, newLog, type OpenLog } from './hypercore-logs.ts'
import { blockOf, decodeProof, type Proof, verifyProof } from './hypercore-proof.ts'
import type { FactsPatch, LogKey, StoreFacts } from './mesh-types.ts'
import { type LogStore, MAX_BLOCK_BYTES } from './port.ts'
import { SharedRun } from './shared-run.ts'
import { systemBoot } from './system-boot.ts'
import { Turns } from './turns.ts'
import { RealWalDisk, type WalDisk, WalSync } from './wal-sync.ts'

export interface HypercoreStoreOptions {
  /** Made with mode 0700 if it is not there. */
  readonly directory: string
  /** 128 random bits in hex. */
  readonly random: () => string
  /** What rocksdb holds in memory before it begins a new WAL. */
  readonly writeBufferBytes?: number
  readonly maxOpenLogs?: number
  /** Dropping logs of this many bytes together rewrites the rest, to give their space back. */
  readonly compactAfterBytes?: number
  readonly walDisk?: WalDisk
}

/** An open log costs 14 to 18 KB: this many are 16 MB. Logs created here stay open beyond it. */
const MAX_OPEN_LOGS = 1024
/** A quarter of rocksdb's default: bounds what an open after a crash reads again, and the memory of a small peer. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024
/** Compaction rewrites what is live; it pays when about this much can be given back. */
const COMPACT_AFTER_BYTES = 64 * 1024 * 1024

/**
 * Opens the store in a directory, or makes one.
 * Throws {@link StoreError}s: DIRECTORY_IN_USE, DIRECTORY_UNREADABLE, NOT_A_STORE, STORE_DAMAGED, STORE_COPIED, STORE_FAILED.
 */
export async function openHypercoreStore(options: HypercoreStoreOptions): Promise<LogStore> {
  const directory = await prepareDirectory(options.directory)
  let logs: HypercoreLogs | undefined
  try {
    const { writeBufferBytes = WRITE_BUFFER_BYTES } = options
    logs = await HypercoreLogs.open(directory.logs, { writeBufferSize: writeBufferBytes })
    const journal = await openFacts(directory, logs, options.random)
    return new HypercoreStore(logs, journal, options)
  } catch (error) {
    await logs?.close().catch(() => {})
    throw meaningOf(error, directory.path)
  }
}

/** Under the lock of the logs: decided anew, another process may have made the store in the meantime. */
async function openFacts(
  directory: StoreDirectory,
  logs: HypercoreLogs,
  random: () => string,
): Promise<FactsJournal> {
  if (await exists(directory.facts)) return FactsJournal.open(directory.facts)
  if (!(await logs.isEmpty()))
    throw new StoreDamagedError(`The facts of the store in ${directory.path} are gone`)
  await syncNewDirectory(directory)
  return FactsJournal.create(directory.facts, { storeId: storeId(random()), boots: [], logs: {}, peers: {} })
}

class HypercoreStore implements LogStore {
  readonly facts: StoreFacts
  readonly systemBoot = systemBoot()
  readonly #logs: HypercoreLogs
  readonly #journal: FactsJournal
  readonly #wal: WalSync
  readonly #maxOpenLogs: number
  readonly #compactAfterBytes: number
  readonly #turns = new Turns<LogKey>()
  /** Least recently used first. */
  readonly #open = new Map<LogKey, OpenLog>()
  /** Created and still without a block (S5). */
  readonly #new = new Map<LogKey, NewLog>()
  readonly #syncing = new SharedRun(() => this.#guard('A sync failed', () => this.#wal.sync()))
  readonly #persisting = new SharedRun(() =>
    this.#guard('Writing facts failed', () => this.#persistPending()),
  )
  #pending: FactsPatch[] = []
  #droppedBytes = 0
  #compacting: Promise<void> = Promise.resolve()
  #failure: StoreFailedError | undefined
  #closing: Promise<void> | undefined

  constructor(logs: HypercoreLogs, journal: FactsJournal, options: HypercoreStoreOptions) {
    this.#logs = logs
    this.#journal = journal
    this.#wal = new WalSync(logs.walDirectory, () => logs.currentWal(), options.walDisk ?? new RealWalDisk())
    this.#maxOpenLogs = options.maxOpenLogs ?? MAX_OPEN_LOGS
    this.#compactAfterBytes = options.compactAfterBytes ?? COMPACT_AFTER_BYTES
    this.facts = journal.table.snapshot()
  }

  async createLog(): Promise<LogKey> {
    this.#assertOpen()
    const created = newLog()
    const name = logKey(created.key.toString('hex'))
    this.#new.set(name, created) // S5
    return name
  }

  append(log: LogKey, block: Uint8Array): Promise<{ length: number; proof: Uint8Array }> {
    return this.#inTurn(log, async () => {
      if (block.byteLength > MAX_BLOCK_BYTES) throw new BlockTooLargeError(block.byteLength, MAX_BLOCK_BYTES)
      const open = this.#open.get(log) ?? (await this.#begin(log))
      if (!open?.writable) throw new NotWritableError(log) // S4
      return open.append(block)
    })
  }

  ingest(log: LogKey, proofs: readonly Uint8Array[]): Promise<number> {
    return this.#inTurn(log, async () => {
      if (!Array.isArray(proofs)) throw new InvalidProofError('there is no list of proofs')
      const decoded = proofs.map((proof) => decodeProof(proof))
      const found = await this.#find(log)
      const held = found?.length ?? 0
      const run = decoded.filter((proof) => proof.index >= held)
      const first = run[0]
      if (first === undefined || run.some((proof, i) => proof.index !== held + i)) return held
      const open = found ?? (await this.#adopt(log, run))
      await open.ingest(run)
      return open.length
    })
  }

  length(log: LogKey): Promise<number> {
    return this.#inTurn(log, async () => (await this.#find(log))?.length ?? 0)
  }

  hash(log: LogKey, length: number): Promise<string> {
    return this.#inTurn(log, async () => {
      const open = await this.#find(log)
      const held = open?.length ?? 0
      if (!Number.isSafeInteger(length) || length < 0 || length > held)
        throw new NotHeldError(log, length, held)
      return open === undefined ? '' : open.hash(length)
    })
  }

  read(
    log: LogKey,
    from: number,
    to: number,
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<readonly Uint8Array[]> {
    return this.#inTurn(log, async () =>
      isRange(from, to) ? ((await (await this.#find(log))?.read(from, to, maxBytes)) ?? []) : [],
    )
  }

  prove(
    log: LogKey,
    from: number,
    to: number,
    maxBytes = Number.POSITIVE_INFINITY,
  ): Promise<readonly Uint8Array[]> {
    return this.#inTurn(log, async () =>
      isRange(from, to) ? ((await (await this.#find(log))?.prove(from, to, maxBytes)) ?? []) : [],
    )
  }

  async verify(log: LogKey, proof: Uint8Array): Promise<{ index: number; block: Uint8Array }> {
    this.#assertOpen()
    const decoded = decodeProof(proof)
    verifyProof(keyOf(log), decoded)
    return { index: decoded.index, block: blockOf(decoded.index, decoded.stored) }
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
      this.#new.delete(log)
      const open = await this.#find(log)
      if (open === undefined) return
      this.#open.delete(log)
      this.#droppedBytes += open.byteLength
      await this.#logs.remove(open)
      if (this.#droppedBytes >= this.#compactAfterBytes) this.#compact()
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
    await this.#compacting
    await this.#wal.close()
    await this.#journal.close()
    await this.#logs.close()
  }

  async #persistPending(): Promise<void> {
    const patches = this.#pending
    this.#pending = []
    if (patches.length === 0) return
    await this.#syncing.request() // S2
    await this.#journal.append(patches)
  }

  #compact(): void {
    this.#droppedBytes = 0
    // Only space is at stake; what fails here fails at the next write, too, and is told there.
    this.#compacting = this.#compacting.then(() => this.#logs.compact()).catch(() => {})
  }

  /** S1, S3. */
  async #inTurn<Result>(log: LogKey, work: () => Promise<Result>): Promise<Result> {
    this.#assertOpen()
    return this.#turns.take(log, () => this.#guard('The disk failed', work))
  }

  /** S3: refusals pass, everything else is the disk. */
  async #guard<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return await work()
    } catch (error) {
      if (error instanceof StoreError) throw error
      this.#failure ??= new StoreFailedError(what, error)
      throw this.#failure
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreClosedError()
    if (this.#failure !== undefined) throw this.#failure
  }

  async #find(log: LogKey): Promise<OpenLog | undefined> {
    const open = this.#open.get(log)
    if (open !== undefined) {
      this.#open.delete(log)
      this.#open.set(log, open)
      return open
    }
    if (!isLogKey(log)) return undefined
    const found = await this.#logs.find(keyOf(log))
    if (found === undefined) return undefined
    const facts = this.#journal.table.log(log)
    if (facts?.seal !== undefined && !facts.retired && facts.seal.length > found.length) {
      throw new StoreDamagedError(
        `Log ${log} was sealed at ${facts.seal.length} blocks and has ${found.length}`,
      )
    }
    return this.#remember(log, found)
  }

  /** The first block of a log that was created here is about to be written. */
  async #begin(log: LogKey): Promise<OpenLog | undefined> {
    const created = this.#new.get(log)
    if (created === undefined) return undefined
    const open = await this.#logs.create(created)
    this.#new.delete(log)
    this.#open.set(log, open)
    return open
  }

  async #adopt(log: LogKey, run: readonly Proof[]): Promise<OpenLog> {
    const key = keyOf(log)
    const last = run.at(-1)
    // Before anything is made: a peer could fill the disk with logs that don't exist.
    if (last === undefined) throw new Error('no proofs to adopt a log from')
    verifyProof(key, last)
    return this.#remember(log, await this.#logs.adopt(key, last.publicKey))
  }

  async #remember(log: LogKey, opened: OpenLog): Promise<OpenLog> {
    this.#open.set(log, opened)
    if (this.#open.size > this.#maxOpenLogs) {
      for (const [name, open] of this.#open) {
        if (open.writable || this.#turns.busy(name)) continue
        this.#open.delete(name)
        await open.close()
        break
      }
    }
    return opened
  }
}

const isLogKey = (log: LogKey): boolean => typeof log === 'string' && /^[0-9a-f]{64}$/.test(log)

function keyOf(log: LogKey): Buffer {
  if (!isLogKey(log)) throw new InvalidProofError('there is no such log key')
  return Buffer.from(log, 'hex')
}

function isRange(from: number, to: number): boolean {
  return Number.isSafeInteger(from) && from >= 0 && to > from
}
