// A follower's copy of the registry: committed blocks of the newest term, applied in order. Every peer is one.
//
// F1 (R9, I11) a block is applied only when it is known to be committed: only committed blocks are ever sent in
//    `records`, and the writer applies its own at commitment.
// F2 blocks of a log that is not the pointer's are ignored.
// F3 a message that brought something new is answered by asking for what follows; any other only when an answer is overdue.
//    Else each block that is pushed to who catches up, and each copy of a message, begins another round of asking.

import type { Env } from '../env.ts'
import type { BootId, LogKey, PeerId } from '../ids.ts'
import { peerOfBoot } from '../ids.ts'
import type { Pointer } from '../log-types.ts'
import type { RegistryMessage } from '../messages.ts'
import { applyIssued } from './apply.ts'
import { BlockReader } from './blocks.ts'
import type { RegistryTable } from './state.ts'
import type { CommandResult, IssuedCommand, RegistryState } from './types.ts'

export interface Applied {
  readonly issued: IssuedCommand
  readonly result: CommandResult
}

export class Follower {
  readonly #env: Env
  #pointer: Pointer | undefined
  #table: RegistryTable | undefined
  /** The snapshot being read while the former term's table is still the one in use. */
  #reader: BlockReader
  #blocks: Uint8Array[] = []
  #bytes = 0
  #snapshotBytes = 0
  #knownCommit = 0
  #askedAt = Number.NEGATIVE_INFINITY
  #view: RegistryState | undefined
  #stateTerm = -1
  /** The head's last sign that it has its majority, in monotonic milliseconds. */
  #progressAt: number
  /** When it last confirmed that very thing; `progressAt` is also moved by what gives it time to. */
  #heardAt = Number.NEGATIVE_INFINITY
  #round = -1

  constructor(env: Env) {
    this.#env = env
    this.#reader = new BlockReader(env.codec)
    this.#progressAt = env.now
  }

  /** The committed registry as applied here; undefined before the first snapshot. A new object after every change. */
  get state(): RegistryState | undefined {
    return this.#view
  }
  get writer(): BootId | undefined {
    return this.#pointer?.writer
  }
  get log(): LogKey | undefined {
    return this.#pointer?.key
  }
  get term(): number {
    return this.#pointer?.term ?? -1
  }
  /** The term of the log that `state` comes from. */
  get stateTerm(): number {
    return this.#stateTerm
  }
  /** Blocks of the current log applied here. */
  get applied(): number {
    return this.#blocks.length
  }
  get bytes(): number {
    return this.#bytes
  }
  /** Of the snapshot that the current log begins with. */
  get snapshotBytes(): number {
    return this.#snapshotBytes
  }
  get progressAt(): number {
    return this.#progressAt
  }

  /** All blocks of the current log applied here. */
  get blocks(): readonly Uint8Array[] {
    return this.#blocks
  }
  /** The head had its majority a moment ago. */
  get hearsHead(): boolean {
    return this.#env.now - this.#heardAt < this.#env.settings.headTimeoutMs
  }

  progressed(): void {
    this.#progressAt = this.#env.now
  }
  /** The head confirmed that it has its majority. */
  confirmed(): void {
    this.#heardAt = this.#env.now
    this.progressed()
  }

  /** A newer term was chosen: its log is followed from its first block. */
  moveTo(pointer: Pointer): void {
    this.#pointer = pointer
    this.#blocks = []
    this.#bytes = 0
    this.#knownCommit = 0
    this.#round = -1
    this.#reader = new BlockReader(this.#env.codec)
    this.#askedAt = Number.NEGATIVE_INFINITY
    this.progressed()
  }

  records(from: PeerId, message: RegistryMessage & { kind: 'records' }): Applied[] {
    const pointer = this.#pointer
    if (!pointer) this.#askForPointer(from, message.log)
    if (message.log !== pointer?.key) return []
    this.#knownCommit = Math.max(this.#knownCommit, message.commit)
    if (message.round !== undefined && message.round > this.#round && from === peerOfBoot(pointer.writer)) {
      this.#round = message.round
      this.confirmed()
    }
    const applied: Applied[] = []
    const { length } = this.#blocks
    const first = length - message.from
    if (first >= 0) for (const block of message.blocks.slice(first)) applied.push(...this.apply(block))
    const missing = this.#blocks.length < this.#knownCommit
    if (missing && (this.#blocks.length > length || this.#overdue)) this.#askFrom(from) // F3
    return applied
  }

  /** Applies the next committed block. */
  apply(block: Uint8Array): Applied[] {
    const read = this.#reader.next(block)
    this.#blocks.push(block)
    this.#bytes += block.byteLength
    this.#knownCommit = Math.max(this.#knownCommit, this.#blocks.length)
    if (!read) return []
    if ('table' in read) {
      this.#table = read.table
      this.#stateTerm = this.term
      this.#snapshotBytes = this.#bytes
      this.#changed()
      return []
    }
    const table = this.#table
    if (!table) return []
    const applied = read.commands.map((issued) => ({ issued, result: applyIssued(table, issued) }))
    this.#changed()
    return applied
  }

  /**
   * A table of its own made from all blocks of a registry log, committed or not: what a candidate proposes to keep.
   * Undefined while the snapshot at its beginning is not whole.
   */
  replay(blocks: readonly Uint8Array[]): RegistryTable | undefined {
    const reader = new BlockReader(this.#env.codec)
    let table: RegistryTable | undefined
    for (const block of blocks) {
      const read = reader.next(block)
      if (!read) continue
      if ('table' in read) table = read.table
      else if (table) for (const issued of read.commands) applyIssued(table, issued)
    }
    return table
  }

  serve(to: PeerId, message: RegistryMessage & { kind: 'follow' }): void {
    if (message.log !== this.#pointer?.key) {
      if (this.#pointer) this.#env.send(to, { kind: 'pointer', pointer: this.#pointer })
      return
    }
    // Who begins may have heard of this log and not of what it is: the pointer that it was told on connecting got lost.
    if (message.from === 0) this.#env.send(to, { kind: 'pointer', pointer: this.#pointer })
    if (message.from >= this.#blocks.length) return
    const blocks: Uint8Array[] = []
    let bytes = 0
    for (const block of this.#blocks.slice(message.from)) {
      if (blocks.length > 0 && bytes + block.byteLength > this.#env.settings.catchUpBytes) break
      blocks.push(block)
      bytes += block.byteLength
    }
    this.#env.send(to, {
      kind: 'records',
      log: message.log,
      from: message.from,
      blocks,
      commit: this.#blocks.length,
    })
  }

  /** Asks again for what is missing, the writer first, else somebody else who is connected. */
  tick(): void {
    const pointer = this.#pointer
    if (!pointer) return
    // Nobody may have told it: the head can be out of its reach, and not out of others'.
    const unheard = this.#env.now - this.#progressAt >= this.#env.settings.headTimeoutMs
    const behind = this.#blocks.length < this.#knownCommit || this.#blocks.length === 0 || unheard
    if (!behind || !this.#overdue) return
    const writer = peerOfBoot(pointer.writer)
    if (this.#env.connected.has(writer) && this.#env.random.number() < 0.7) return this.#askFrom(writer)
    const others = [...this.#env.connected.keys()]
    const other = others[Math.floor(this.#env.random.number() * others.length)]
    if (other) this.#askFrom(other)
  }

  get #overdue(): boolean {
    return this.#env.now - this.#askedAt >= this.#env.settings.resendMs
  }

  #askForPointer(peer: PeerId, log: LogKey): void {
    if (!this.#overdue) return
    this.#askedAt = this.#env.now
    this.#env.send(peer, { kind: 'follow', log, from: 0 })
  }

  #askFrom(peer: PeerId): void {
    const pointer = this.#pointer
    if (!pointer || peer === this.#env.self) return
    this.#askedAt = this.#env.now
    this.#env.send(peer, { kind: 'follow', log: pointer.key, from: this.#blocks.length })
  }

  #changed(): void {
    if (!this.#table) return
    this.#view = { ...this.#table }
    this.#env.emit({ type: 'registry' })
  }
}
