// The registry's next log, while it is prepared: a fresh log whose first records are a snapshot of the table.
//
// C3 (I5) the snapshot is on every listed keeper before the log is proposed, or told to anybody.

import type { Env } from '../env.ts'
import type { LogKey, PeerId, StoreId } from '../ids.ts'
import type { Keeper, Successor } from '../log-types.ts'
import { LogWriter } from '../logs/writer.ts'
import type { LogMessage } from '../messages.ts'
import { snapshotBlocks } from './blocks.ts'
import type { RegistryTable } from './state.ts'

export interface NextLogInit {
  readonly table: RegistryTable
  readonly term: number
  readonly keepers: readonly Keeper[]
  readonly parent: Successor['parent']
  /** This store is about to have blocks of that log, whether it keeps it or not; once that is on disk, `then`. */
  readonly holds: (log: LogKey, term: number, then: () => void) => void
  /** Every keeper has the snapshot, of `length` blocks. */
  readonly ready: (successor: Successor, length: number) => void
  /** It is held to be gone: it is waited for in vain. */
  readonly isGone: (peer: PeerId) => boolean
  /** A keeper is gone that does not have the snapshot yet: it takes others, and that at once. */
  readonly lost: () => void
  /** It can't be had with these keepers. */
  readonly failed: (slow: readonly StoreId[]) => void
}

export class NextLog {
  readonly #env: Env
  readonly #init: NextLogInit
  #key: LogKey | undefined
  #writer: LogWriter | undefined
  #blocks = 0
  #stopped = false

  constructor(env: Env, init: NextLogInit) {
    this.#env = env
    this.#init = init
    env.createLog((key) => {
      if (this.#stopped) return env.drop(key)
      this.#begin(key)
    })
  }

  get key(): LogKey | undefined {
    return this.#key
  }

  handle(message: LogMessage): void {
    const writer = this.#writer
    if (this.#stopped || !writer || !this.#key) return
    writer.handle(message)
    if (this.#stopped || writer.length < this.#blocks || writer.missing().length > 0) return
    this.stop()
    const { term, keepers, parent, ready } = this.#init
    ready({ term, writer: this.#env.boot, key: this.#key, keepers, parent }, this.#blocks)
  }

  tick(): void {
    const { isGone, lost } = this.#init
    this.#writer?.tick()
    if (this.#stopped || !this.#writer?.missing().some(({ peer }) => isGone(peer))) return
    this.stop()
    lost()
  }
  reconnected(peer: PeerId): void {
    this.#writer?.reconnected(peer)
  }

  /** Keepers that do not have the snapshot yet. */
  missing(): readonly StoreId[] {
    return (this.#writer?.missing() ?? []).map(({ store }) => store)
  }

  stop(): void {
    this.#stopped = true
    this.#writer?.stop()
  }

  #begin(key: LogKey): void {
    const { table, term, keepers, holds, failed } = this.#init
    const fail = (slow: readonly StoreId[]) => {
      if (this.#stopped) return
      this.stop()
      failed(slow)
    }
    this.#key = key
    const blocks = snapshotBlocks(table, this.#env.codec)
    this.#blocks = blocks.length
    this.#writer = new LogWriter(
      this.#env,
      { key, class: 'registry', order: term, keepers, length: 0 },
      { committed: () => {}, sealed: () => fail([]), keeperLost: ({ store }) => fail([store]) },
    )
    const writer = this.#writer
    holds(key, term, () => {
      if (!this.#stopped) for (const block of blocks) writer.append(block, () => {})
    })
  }
}
