// One actor's state and its records: what changed, what is written, what is acknowledged.
//
//  A1 State, its version, call table, agenda and sequence change together, in one synchronous step: a snapshot taken at any moment is
//     the state after exactly the calls in its table.
//  A2 The state in memory is the one that a replay gives: patches are applied as decoded from their own bytes.
//  A3 The first record in a journal is a snapshot of everything.
//  A4 A log is whole when its newest record is an acknowledged snapshot that holds all there is, the floors of callers too:
//     then it can be dropped and read back from that one record.
//  A5 A change may be put off: it is written with the next one that is not, or when somebody wants it durable. So nobody
//     waits for what nobody writes.
//  A6 A snapshot that is made in slices is of one moment, too: what changes meanwhile follows it as deltas.
//  A7 A release is the last record: what its next home goes on from. A snapshot asked for after it is that release, and a number
//     beyond it would be given twice.

import type { Patches } from 'mutative'
import { Agenda, type AgendaChange } from './agenda.ts'
import type { RecordSource } from './batcher.ts'
import type { CallTable, SettledCall } from './call-table.ts'
import { CIPHER_OVERHEAD_BYTES, type Cipher } from './cipher.ts'
import { decodeUser, encode } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import { encodeLarge, type LargeSnapshot } from './large-snapshot.ts'
import type { CallerId, LogKey } from './mesh-types.ts'
import {
  type EncodedRecord,
  encodeDelta,
  encodeSnapshot,
  type FoldedChange,
  PART_BYTES,
  type RecordHead,
  type RecordKind,
} from './records.ts'
import type { MakeRef } from './reference.ts'
import { applyPatches } from './replay.ts'
import { inSlices, type Sliced } from './slices.ts'

/** Below this many bytes of deltas since the last snapshot another snapshot saves nothing. */
const MIN_CHAIN_BYTES = 1024
/** A chain is as long as a restore has blocks to fetch; a large state may be worth more of them. */
const MIN_CHAIN_RECORDS = 64
const MAX_CHAIN_RECORDS = 2048
const STATE_BYTES_PER_CHAIN_RECORD = 4096
/** Changes that a snapshot names: after a jam it may hold many more than anybody looks at. */
const MAX_FOLDED = 100

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
  /** What did it; empty where nobody called for it. */
  readonly method: string
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

/** What a snapshot is of: the moment of this record (A1, A6). */
interface Snapshot {
  readonly head: RecordHead
  /** The changes of the tables that it contains. */
  readonly calls: number
  readonly told: number
  readonly folded: readonly FoldedChange[]
}

/** A large one: without its parts it is still being made. */
interface Making {
  readonly snapshot: Snapshot
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
  /** Of the class that the state is one of. Default 0. */
  readonly version?: number
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
  /** Encrypts its records' bodies. */
  readonly cipher?: Cipher | undefined
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
  readonly #options: Pick<ActorLogOptions, 'life' | 'isGone' | 'makeRef' | 'cipher' | 'mark' | 'slicing'>
  #state: object
  #version: number
  #sequence: number
  #durable: number
  #durableState: object
  #pending: Pending[] = []
  /** Of the changes in it. */
  #pendingBytes = 0
  /** The batcher was asked to write up to here (A5). */
  #asked: number
  /** States after the last records of takes that are not acknowledged yet, oldest first. */
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
  #making: Making | undefined

  constructor(options: ActorLogOptions) {
    const { state, version = 0, calls, agenda, sequence, told, snapshot, bytes = 0, ...rest } = options
    this.#options = rest // and not the state of the beginning
    this.calls = calls
    this.agenda = agenda ?? new Agenda()
    this.told = told
    this.#state = state
    this.#version = version
    this.#durableState = state
    this.#sequence = sequence
    this.#durable = sequence
    this.#asked = sequence
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
  get version(): number {
    return this.#version
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

  /** A call's change; returns the decoded patches, whose values are now part of the state (A1, A2). `putOff`: A5. */
  commit(
    patches: Uint8Array | undefined,
    call: SettledCall | undefined,
    agenda: readonly AgendaChange[] = [],
    putOff = false,
    method = '',
  ): Patches {
    const change = { patches: patches ?? NO_PATCHES, call, agenda, method }
    const decoded = decodeUser(change.patches, this.#options.makeRef) as Patches
    this.#state = applyPatches(this.#state, decoded)
    this.#stateBytes += change.patches.length
    this.#push({ sequence: this.#sequence + 1, change, kind: 'delta' }, putOff)
    if (call !== undefined) this.calls.settle(call, this.#sequence)
    for (const each of agenda) this.agenda.apply(each)
    return decoded
  }

  /** The state as a newer version of its class wants it: a record of its own, which holds everything. */
  migrate(state: object, version: number): void {
    this.#state = state
    this.#version = version
    this.#push({ sequence: this.#sequence + 1, kind: 'snapshot' })
  }

  /** What became of the agenda beside any call. Resolves like {@link whenDurable} of it. */
  commitAgenda(changes: readonly AgendaChange[]): Promise<void> {
    this.commit(undefined, undefined, changes)
    return this.whenDurable(this.#sequence)
  }

  /** Writes everything again, into the journal of the moment; resolves like {@link whenDurable} of it. */
  writeSnapshot(kind: 'snapshot' | 'release' = 'snapshot'): Promise<void> {
    if (!this.#released || kind === 'release') this.#push({ sequence: this.#sequence + 1, kind }) // A7
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

  /** Resolves when every record up to `sequence` is acknowledged, or superseded by an acknowledged snapshot (A5). */
  whenDurable(sequence: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (sequence <= this.#durable) return Promise.resolve()
    if (sequence > this.#asked) this.#ask()
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }))
  }

  /** Nothing more is written or acknowledged; who waits hears `error`. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#pending = []
    this.#pendingBytes = 0
    this.#making = undefined
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  take(journal: LogKey): readonly EncodedRecord[] {
    if (this.#failure !== undefined) return []
    const making = this.#making
    if (making !== undefined)
      return making.parts === undefined ? [] : this.#takeMade(making.snapshot, making.parts, journal)
    const pending = this.#pending
    const last = pending.at(-1)
    if (last === undefined) return []
    this.#taken(last.sequence)
    const deltas = this.#journal === journal ? this.#deltas(pending) : undefined // A3
    if (deltas !== undefined) return deltas
    const kind = pending.some((item) => item.kind === 'release') ? 'release' : 'snapshot'
    return this.#takeSnapshot({ ...this.#options.life, sequence: last.sequence, kind }, pending, journal)
  }

  /** What was pending is on its way, up to the present moment. */
  #taken(sequence: number): void {
    this.#pending = []
    this.#pendingBytes = 0
    this.#asked = sequence
    this.#unacknowledged.push({ sequence, state: this.#state })
  }

  /** Of this moment (A1): at once, or begun, to be taken when it is made. */
  #takeSnapshot(head: RecordHead, pending: readonly Pending[], journal: LogKey): readonly EncodedRecord[] {
    this.calls.forget(this.#options.isGone)
    const { slicing, cipher } = this.#options
    const told =
      this.#withTold && this.told !== undefined && this.told.size > 0 ? this.told.toData() : undefined
    const hasTold = this.#withTold || (this.told?.size ?? 0) === 0
    this.#withTold = false
    const snapshot: Snapshot = {
      head,
      calls: this.calls.changes,
      told: hasTold ? (this.told?.changes ?? 0) : -1,
      // Keepers of what is encrypted need not know what was called.
      folded: cipher === undefined ? foldedOf(pending) : [],
    }
    const tables = {
      calls: this.calls.toData(),
      agenda: this.agenda.toData(),
      told,
      version: this.#version,
    }
    if (slicing !== undefined && this.#stateBytes >= slicing.largeBytes) {
      void this.#make(snapshot, { state: this.#state, ...tables }, slicing)
      return []
    }
    const body = this.#encrypted(head, encodeSnapshot({ state: encode(this.#state), ...tables }))
    this.#wrote(snapshot, body.length, journal)
    return [recordOf(snapshot, body)]
  }

  async #make(snapshot: Snapshot, whole: LargeSnapshot, slicing: Slicing): Promise<void> {
    const making: Making = { snapshot, parts: undefined }
    this.#making = making
    const isWanted = (): boolean => this.#making === making
    const work = this.#partsOf(snapshot.head, whole, slicing.sliceBytes)
    const parts = await inSlices(work, slicing.pause, isWanted)
    if (parts === undefined || !isWanted()) return
    making.parts = parts
    this.#options.mark(this)
  }

  *#partsOf(head: RecordHead, whole: LargeSnapshot, sliceBytes: number): Sliced<readonly Uint8Array[]> {
    const { cipher } = this.#options
    if (cipher === undefined) return yield* encodeLarge(whole, sliceBytes)
    const texts = yield* encodeLarge(whole, sliceBytes, PART_BYTES - CIPHER_OVERHEAD_BYTES)
    const parts: Uint8Array[] = []
    for (const [part, text] of texts.entries()) {
      parts.push(cipher.encrypt({ what: 'part', ...head, part, parts: texts.length }, text))
      yield undefined
    }
    return parts
  }

  /** The snapshot, and behind it what changed while it was made (A6), unless that needs another one. */
  #takeMade(snapshot: Snapshot, parts: readonly Uint8Array[], journal: LogKey): readonly EncodedRecord[] {
    this.#making = undefined
    const bytes = parts.reduce((sum, { length }) => sum + length, 0)
    this.#wrote(snapshot, bytes, journal)
    const made = { ...recordOf(snapshot, NOTHING), parts }
    const last = this.#pending.at(-1)
    if (last === undefined) return [made]
    const deltas = this.#deltas(this.#pending)
    if (deltas === undefined) {
      this.#ask()
      return [made]
    }
    this.#taken(last.sequence)
    return [made, ...deltas]
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
    this.#pendingBytes = 0
  }

  #push(item: Pending, putOff = false): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (item.kind === 'release') this.#released = true
    this.#sequence = item.sequence
    this.#pending.push(item)
    if (!putOff) return this.#ask()
    this.#pendingBytes += sizeOf(item)
    // As many changes will be written as one snapshot: until then the last of them stands for all.
    if (!this.#isTooLong(this.#chainRecords + this.#pending.length, this.#chainBytes + this.#pendingBytes))
      return
    const isRelease = this.#pending.some(({ kind }) => kind === 'release')
    this.#pending = [{ sequence: item.sequence, kind: isRelease ? 'release' : 'snapshot' }]
    this.#pendingBytes = 0
  }

  #ask(): void {
    this.#asked = this.#sequence
    this.#options.mark(this)
  }

  #encrypted(head: RecordHead, text: Uint8Array): Uint8Array {
    return this.#options.cipher?.encrypt({ what: 'record', ...head }, text) ?? text
  }

  /** A snapshot is by now the cheaper thing to write, or to read. */
  #isTooLong(records: number, bytes: number): boolean {
    const wanted = Math.floor(this.#snapshotBytes / STATE_BYTES_PER_CHAIN_RECORD)
    if (records > Math.min(MAX_CHAIN_RECORDS, Math.max(MIN_CHAIN_RECORDS, wanted))) return true
    return bytes > Math.max(MIN_CHAIN_BYTES, 2 * this.#snapshotBytes)
  }

  /** The changes as deltas, or undefined when a snapshot is asked for or by now the cheaper thing to write. */
  #deltas(pending: readonly Pending[]): readonly EncodedRecord[] | undefined {
    const records: EncodedRecord[] = []
    let bytes = this.#chainBytes
    for (const { change, sequence, kind } of pending) {
      if (change === undefined) return undefined
      const { patches, call, agenda, method } = change
      const head: RecordHead = { ...this.#options.life, sequence, kind }
      const text = encodeDelta({ patches, calls: call === undefined ? [] : [call], agenda })
      const body = this.#encrypted(head, text)
      const isNoted = method !== '' && this.#options.cipher === undefined
      records.push({ head, body, ...(isNoted && { note: method }) })
      bytes += body.length
    }
    const count = this.#chainRecords + records.length
    if (this.#isTooLong(count, bytes)) return undefined
    this.#chainBytes = bytes
    this.#chainRecords = count
    return records
  }
}

/** What else is in a snapshot than its own record; snapshots that nobody needed any more among it. */
const foldedOf = (pending: readonly Pending[]): readonly FoldedChange[] =>
  pending.slice(-MAX_FOLDED).flatMap((item): readonly FoldedChange[] => {
    if (item.change !== undefined)
      return [[item.sequence, item.change.method, item.change.call?.caller ?? null]]
    return item === pending.at(-1) ? [] : [[item.sequence, '#snapshot ', null]]
  })
const sizeOf = ({ change }: Pending): number =>
  change === undefined ? 0 : change.patches.length + (change.call?.result.length ?? 0)

const recordOf = ({ head, folded }: Snapshot, body: Uint8Array): EncodedRecord => ({
  head,
  body,
  ...(folded.length > 0 && { note: folded }),
})
