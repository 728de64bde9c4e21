// Group commit: the records of many actors in one block. While a block is on its way the next one fills, so that the batch
// grows with the load and a lone record waits for nobody. A second one on its way would hide the trip, and make both smaller:
// what a block costs is mostly not its records.
//
//  B1 Records are taken from an actor only when their block is formed, for the journal it is formed for: the first record
//     of an actor in a journal must be a snapshot, and a journal may have rolled since the change was made.
//  B2 One actor's records are in one journal in sequence order, a record's parts next to each other.
//  B3 After a failed append nothing more is written: what is in flight has an unknown outcome, and what follows it in
//     memory depends on it.

import type { LogKey } from './mesh-types.ts'
import { cut, type EncodedRecord, encodeBlock, PART_BYTES, type RecordPart } from './records.ts'

/** What the batcher needs of an open journal. */
export interface BlockLog {
  readonly key: LogKey
  readonly rolled: boolean
  append(block: Uint8Array): Promise<number>
}

/** One actor's queue of changes. */
export interface RecordSource {
  /** Everything it has to write, as records for this journal (B1); they are in the block that is formed now. */
  take(journal: LogKey): readonly EncodedRecord[]
  /** All of them, up to this sequence, are acknowledged; the last lies in block `index`. */
  acknowledged(sequence: number, journal: LogKey, index: number): void
  /** Part of what was taken can't follow into that journal, which rolled: `take` starts again with a snapshot. */
  cutOff(journal: LogKey): void
}

export interface BatcherOptions {
  /** The journal to write to now: waits, and may try again, but rejects only when this boot may not write any more. */
  readonly journal: () => Promise<BlockLog>
  /** Writing is over for good (B3). Called once. */
  readonly failed: (cause: unknown) => void
  /** A block is closed beyond this many bytes: what a restore of one small actor has to fetch at most. */
  readonly blockBytes?: number
  /** Wall-clock milliseconds, for people who look back. Default: 0, records of which nobody knows the time. */
  readonly wall?: () => number
}

/** Blocks on their way at a time when they are full anyway: two hide the trip. */
const MOST_FULL_BLOCKS = 2

interface Flushed {
  readonly source: RecordSource
  readonly sequence: number
}

interface Piece {
  readonly part: RecordPart
  /** Set on the last part of the last record of a source. */
  readonly done?: Flushed
}

export class Batcher {
  readonly #options: Required<BatcherOptions>
  readonly #dirty = new Set<RecordSource>()
  /** Parts of a taken record that did not fit into the last block: they go first, and into the same journal. */
  #rest: Piece[] = []
  #restJournal: BlockLog | undefined
  /** The journal being written to, with its blocks and bytes on their way. Those of a rolled one hold nobody up. */
  #current: BlockLog | undefined
  #inFlight = 0
  #forming = false
  #dead = false
  #backlog = 0

  constructor(options: BatcherOptions) {
    this.#options = { blockBytes: 256 * 1024, wall: () => 0, ...options }
  }

  /** Bytes taken and not yet acknowledged: what back-pressure looks at. */
  get backlogBytes(): number {
    return this.#backlog
  }

  /** The source has something to write. Idempotent until it is taken. */
  mark(source: RecordSource): void {
    if (this.#dead) return
    this.#dirty.add(source)
    this.#schedule()
  }

  /** The journal rolled: what waits goes into the next one, whatever becomes of what is on its way in the old one. */
  rolled(): void {
    this.#schedule()
  }

  stop(): void {
    this.#dead = true
    this.#dirty.clear()
    this.#rest = []
  }

  #schedule(): void {
    const most = this.#rest.length > 0 ? MOST_FULL_BLOCKS : 1
    const full = this.#inFlight >= most && this.#current?.rolled !== true
    if (this.#forming || this.#dead || full) return
    if (this.#dirty.size === 0 && this.#rest.length === 0) return
    this.#forming = true
    void this.#form()
  }

  async #form(): Promise<void> {
    try {
      const journal = await this.#options.journal()
      if (this.#dead) return
      if (this.#restJournal !== undefined && (this.#restJournal.rolled || this.#restJournal !== journal))
        this.#cutOff()
      if (!journal.rolled) this.#send(journal)
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#forming = false
    }
    this.#schedule()
  }

  /** A begun record whose journal rolled: nothing of it counts, its actor writes a snapshot into the next journal (B2). */
  #cutOff(): void {
    const journal = this.#restJournal!.key
    const sources = this.#rest.flatMap((piece) => (piece.done === undefined ? [] : [piece.done.source]))
    this.#rest = []
    this.#restJournal = undefined
    for (const source of sources) {
      source.cutOff(journal)
      this.#dirty.add(source)
    }
  }

  #send(journal: BlockLog): void {
    const pieces = this.#gather(journal)
    if (pieces.length === 0) return
    if (this.#current !== journal) {
      this.#current = journal
      this.#inFlight = 0
      this.#backlog = 0
    }
    const bytes = pieces.reduce((sum, piece) => sum + piece.part.bytes.length, 0)
    this.#inFlight++
    this.#backlog += bytes
    const block = encodeBlock(
      pieces.map((piece) => piece.part),
      Math.round(this.#options.wall()),
    )
    journal.append(block).then(
      (index) => {
        if (this.#current === journal) {
          this.#inFlight--
          this.#backlog -= bytes
        }
        if (this.#dead) return
        for (const { done } of pieces) done?.source.acknowledged(done.sequence, journal.key, index)
        this.#schedule()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  /** Fills one block: first what was left over, then actors in the order they asked. */
  #gather(journal: BlockLog): readonly Piece[] {
    const { blockBytes } = this.#options
    const pieces: Piece[] = []
    let bytes = 0
    const room = (next: Piece): boolean => pieces.length === 0 || bytes + next.part.bytes.length <= blockBytes
    const add = (piece: Piece): void => {
      pieces.push(piece)
      bytes += piece.part.bytes.length
    }
    while (this.#rest.length > 0 && room(this.#rest[0]!)) add(this.#rest.shift()!)
    for (const source of this.#dirty) {
      if (this.#rest.length > 0 || bytes >= blockBytes || journal.rolled) break
      this.#dirty.delete(source)
      for (const piece of piecesOf(source, journal.key)) {
        if (this.#rest.length === 0 && room(piece)) add(piece)
        else this.#rest.push(piece)
      }
    }
    this.#restJournal = this.#rest.length > 0 ? journal : undefined
    return pieces
  }

  #fail(cause: unknown): void {
    if (this.#dead) return
    this.stop() // B3
    this.#options.failed(cause)
  }
}

function piecesOf(source: RecordSource, journal: LogKey): readonly Piece[] {
  const records = source.take(journal)
  return records.flatMap((record, index) => {
    const parts = cut(record, PART_BYTES)
    return parts.map((part, number): Piece => {
      const last = index === records.length - 1 && number === parts.length - 1
      return last ? { part, done: { source, sequence: record.head.sequence } } : { part }
    })
  })
}
