// The public shapes of the key-value store.

import type { CallOptions } from '../api.ts'

/** A key's value. */
export interface KvEntry<Value = unknown> {
  readonly key: string
  readonly value: Value
  /** Grows with every change of the key, also when it was deleted in between; not by ones. Compare it, nothing else. */
  readonly version: number
}

/** What a watcher is told of one key. */
export type KvChange<Value = unknown> =
  | ({ readonly kind: 'put' } & KvEntry<Value>)
  /** `version`: at or after the deletion, and before whatever comes next. */
  | { readonly kind: 'delete'; readonly key: string; readonly version: number }

export type KvSwap<Value = unknown> =
  | { readonly ok: true; readonly version: number }
  /** Nothing was changed: this is what was there instead; undefined: nothing. */
  | { readonly ok: false; readonly current: KvEntry<Value> | undefined }

export interface KvDeleteOptions extends CallOptions {
  /** Only while the key has this version. */
  readonly ifVersion?: number
}

export interface KvWatchOptions {
  /** Of one key: the version that is known already; only later changes are told. Default: what is there comes first. */
  readonly after?: number
  /** Aborting it ends the iteration with `CALL_CANCELLED`. */
  readonly signal?: AbortSignal
}

/**
 * A small replicated key-value store, the same one on every peer. Keys: texts of 1 to 512 bytes. Values: whatever a state
 * may hold, at most 1 MiB encoded. It is made of 16 actors; a key's hash says which one has it, and each takes 16 MiB and
 * 10,000 keys. Every operation on one key is linearizable and durable on a majority of three keepers, and takes effect
 * once. Methods reject with BAD_INPUT, TOO_LARGE, UNSERIALISABLE_STATE, KV_FULL, and like calls of actors.
 */
export interface KeyValueStore {
  /** Undefined: there is no such key. Sees everything that was acknowledged before it began. */
  get<Value = unknown>(key: string, options?: CallOptions): Promise<KvEntry<Value> | undefined>
  /** Sets it, whatever was there. Resolves with its new version. */
  put(key: string, value: unknown, options?: CallOptions): Promise<number>
  /** Sets it where it has that version; `undefined`: where there is no such key. */
  compareAndSet<Value = unknown>(
    key: string,
    expectedVersion: number | undefined,
    value: Value,
    options?: CallOptions,
  ): Promise<KvSwap<Value>>
  /** Whether there was one to delete. */
  delete(key: string, options?: KvDeleteOptions): Promise<boolean>
  /** Keys that begin so, sorted; all of them by default. Each of the 16 parts as of a moment of its own. */
  keys(prefix?: string, options?: CallOptions): Promise<string[]>
  /**
   * What there is of a key, or of all keys with a prefix, and then every change as it comes, without end, whatever fails
   * meanwhile. Versions of one key only grow; of changes that follow each other faster than they are taken, the newest is
   * told. Of a prefix each key's changes are in order, those of different keys are not.
   */
  watch<Value = unknown>(
    what: string | { readonly prefix: string },
    options?: KvWatchOptions,
  ): AsyncIterable<KvChange<Value>>
}
