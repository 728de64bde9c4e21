// Which calls an actor's state already contains, and what they returned: what makes a retry harmless (G3).
//
//  T1 An entry goes only when its caller said that it has the result (its floor passed it), or its caller (a boot, or an
//     actor's incarnation) is over in the committed registry and therefore refused for ever; never by time.
//  T2 A number below a stored floor and not in the table was answered once and forgotten: expired, never executed again.
//  T3 The table is part of the state: what `replay` rebuilds from records is what the live actor had at that record.
//
// A caller numbers its calls over all actors. Calls made straight to this actor (`path` is empty) have a floor per actor,
// which follows closely; calls made on behalf of a call somewhere else have the number of that root call and share the
// floor over everything that the root caller has under way.

import type { CallerId } from './mesh-types.ts'

export interface CallId {
  /** The boot that made the root call, or the actor whose agenda had it; and its number there. */
  readonly caller: CallerId
  readonly n: number
  /** Empty for the root call itself; else says which nested call of it this is. */
  readonly path: string
}

export interface CallFloors {
  /** The caller's lowest unanswered number sent straight to this actor; 0 in nested calls, where it is not known. */
  readonly own: number
  /** The caller's lowest unanswered number over all actors. */
  readonly all: number
}

/** A call as its record carries it. */
export interface SettledCall extends CallId {
  readonly floors: CallFloors
  /** The encoded result. */
  readonly result: Uint8Array
}

export type Lookup =
  | { readonly kind: 'new' }
  | { readonly kind: 'expired' }
  /** Settled by the record with this sequence number. */
  | { readonly kind: 'settled'; readonly result: Uint8Array; readonly sequence: number }

interface Entry {
  readonly n: number
  readonly path: string
  readonly result: Uint8Array
  readonly sequence: number
}

interface Caller {
  own: number
  all: number
  readonly entries: Map<string, Entry>
}

/** Callers with their floors and entries, as a snapshot stores them. */
export type CallTableData = readonly (readonly [
  caller: CallerId,
  own: number,
  all: number,
  entries: readonly (readonly [n: number, path: string, result: Uint8Array, sequence: number])[],
])[]

const entryKey = (id: CallId): string => `${id.n} ${id.path}`

export class CallTable {
  readonly #callers = new Map<CallerId, Caller>()
  #changes = 0

  static from(data: CallTableData): CallTable {
    const table = new CallTable()
    for (const [boot, own, all, entries] of data) {
      const caller: Caller = { own, all, entries: new Map() }
      for (const [n, path, result, sequence] of entries) {
        caller.entries.set(`${n} ${path}`, { n, path, result, sequence })
      }
      table.#callers.set(boot, caller)
    }
    return table
  }

  toData(): CallTableData {
    return [...this.#callers].map(([boot, { own, all, entries }]) => [
      boot,
      own,
      all,
      [...entries.values()].map((entry) => [entry.n, entry.path, entry.result, entry.sequence] as const),
    ])
  }

  /** Changes so far: as long as it stays the same, what was written of the table is the table. */
  get changes(): number {
    return this.#changes
  }

  get size(): number {
    let size = 0
    for (const caller of this.#callers.values()) size += caller.entries.size
    return size
  }

  /** Of whom there are floors or entries. */
  get callers(): number {
    return this.#callers.size
  }

  lookup(id: CallId): Lookup {
    const caller = this.#callers.get(id.caller)
    if (caller === undefined) return { kind: 'new' }
    const entry = caller.entries.get(entryKey(id))
    if (entry !== undefined) return { kind: 'settled', result: entry.result, sequence: entry.sequence }
    return { kind: id.n < (id.path === '' ? caller.own : caller.all) ? 'expired' : 'new' } // T2
  }

  settle(call: SettledCall, sequence: number): void {
    this.raise(call.caller, call.floors)
    const { n, path, result } = call
    this.#caller(call.caller).entries.set(entryKey(call), { n, path, result, sequence })
    this.#changes++
  }

  /** Drops what the caller has the answers of (T1). */
  raise(id: CallerId, floors: CallFloors): void {
    const known = this.#callers.get(id)
    if (known !== undefined && floors.own <= known.own && floors.all <= known.all) return
    const caller = this.#caller(id)
    this.#changes++
    caller.own = Math.max(caller.own, floors.own)
    caller.all = Math.max(caller.all, floors.all)
    for (const [key, entry] of caller.entries) {
      if (entry.n < (entry.path === '' ? caller.own : caller.all)) caller.entries.delete(key)
    }
  }

  /** The same in a table that is no part of a state: a floor says nothing there of a caller of whom nothing is kept. */
  raiseKnown(id: CallerId, floors: CallFloors): void {
    if (this.#callers.has(id)) this.raise(id, floors)
  }

  /** Drops callers that the committed registry says are over (T1). */
  forget(isGone: (caller: CallerId) => boolean): void {
    for (const caller of this.#callers.keys())
      if (isGone(caller) && this.#callers.delete(caller)) this.#changes++
  }

  #caller(id: CallerId): Caller {
    const known = this.#callers.get(id)
    if (known !== undefined) return known
    const caller: Caller = { own: 0, all: 0, entries: new Map() }
    this.#callers.set(id, caller)
    return caller
  }
}
