// The key-value store as an app has it: which shard has a key, values to bytes and back, and what its shards said.

import { decodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { CallOptions } from '../api.ts'
import { BadInputError, CallExpiredError, KvFullError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { DEFAULT_TIMEOUT_MS } from './client.ts'
import { checkKey, checkPrefix, checkVersion, encodeValue, shardNames, shardOf } from './kv-limits.ts'
import type { ShardEntry, ShardPut } from './kv-shard.ts'
import type { KeyValueStore, KvChange, KvDeleteOptions, KvEntry, KvSwap, KvWatchOptions } from './kv-types.ts'
import { watchShards } from './kv-watch.ts'

export interface KeyValueParts {
  /** A call of a shard, by its name. */
  readonly call: (
    shard: string,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ) => Promise<unknown>
  readonly makeRef: MakeRef
  readonly clock: Clock
  readonly closed: () => boolean
}

export class KeyValue implements KeyValueStore {
  readonly #parts: KeyValueParts

  constructor(parts: KeyValueParts) {
    this.#parts = parts
  }

  async get<Value>(key: string, options: CallOptions = {}): Promise<KvEntry<Value> | undefined> {
    checkKey(key)
    const entry = await this.#look(shardOf(key), 'get', [key], options)
    return this.#entryOf(key, entry as ShardEntry | undefined) as KvEntry<Value> | undefined
  }

  async put(key: string, value: unknown, options: CallOptions = {}): Promise<number> {
    checkKey(key)
    const args = [key, encodeValue(key, value)]
    return versionOf(key, (await this.#parts.call(shardOf(key), 'put', args, options)) as ShardPut)
  }

  async compareAndSet<Value>(
    key: string,
    expectedVersion: number | undefined,
    value: Value,
    options: CallOptions = {},
  ): Promise<KvSwap<Value>> {
    checkKey(key)
    checkVersion(expectedVersion, 'expectedVersion')
    const args = [key, encodeValue(key, value), expectedVersion ?? null]
    const done = (await this.#parts.call(shardOf(key), 'put', args, options)) as ShardPut
    if (!('current' in done)) return { ok: true, version: versionOf(key, done) }
    return { ok: false, current: this.#entryOf(key, done.current) as KvEntry<Value> | undefined }
  }

  async delete(key: string, options: KvDeleteOptions = {}): Promise<boolean> {
    checkKey(key)
    const { ifVersion, ...how } = options
    checkVersion(ifVersion, 'ifVersion')
    return (await this.#parts.call(shardOf(key), 'delete', [key, ifVersion], how)) as boolean
  }

  async keys(prefix = '', options: CallOptions = {}): Promise<string[]> {
    checkPrefix(prefix)
    const parts = shardNames.map((shard) => this.#look(shard, 'keys', [prefix], options))
    return ((await Promise.all(parts)) as string[][]).flat().sort()
  }

  watch<Value>(
    what: string | { readonly prefix: string },
    options: KvWatchOptions = {},
  ): AsyncIterable<KvChange<Value>> {
    const { after } = options
    checkVersion(after, 'after')
    if (typeof what !== 'string') {
      checkPrefix(what.prefix)
      if (after !== undefined)
        throw new BadInputError(
          'watch: "after" is a version of one key, and does not go with a prefix: leave it out',
        )
    } else checkKey(what)
    const query = typeof what === 'string' ? { key: what } : { prefix: what.prefix }
    const shards = typeof what === 'string' ? [shardOf(what)] : shardNames
    const decode = (key: string, entry: ShardEntry) => this.#entryOf(key, entry)!
    const parts = { ...this.#parts, decode }
    return watchShards(parts, { query, shards, options }) as AsyncIterable<KvChange<Value>>
  }

  /** A shard's reads call nobody and change nothing, so one is made again where nobody can tell whether it was. */
  async #look(
    shard: string,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    const { call, clock } = this.#parts
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options
    const deadline = clock.now() + timeoutMs
    try {
      return await call(shard, method, args, options)
    } catch (error) {
      const leftMs = deadline - clock.now()
      if (!(error instanceof CallExpiredError) || leftMs <= 0) throw error
      return call(shard, method, args, { ...options, timeoutMs: leftMs })
    }
  }

  #entryOf(key: string, entry: ShardEntry | undefined): KvEntry | undefined {
    if (entry === undefined) return undefined
    const value = decodeUser(Buffer.from(entry.value, 'base64'), this.#parts.makeRef)
    return { key, value, version: entry.version }
  }
}

function versionOf(key: string, done: ShardPut): number {
  if ('version' in done) return done.version
  const why = 'full' in done ? done.full : 'it refused'
  throw new KvFullError(
    `${JSON.stringify(key)} can't be put: the part of the key-value store that it belongs to (${shardOf(key)}) is full, ${why}. Delete keys, or keep large values in actors`,
  )
}
