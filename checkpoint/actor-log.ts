// One actor's state and its records: what changed, what is written, what is acknowledged.
//
//  A1 State, call table and sequence change together, in one synchronous step: a snapshot taken at any moment is the
//     state after exactly the calls in its table.
//  A2 The state in memory is the one that a replay gives: patches are applied as decoded from their own bytes.
//  A3 The first record in a journal is a snapshot of everything.

import type { Patches } from 'mutative'
import type { RecordSource } from './batcher.ts'
import type { CallTable, SettledCall } from './call-table.ts'
import { decodeUser, encode } from './codec.ts'
import type { ActorLife } from './journal-index.ts'
import type { BootId, LogKey } from './mesh-types.ts'
import { type EncodedRecord, encodeDelta, encodeSnapshot, type RecordKind } from './records.ts'
import type { MakeRef } from './reference.ts'
import { applyPatches } from './replay.ts'

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

interface Pending {
  readonly sequence: number
  /** Undefined for a snapshot that carries no change. */
  readonly patches?: Uint8Array
  readonly call?: SettledCall
  readonly kind: RecordKind
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
  /** Of the record that the state was restored from; 0 for a fresh actor, whose state is a change still to be written. */
  readonly sequence: number
  /** Callers that are refused for ever: their results need no keeping. */
  readonly isGone: (boot: BootId) => boolean
  /** Makes references in changes usable; without it a change may hold none. */
  readonly makeRef?: MakeRef
  /** Asks for {@link ActorLog.take} soon. */
  readonly mark: (source: RecordSource) => void
}

export class ActorLog implements RecordSource {
  readonly calls: CallTable
  readonly #options: ActorLogOptions
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

  constructor(options: ActorLogOptions) {
    this.#options = options
    this.calls = options.calls
    this.#state = options.state
    this.#durableState = options.state
    this.#sequence = options.sequence
    this.#durable = options.sequence
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

  /** A call's change; returns the decoded patches, whose values are now part of the state (A1, A2). */
  commit(patches: Uint8Array, call: SettledCall): Patches {
    const decoded = decodeUser(patches, this.#options.makeRef) as Patches
    this.#state = applyPatches(this.#state, decoded)
    this.#push({ sequence: this.#sequence + 1, patches, call, kind: 'delta' })
    this.calls.settle(call, this.#sequence)
    return decoded
  }

  /** Writes everything again, into the journal of the moment; resolves like {@link whenDurable} of it. */
  writeSnapshot(kind: 'snapshot' | 'release' = 'snapshot'): Promise<void> {
    this.#push({ sequence: this.#sequence + 1, kind })
    return this.whenDurable(this.#sequence)
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
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  take(journal: LogKey): readonly EncodedRecord[] {
    const pending = this.#pending
    const last = pending.at(-1)
    if (last === undefined || this.#failure !== undefined) return []
    this.#pending = []
    const deltas = this.#journal === journal ? this.#deltas(pending) : undefined // A3
    if (deltas !== undefined) return deltas
    this.#journal = journal
    const kind = pending.some((item) => item.kind === 'release') ? 'release' : 'snapshot'
    this.calls.forget(this.#options.isGone)
    const body = encodeSnapshot({ state: encode(this.#state), calls: this.calls.toData() }) // A1
    this.#snapshotBytes = body.length
    this.#chainBytes = 0
    this.#chainRecords = 0
    return [{ head: { ...this.#options.life, sequence: last.sequence, kind }, body }]
  }

  acknowledged(sequence: number, journal: LogKey, index: number): void {
    if (this.#failure !== undefined || sequence <= this.#durable) return
    this.#durable = sequence
    this.#position = { journal, index }
    while (this.#unacknowledged.length > 0 && this.#unacknowledged[0]!.sequence <= sequence) {
      this.#durableState = this.#unacknowledged.shift()!.state
    }
    const ready = this.#waiters.filter((waiter) => waiter.sequence <= sequence)
    this.#waiters = this.#waiters.filter((waiter) => waiter.sequence > sequence)
    for (const waiter of ready) waiter.resolve()
  }

  cutOff(): void {
    this.#journal = undefined
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
    for (const { patches, call, sequence, kind } of pending) {
      if (patches === undefined || call === undefined) return undefined
      const body = encodeDelta({ patches, calls: [call] })
      records.push({ head: { ...this.#options.life, sequence, kind }, body })
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
