// One actor's state and its records: what changed, what is written, what is acknowledged.
//
//  A1 State, call table, agenda and sequence change together, in one synchronous step: a snapshot taken at any moment is
//     the state after exactly the calls in its table.
//  A2 The state in memory is the one that a replay gives: patches are applied as decoded from their own bytes.
//  A3 The first record in a journal is a snapshot of everything.
//  A4 A log is whole when its newest record is an acknowledged snapshot that holds all there is, the floors of callers too:
//     then it can be dropped and read back from that one record.
//  A5 A snapshot that is made in slices is of one moment, too: what changes meanwhile follows it as deltas.

import type { Patches } from 'mutative'
import { Agenda, type AgendaChange } from './agenda.ts'
import type { RecordSource } from './batcher.ts'
import type { CallTable, SettledCall } from './call-table.ts'
import { decodeUser, encode } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { encodeLarge, type LargeSnapshot } from './large-snapshot.ts'
import type { CallerId, LogKey } from './mesh-types.ts'
import {
  type EncodedRecord,
  encodeDelta,
  encodeSnapshot,
  type RecordHead,
  type RecordKind,
} from './records.ts'
import type { MakeRef } from './reference.ts'
import { applyPatches } from './replay.ts'
import { inSlices } from './slices.ts'

/** Below this many bytes of deltas since the last snapshot another snapshot saves nothing. */
const MIN_CHAIN_BYTES = 1024
/** A chain is as long as a restore has blocks to fetch; a large state may be worth more of them. */
const MIN_CHAIN_RECORDS = 64
const MAX_CHAIN_RECORDS = 2048
const STATE_BYTES_PER_CHAIN_RECORD = 4096

/** Where the newest acknowledged record lies. */
export interface Position {
  readonly journal: LogKey
  readonly index: number
}

/** An acknowledged snapshot: where its last part lies, and its size. */
export interface WrittenSnapshot extends Position {
  readonly bytes: number
}

interface Pending {
  readonly sequence: number
  /** Undefined for a snapshot that carries no change. */
  readonly change?: Change
  readonly kind: RecordKind
}

interface Change {
  readonly patches: Uint8Array
  /** Undefined where the actor did it by itself: an alarm, or what became of its agenda. */
  readonly call: SettledCall | undefined
  readonly agenda: readonly AgendaChange[]
}

/** How snapshots of large states are made. */
export interface Slicing {
  /** States of about so many bytes and more are encoded in slices. */
  readonly largeBytes: number
  /** Of about so many bytes each. */
  readonly sliceBytes: number
  /** Lets others have their turn. */
  readonly pause: () => Promise<void>
}

/** A snapshot in the making: of the moment of this record (A5). */
interface Snapshot {
  readonly head: RecordHead
  readonly hasAgenda: boolean
  /** The changes of the tables that it contains. */
  readonly calls: number
  readonly told: number
  /** Undefined until they are made. */
  parts: readonly Uint8Array[] | undefined
}

interface Waiter {
  readonly sequence: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface ActorLogOptions {
  readonly life: ActorLife
  readonly state: object
  readonly calls: CallTable
  /** Answers of calls that changed nothing, where the snapshot has them. */
  readonly told?: CallTable
  /** Default: an empty one. */
  readonly agenda?: Agenda
  /** Of the record that the state was restored from; 0 for a fresh actor, whose state is a change still to be written. */
  readonly sequence: number
  /** The snapshot it was read back from, when that is a record of this very life: what comes next may be a delta to it. */
  readonly snapshot?: WrittenSnapshot
  /** About the size of the state, encoded, as far as anybody knows. */
  readonly bytes?: number
  /** Default: every snapshot is made at once. */
  readonly slicing?: Slicing | undefined
  /** Callers that are refused for ever: their results need no keeping. */
  readonly isGone: (caller: CallerId) => boolean
  /** Makes references in changes usable; without it a change may hold none. */
  readonly makeRef?: MakeRef
  /** Asks for {@link ActorLog.take} soon. */
  readonly mark: (source: RecordSource) => void
}

const NO_PATCHES = encode([])
const NOTHING = new Uint8Array()

export class ActorLog implements RecordSource {
  readonly calls: CallTable
  readonly agenda: Agenda
  /** Answers of calls that changed nothing: no part of the state, and written only by {@link writeWhole}. */
  told: CallTable | undefined
  readonly #options: Pick<ActorLogOptions, 'life' | 'isGone' | 'makeRef' | 'mark' | 'slicing'>
  #state: object
  #sequence: number
  #durable: number
  #durableState: object
  #pending: Pending[] = []
  /** States after records that are not acknowledged yet, oldest first. */
  #unacknowledged: { readonly sequence: number; readonly state: object }[] = []
  #waiters: Waiter[] = []
  #failure: { readonly error: unknown } | undefined
  /** The journal that the chain being written is in; its size. */
  #journal: LogKey | undefined
  #snapshotBytes = 0
  #chainBytes = 0
  #chainRecords = 0
  #position: Position | undefined
  #released = false
  /** The call table's changes that the newest snapshot contains. */
  #callsWritten = -1
  /** The same of {@link told}; -1: it has none of what is kept there. */
  #toldWritten = 0
  #withTold = false
  /** About the size of the state; grows with what changes. */
  #stateBytes: number
  #making: Snapshot | undefined

  constructor(options: ActorLogOptions) {
    const { state, calls, agenda, sequence, told, snapshot, bytes = 0, ...rest } = options
    this.#options = rest // and not the state of the beginning
    this.calls = calls
    this.agenda = agenda ?? new Agenda()
    this.told = told
    this.#state = state
    this.#durableState = state
    this.#sequence = sequence
    this.#durable = sequence
    this.#stateBytes = bytes
    if (snapshot === undefined) return
    this.#journal = snapshot.journal
    this.#snapshotBytes = snapshot.bytes
    this.#position = { journal: snapshot.journal, index: snapshot.index }
    this.#callsWritten = this.calls.changes
    this.#toldWritten = this.told?.changes ?? 0
  }

  get state(): object {
    return this.#state
  }
  get sequence(): number {
    return this.#sequence
  }
  /** The last acknowledged sequence, and the state after it. */
  get durable(): number {
    return this.#durable
  }
  get durableState(): object {
    return this.#durableState
  }
  /** Undefined until a record of this life was acknowledged. */
  get position(): Position | undefined {
    return this.#position
  }

  /** The journal that the newest records went to, acknowledged or not. */
  get writtenTo(): LogKey | undefined {
    return this.#journal
  }

  /** The record that this log can be read back from (A4); undefined while there is none. */
  get whole(): WrittenSnapshot | undefined {
    const isWritten = this.#durable === this.#sequence && this.#position?.journal === this.#journal
    if (this.#position === undefined || !isWritten || this.#chainRecords > 0) return undefined
    if (this.#callsWritten !== this.calls.changes || this.#failure !== undefined) return undefined
    if ((this.told?.changes ?? 0) !== this.#toldWritten) return undefined
    return { ...this.#position, bytes: this.#snapshotBytes }
  }

  /** A call's change; returns the decoded patches, whose values are now part of the state (A1, A2). */
  commit(
    patches: Uint8Array | undefined,
    call: SettledCall | undefined,
    agenda: readonly AgendaChange[] = [],
  ): Patches {
    const change = { patches: patches ?? NO_PATCHES, call, agenda }
    const decoded = decodeUser(change.patches, this.#options.makeRef) as Patches
    this.#state = applyPatches(this.#state, decoded)
    this.#stateBytes += change.patches.length
    this.#push({ sequence: this.#sequence + 1, change, kind: 'delta' })
    if (call !== undefined) this.calls.settle(call, this.#sequence)
    for (const each of agenda) this.agenda.apply(each)
    return decoded
  }

  /** What became of the agenda beside any call. Resolves like {@link whenDurable} of it. */
  commitAgenda(changes: readonly AgendaChange[]): Promise<void> {
    this.commit(undefined, undefined, changes)
    return this.whenDurable(this.#sequence)
  }

  /** Writes everything again, into the journal of the moment; resolves like {@link whenDurable} of it. */
  writeSnapshot(kind: 'snapshot' | 'release' = 'snapshot'): Promise<void> {
    this.#push({ sequence: this.#sequence + 1, kind })
    return this.whenDurable(this.#sequence)
  }

  /** The same with all that is known of calls, so that nothing is missed when it is read back from there (A4). */
  writeWhole(): Promise<void> {
    this.told?.forget(this.#options.isGone)
    this.#withTold = true
    return this.writeSnapshot()
  }

  /** What was written last will never be acknowledged where it is: everything goes into the journal of the moment. */
  rewrite(): void {
    if (this.#failure === undefined)
      this.#push({ sequence: this.#sequence + 1, kind: this.#released ? 'release' : 'snapshot' })
  }

  /** Resolves when every record up to `sequence` is acknowledged, or superseded by an acknowledged snapshot. */
  whenDurable(sequence: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (sequence <= this.#durable) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }))
  }

  /** Nothing more is written or acknowledged; who waits hears `error`. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#pending = []
    this.#making = undefined
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  take(journal: LogKey): readonly EncodedRecord[] {
    if (this.#failure !== undefined) return []
    const made = this.#making
    if (made !== undefined) return made.parts === undefined ? [] : this.#takeMade(made, made.parts, journal)
    const pending = this.#pending
    const last = pending.at(-1)
    if (last === undefined) return []
    this.#pending = []
    const deltas = this.#journal === journal ? this.#deltas(pending) : undefined // A3
    if (deltas !== undefined) return deltas
    const kind = pending.some((item) => item.kind === 'release') ? 'release' : 'snapshot'
    return this.#takeSnapshot({ ...this.#options.life, sequence: last.sequence, kind }, journal)
  }

  /** Of this moment (A1): at once, or begun, to be taken when it is made. */
  #takeSnapshot(head: RecordHead, journal: LogKey): readonly EncodedRecord[] {
    this.calls.forget(this.#options.isGone)
    const agenda = this.agenda.toData()
    const told =
      this.#withTold && this.told !== undefined && this.told.size > 0 ? this.told.toData() : undefined
    const hasTold = this.#withTold || (this.told?.size ?? 0) === 0
    const of = { head, hasAgenda: agenda !== undefined, calls: this.calls.changes }
    const snapshot = { ...of, told: hasTold ? (this.told?.changes ?? 0) : -1, parts: undefined }
    this.#withTold = false
    const { slicing } = this.#options
    const whole = { state: this.#state, calls: this.calls.toData(), agenda, told }
    if (slicing !== undefined && this.#stateBytes >= slicing.largeBytes) {
      void this.#make(snapshot, whole, slicing)
      return []
    }
    const body = encodeSnapshot({ ...whole, state: encode(this.#state) })
    this.#wrote(snapshot, body.length, journal)
    return [{ head, body, hasAgenda: snapshot.hasAgenda }]
  }

  async #make(snapshot: Snapshot, whole: LargeSnapshot, slicing: Slicing): Promise<void> {
    this.#making = snapshot
    const isWanted = (): boolean => this.#making === snapshot
    const parts = await inSlices(encodeLarge(whole, slicing.sliceBytes), slicing.pause, isWanted)
    if (parts === undefined || !isWanted()) return
    snapshot.parts = parts
    this.#options.mark(this)
  }

  /** The snapshot, and behind it what changed while it was made (A5), unless that needs another one. */
  #takeMade(made: Snapshot, parts: readonly Uint8Array[], journal: LogKey): readonly EncodedRecord[] {
    this.#making = undefined
    const { head, hasAgenda } = made
    this.#wrote(
      made,
      parts.reduce((sum, { length }) => sum + length, 0),
      journal,
    )
    const deltas = this.#deltas(this.#pending)
    if (deltas !== undefined) this.#pending = []
    else this.#options.mark(this)
    return [{ head, body: NOTHING, parts, hasAgenda }, ...(deltas ?? [])]
  }

  #wrote({ calls, told }: Snapshot, bytes: number, journal: LogKey): void {
    this.#journal = journal
    this.#callsWritten = calls
    this.#toldWritten = told
    this.#snapshotBytes = bytes
    this.#stateBytes = bytes
    this.#chainBytes = 0
    this.#chainRecords = 0
  }

  acknowledged(sequence: number, journal: LogKey, index: number): void {
    if (this.#failure !== undefined || sequence <= this.#durable) return
    this.#durable = sequence
    this.#position = { journal, index }
    while (this.#unacknowledged.length > 0 && this.#unacknowledged[0]!.sequence <= sequence) {
      this.#durableState = this.#unacknowledged.shift()!.state
    }
    if (this.#waiters.length === 0) return
    const ready = this.#waiters.filter((waiter) => waiter.sequence <= sequence)
    this.#waiters = this.#waiters.filter((waiter) => waiter.sequence > sequence)
    for (const waiter of ready) waiter.resolve()
  }

  cutOff(): void {
    this.#journal = undefined
    this.#making = undefined
    // A release that was cut off is still one.
    this.#pending = [{ sequence: this.#sequence, kind: this.#released ? 'release' : 'snapshot' }]
  }

  #push(item: Pending): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (item.kind === 'release') this.#released = true
    this.#sequence = item.sequence
    this.#pending.push(item)
    this.#unacknowledged.push({ sequence: item.sequence, state: this.#state })
    this.#options.mark(this)
  }

  /** The changes as deltas, or undefined when a snapshot is asked for or by now the cheaper thing to write. */
  #deltas(pending: readonly Pending[]): readonly EncodedRecord[] | undefined {
    const records: EncodedRecord[] = []
    let bytes = this.#chainBytes
    for (const { change, sequence, kind } of pending) {
      if (change === undefined) return undefined
      const { patches, call, agenda } = change
      const body = encodeDelta({ patches, calls: call === undefined ? [] : [call], agenda })
      records.push({ head: { ...this.#options.life, sequence, kind }, body, hasAgenda: agenda.length > 0 })
      bytes += body.length
    }
    const count = this.#chainRecords + records.length
    const wanted = Math.floor(this.#snapshotBytes / STATE_BYTES_PER_CHAIN_RECORD)
    if (count > Math.min(MAX_CHAIN_RECORDS, Math.max(MIN_CHAIN_RECORDS, wanted))) return undefined
    if (bytes > Math.max(MIN_CHAIN_BYTES, 2 * this.#snapshotBytes)) return undefined
    this.#chainBytes = bytes
    this.#chainRecords = count
    return records
  }
}
