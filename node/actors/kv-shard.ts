// One part of the key-value store: an actor like any other, which every peer that runs actors knows.
//
//  K1 The revision grows by one with every change, and is the version of the key that was changed: a key never has the same
//     version twice, also when it was deleted in between.
//  K2 A watcher that asks again from the revision it was told of is told of every key that changed since. Deletions are
//     remembered for a while; whoever knows less than that gets the names of all keys, and finds by itself what is gone.
//  K3 Who waits is told nothing but to ask again: what woke it may not be durable yet.

import { original } from 'mutative'
import { TooLargeError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { Actor } from './actor.ts'
import { BUILT_IN, type BuiltInActor, CHANGED } from './built-in.ts'
import { checkKey, KV_SHARD_BYTES, KV_SHARD_KEYS, KV_VALUE_BYTES, sizeOf } from './kv-limits.ts'
import type { ActorClass, ActorOptionsInput } from './types.ts'

export const KV_TYPE = 'mesh:kv'

/** Deletions remembered: some 500 bytes each at most, and more than happen while a watcher asks again. */
const MAX_GONE = 1024
/** Encoded values in one answer to a watcher; it asks again for the rest. */
const ANSWER_BYTES = 1024 * 1024
/** A watcher that died says nothing, so none is waited for longer than this. */
const WAIT_MS = 15_000

/** Value: base64 of the user's encoded value, which a draft and a snapshot carry without looking into it. */
export interface ShardEntry {
  readonly value: string
  readonly version: number
}

interface ShardState {
  /** K1 */
  revision: number
  /** Of all keys and values. */
  bytes: number
  entries: Map<string, ShardEntry>
  /** Deleted keys, oldest first, with their last versions. */
  gone: Map<string, number>
  /** Deletions up to this revision may be forgotten. */
  forgotten: number
}

export type ShardPut =
  | { readonly version: number }
  /** Nothing was changed. */
  | { readonly current: ShardEntry | undefined }
  | { readonly full: string }

/** One key, or all with a prefix. */
export type ShardQuery = { readonly key: string } | { readonly prefix: string }

export interface ShardNews {
  /** To ask from the next time. */
  readonly after: number
  readonly entries: readonly (ShardEntry & { readonly key: string })[]
  readonly gone: readonly (readonly [key: string, version: number])[]
  /** K2: all there are. */
  readonly keys: readonly string[] | undefined
  /** Deletions that `keys` shows happened at or before this. */
  readonly revision: number
}

interface Waiter {
  readonly query: ShardQuery
  readonly wake: () => void
}

const matches = (query: ShardQuery, key: string): boolean =>
  'key' in query ? query.key === key : key.startsWith(query.prefix)

class KvShard extends Actor<ShardState> implements BuiltInActor {
  static readonly actorName = KV_TYPE
  static readonly [BUILT_IN] = true
  static readonly options: ActorOptionsInput = { readOnly: ['get', 'keys', 'news'] }
  override state: ShardState = {
    revision: 0,
    bytes: 0,
    entries: new Map(),
    gone: new Map(),
    forgotten: 0,
  }
  readonly #clock: Clock
  readonly #waiting = new Set<Waiter>()
  /** Keys that methods changed since the last record. */
  readonly #touched = new Set<string>()

  constructor(clock: Clock) {
    super()
    this.#clock = clock
  }

  get(key: string): ShardEntry | undefined {
    return this.#base().entries.get(key)
  }

  /** `expected`: nothing where anything may be there, null where no key may be. */
  put(key: string, value: string, expected?: number | null): ShardPut {
    checkKey(key)
    if (typeof value !== 'string' || sizeOf('', value) > KV_VALUE_BYTES)
      throw new TooLargeError(`a value is at most ${KV_VALUE_BYTES} bytes`)
    const { state } = this
    const before = state.entries.get(key)
    if (expected !== undefined && before?.version !== (expected ?? undefined))
      return { current: copyOf(before) }
    const bytes = state.bytes + sizeOf(key, value) - (before ? sizeOf(key, before.value) : 0)
    const isNew = before === undefined
    if (bytes > KV_SHARD_BYTES && bytes > state.bytes)
      return { full: `it would hold ${bytes} bytes, beyond its limit of ${KV_SHARD_BYTES}` }
    if (isNew && state.entries.size >= KV_SHARD_KEYS)
      return { full: `it holds ${KV_SHARD_KEYS} keys, its limit` }
    const version = ++state.revision // K1
    state.bytes = bytes
    state.entries.set(key, { value, version })
    state.gone.delete(key)
    this.#touched.add(key)
    return { version }
  }

  delete(key: string, ifVersion?: number): boolean {
    const { state } = this
    const before = state.entries.get(key)
    if (before === undefined || (ifVersion !== undefined && before.version !== ifVersion)) return false
    const version = ++state.revision // K1
    state.bytes -= sizeOf(key, before.value)
    state.entries.delete(key)
    state.gone.set(key, version)
    if (state.gone.size > MAX_GONE) {
      const [oldest] = state.gone
      state.forgotten = oldest![1]
      state.gone.delete(oldest![0])
    }
    this.#touched.add(key)
    return true
  }

  keys(prefix: string): readonly string[] {
    return [...this.#base().entries.keys()].filter((key) => key.startsWith(prefix))
  }

  /** What changed after that revision; undefined: nothing so far, ask again. Waits for a while where there is nothing. */
  async news(query: ShardQuery, after: number): Promise<ShardNews | undefined> {
    const { signal } = this.context
    const news = newsIn(this.#base(), query, after)
    if (news === undefined) await this.#change(query, signal)
    return news // K3
  }

  /** Runs outside of calls: a record was made, or this object ends. */
  [CHANGED](isEnding: boolean): void {
    for (const waiter of [...this.#waiting])
      if (isEnding || [...this.#touched].some((key) => matches(waiter.query, key))) waiter.wake()
    this.#touched.clear()
  }

  #change(query: ShardQuery, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(waiter)
        resolve()
      }
      const waiter = { query, wake }
      const timer = this.#clock.setTimer(WAIT_MS, wake)
      signal.addEventListener('abort', wake)
      this.#waiting.add(waiter)
    })
  }

  /** The state as it is, not drafted: ten thousand entries are looked through at once. */
  #base(): ShardState {
    return original(this.state)
  }
}

function newsIn(state: ShardState, query: ShardQuery, asked: number): ShardNews | undefined {
  const { revision, forgotten } = state
  // Somebody accepted a loss, and the revision that the watcher knew is gone: everything may be different.
  const after = asked > revision ? 0 : asked
  const knowsAll = asked <= revision && after >= forgotten // K2
  if (knowsAll && after === revision) return undefined
  const changed = entriesOf(state, query).filter(([, { version }]) => version > after)
  const gone = knowsAll ? goneIn(state, query).filter(([, version]) => version > after) : []
  if (knowsAll && changed.length === 0 && gone.length === 0) return undefined
  const { entries, isAll } = page(changed)
  return {
    after: isAll ? revision : entries.at(-1)!.version,
    entries,
    gone,
    keys: knowsAll ? undefined : entriesOf(state, query).map(([key]) => key),
    revision,
  }
}

function entriesOf({ entries }: ShardState, query: ShardQuery): (readonly [string, ShardEntry])[] {
  if ('prefix' in query) return [...entries].filter(([key]) => key.startsWith(query.prefix))
  const entry = entries.get(query.key)
  return entry ? [[query.key, entry]] : []
}

function goneIn({ gone }: ShardState, query: ShardQuery): (readonly [string, number])[] {
  if ('prefix' in query) return [...gone].filter(([key]) => key.startsWith(query.prefix))
  const version = gone.get(query.key)
  return version === undefined ? [] : [[query.key, version]]
}

/** As many as one answer takes, by version. */
function page(changed: readonly (readonly [string, ShardEntry])[]) {
  const sorted = changed.toSorted(([, a], [, b]) => a.version - b.version)
  const entries: (ShardEntry & { key: string })[] = []
  let bytes = 0
  for (const [key, { value, version }] of sorted) {
    if (entries.length > 0 && bytes + sizeOf(key, value) > ANSWER_BYTES) break
    bytes += sizeOf(key, value)
    entries.push({ key, value, version })
  }
  return { entries, isAll: entries.length === sorted.length }
}

const copyOf = (entry: ShardEntry | undefined): ShardEntry | undefined =>
  entry && { value: entry.value, version: entry.version }

/** The class for a runtime with that clock. */
export function kvShardOn(clock: Clock): ActorClass {
  return class extends KvShard {
    constructor() {
      super(clock)
    }
  }
}
