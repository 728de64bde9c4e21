// This boot's side of its journals: one batcher per journal class, and the confirmation that reads wait for.

import type { Position } from '../../checkpoint/actor-log.ts'
import { Batcher, type RecordSource } from '../../checkpoint/batcher.ts'
import type { LogKey, PeerId } from '../../mesh/ids.ts'
import { classKey } from '../../mesh/registry/class.ts'
import type { JournalClass } from '../../mesh/registry/types.ts'
import { Deposed, type MeshHandle, type OpenJournal } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { Backoff, sleep } from './timing.ts'

/** Bytes on their way to the keepers of one class beyond which actors stop executing calls. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024

export interface JournalWriterInit {
  readonly mesh: MeshHandle
  readonly clock: Clock
  /** An append failed: this boot's actors can't go on. */
  readonly failed: (cause: unknown) => void
}

/** What the actors of one journal class share. */
export interface JournalSide {
  /** Too many bytes wait for the keepers. */
  readonly congested: () => boolean
  /** Resolves when this boot's journal was found unsealed in a round started after the call. */
  readonly confirm: () => Promise<void>
  /** Who acknowledged what lies there; undefined when that is not in the journal of the moment. */
  readonly holders: (position: Position) => readonly PeerId[] | undefined
  /** True once that is on the disks of a majority; false when it is not in the journal of the moment. */
  readonly sync: (position: Position) => Promise<boolean>
  /** The source has something to write. */
  readonly mark: (source: RecordSource) => void
}

export class JournalWriter {
  readonly #init: JournalWriterInit
  readonly #batchers: Batcher[] = []
  readonly #sides = new Map<string, JournalSide>()
  readonly #confirming = new Map<string, Promise<void>>()
  readonly #rolled = new Set<() => void>()
  /** The last one of each class. */
  readonly #open = new Map<LogKey, OpenJournal>()
  #stopped = false

  constructor(init: JournalWriterInit) {
    this.#init = init
  }

  side(wanted: JournalClass): JournalSide {
    const key = classKey(wanted)
    let side = this.#sides.get(key)
    if (side === undefined) {
      const batcher = new Batcher({ journal: () => this.current(wanted), failed: this.#init.failed })
      this.#batchers.push(batcher)
      side = {
        congested: () => batcher.backlogBytes > MAX_BACKLOG_BYTES,
        confirm: () => this.confirm(wanted),
        holders: ({ journal, index }) => this.#open.get(journal)?.holders(index),
        sync: (position) => this.#sync(wanted, position),
        mark: (source) => batcher.mark(source),
      }
      this.#sides.set(key, side)
    }
    return side
  }

  /** The journal to use now. Keeps trying; rejects only when this boot may not write any more. */
  async current(wanted: JournalClass): Promise<OpenJournal> {
    const backoff = new Backoff(20, 1000)
    for (;;) {
      if (this.#stopped) throw new Deposed(this.#init.mesh.boot)
      try {
        const journal = await this.#init.mesh.journal(wanted)
        if (!journal.rolled) {
          this.#open.set(journal.key, journal)
          return journal
        }
      } catch (error) {
        if (error instanceof Deposed) throw error
      }
      await sleep(this.#init.clock, backoff.next())
    }
  }

  /**
   * Resolves when a majority of the keepers of this boot's journal said, in a round started after this call, that it is
   * not sealed. Calls of the same instant share a round.
   */
  confirm(wanted: JournalClass): Promise<void> {
    const key = classKey(wanted)
    let round = this.#confirming.get(key)
    if (round === undefined) {
      round = Promise.resolve().then(() => {
        this.#confirming.delete(key)
        return this.#confirmNow(wanted)
      })
      this.#confirming.set(key, round)
    }
    return round
  }

  /** A journal was rolled: a round of it would prove nothing, because recovery does not seal what is closed. */
  rolled(from: LogKey): void {
    this.#open.delete(from)
    for (const batcher of this.#batchers) batcher.rolled()
    for (const wake of [...this.#rolled]) wake()
  }

  stop(): void {
    this.#stopped = true
    for (const batcher of this.#batchers) batcher.stop()
    for (const wake of [...this.#rolled]) wake()
  }

  async #confirmNow(wanted: JournalClass): Promise<void> {
    for (;;) {
      const journal = await this.current(wanted)
      if (await this.#unlessRolled(journal, journal.confirm())) return
    }
  }

  async #sync(wanted: JournalClass, { journal: key, index }: Position): Promise<boolean> {
    const journal = await this.current(wanted)
    return journal.key === key && this.#unlessRolled(journal, journal.sync(index))
  }

  /** False when the journal was rolled: what is said of it proves nothing then, or is never said. */
  async #unlessRolled(journal: OpenJournal, said: Promise<void>): Promise<boolean> {
    let wake: () => void = () => {}
    const rolled = new Promise<void>((resolve) => {
      wake = resolve
      this.#rolled.add(resolve)
    })
    try {
      await Promise.race([said, rolled])
    } finally {
      this.#rolled.delete(wake)
    }
    if (this.#stopped) throw new Deposed(this.#init.mesh.boot)
    return !journal.rolled
  }
}
