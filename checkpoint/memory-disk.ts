// The disk of the in-memory twin: it survives the store that uses it, as a disk survives a process, and loses what a
// disk would lose. A write is in one of three places: under way, with the operating system (`written`), or on the
// platters (`durable`). Killing the process loses the first, a power failure the second as well, from some write on.

import { FactsTable } from './facts.ts'
import type { FactsPatch, LogFacts, LogKey, StoreFacts } from './mesh-types.ts'

/** One block of a log, with the hash of the log up to and including it (hex). */
export interface MemoryBlock {
  readonly block: Uint8Array
  readonly hash: string
}

export type MemoryWrite =
  | { readonly kind: 'append'; readonly log: LogKey; readonly blocks: readonly MemoryBlock[] }
  | { readonly kind: 'drop'; readonly log: LogKey }

type Logs = Map<LogKey, MemoryBlock[]>

export interface Crash {
  /** The power failed: what was not synced is gone, and the operating system has a new boot. */
  readonly loseUnsynced: boolean
  /** With `loseUnsynced`: this many of the oldest unsynced writes reached the platters anyway. Default none. */
  readonly keepUnsynced?: number
  /** Writes that were under way reach the operating system before it ends. Default: they are lost. */
  readonly keepInFlight?: boolean
}

/** The content of a disk at one moment. */
export interface DiskImage {
  readonly written: ReadonlyMap<LogKey, readonly MemoryBlock[]>
  readonly durable: ReadonlyMap<LogKey, readonly MemoryBlock[]>
  readonly unsynced: readonly MemoryWrite[]
  readonly facts: StoreFacts | undefined
}

export class MemoryDisk {
  readonly #name: string
  #written: Logs = new Map()
  #durable: Logs = new Map()
  #unsynced: MemoryWrite[] = []
  #facts: FactsTable | undefined
  #boots = 1
  readonly #damaged = new Set<LogKey>()
  /** Set by the store that has the disk open. */
  #owner: { crash(keepInFlight: boolean): void } | undefined
  #fault: 'none' | 'sync' | 'write' = 'none'

  constructor(name = 'disk') {
    this.#name = name
  }

  get systemBoot(): string {
    return `${this.#name}-boot-${this.#boots}`
  }

  /** Ends the process that has the disk open, if one has: its promises never settle. */
  crash({ loseUnsynced, keepUnsynced = 0, keepInFlight = false }: Crash): void {
    this.#owner?.crash(keepInFlight)
    this.#owner = undefined
    if (!loseUnsynced) return
    for (const write of this.#unsynced.slice(0, keepUnsynced)) apply(this.#durable, write)
    this.#written = copyOf(this.#durable)
    this.#unsynced = []
    this.#boots += 1
  }

  /** An empty disk, which will be another store. The process that had it open is gone. */
  wipe(): void {
    this.crash({ loseUnsynced: false })
    this.#written = new Map()
    this.#durable = new Map()
    this.#unsynced = []
    this.#facts = undefined
    this.#damaged.clear()
  }

  /** What is on the disk now, as a backup or an image of it would be. */
  image(): DiskImage {
    return {
      written: copyOf(this.#written),
      durable: copyOf(this.#durable),
      unsynced: [...this.#unsynced],
      facts: this.#facts?.snapshot(),
    }
  }

  /** Puts an older state of it back. The process that had it open is gone; the operating system is the one of before. */
  restore(image: DiskImage): void {
    this.wipe()
    this.#written = copyOf(image.written)
    this.#durable = copyOf(image.durable)
    this.#unsynced = [...image.unsynced]
    this.#facts = image.facts && new FactsTable(image.facts)
  }

  /** Bits of a block flip. From then on reading any of that log finds the damage. */
  damage(log: LogKey): void {
    this.#damaged.add(log)
  }

  get isDamaged(): boolean {
    return this.#damaged.size > 0
  }

  /** Throws where the disk's checksums would: no damaged block is ever handed out. */
  assertSound(log: LogKey): void {
    if (this.#damaged.has(log)) throw new Error(`a block of log ${log} is damaged`)
  }

  /** Every write, or every sync, fails until further notice. */
  fail(fault: 'none' | 'sync' | 'write'): void {
    this.#fault = fault
  }

  /** What a power failure now would leave; for checkers. */
  durableLength(log: LogKey): number {
    return this.#durable.get(log)?.length ?? 0
  }

  get writtenLogs(): ReadonlyMap<LogKey, readonly MemoryBlock[]> {
    return this.#written
  }

  get durableFacts(): StoreFacts | undefined {
    return this.#facts?.snapshot()
  }
  /** Single facts, without a copy of all of them. */
  get durablePointer(): StoreFacts['pointer'] {
    return this.#facts?.pointer
  }
  get durableJournalFloor(): StoreFacts['journalFloor'] {
    return this.#facts?.journalFloor
  }
  get storeId(): StoreFacts['storeId'] | undefined {
    return this.#facts?.storeId
  }
  durableLog(log: LogKey): LogFacts | undefined {
    return this.#facts?.log(log)
  }

  // The rest is for memory-store.ts.

  /** False when another store has the disk open. */
  own(owner: { crash(keepInFlight: boolean): void }): boolean {
    if (this.#owner !== undefined) return false
    this.#owner = owner
    return true
  }

  disown(owner: { crash(keepInFlight: boolean): void }): void {
    if (this.#owner === owner) this.#owner = undefined
  }

  loadFacts(made: () => StoreFacts): StoreFacts {
    this.#facts ??= new FactsTable(made())
    return this.#facts.snapshot()
  }

  write(write: MemoryWrite): void {
    if (this.#fault === 'write') throw new Error('no space left on device')
    apply(this.#written, write)
    this.#unsynced.push(write)
  }

  /** How many writes a sync that begins now covers. */
  unsynced(): number {
    return this.#unsynced.length
  }

  sync(covered: number): void {
    if (this.#fault === 'sync') throw new Error('input/output error')
    for (const write of this.#unsynced.splice(0, covered)) apply(this.#durable, write)
  }

  persist(patches: readonly FactsPatch[]): void {
    if (this.#fault === 'sync') throw new Error('input/output error')
    for (const patch of patches) this.#facts?.apply(plainCopy(patch))
  }
}

/**
 * What is on the disk shares nothing with what the process goes on using. Facts are objects, arrays and simple values, for
 * which structuredClone costs twenty times as much.
 */
function plainCopy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainCopy) as Value
  const copy: Record<string, unknown> = {}
  for (const [key, each] of Object.entries(value)) copy[key] = plainCopy(each)
  return copy as Value
}

const copyOf = (logs: DiskImage['written']): Logs =>
  new Map([...logs].map(([log, blocks]) => [log, [...blocks]]))

function apply(logs: Logs, write: MemoryWrite): void {
  if (write.kind === 'drop') {
    logs.delete(write.log)
    return
  }
  const blocks = logs.get(write.log) ?? []
  logs.set(write.log, blocks)
  blocks.push(...write.blocks)
}
