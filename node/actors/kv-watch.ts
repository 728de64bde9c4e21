// Follows keys of the key-value store, at whichever homes its shards are.
//
//  W1 What is told last of a key is what its shard had last: each shard is asked again from the revision that was told, and
//     what does not work is tried again until it does or the watch ends.
//  W2 Of one key only the newest change that was not taken yet is kept: memory is bounded by the keys, and a slow reader
//     is never behind by more than what it is about to read.
//  W3 A deletion is told only of a key that was told to be there, or that the app knows.

import { CallCancelledError, MeshError, MeshUnavailableError } from '../errors.ts'
import type { KeyValueParts } from './kv.ts'
import type { ShardEntry, ShardNews, ShardQuery } from './kv-shard.ts'
import type { KvChange, KvEntry, KvWatchOptions } from './kv-types.ts'
import { Backoff, Signal } from './timing.ts'

/** Longer than a shard waits, so that a call that ends by it was lost; a move or a recovery is followed at once. */
const ASK_TIMEOUT_MS = 30_000
const PAUSE_FIRST_MS = 20
const PAUSE_MOST_MS = 1000
/** Keys with changes that were not taken yet, beyond which no more are fetched. */
const MAX_PENDING = 1024
/** Nothing happens by it: a signal is waited for again. */
const LONG_MS = 60_000

/** After these another attempt is as hopeless. */
const FINAL: ReadonlySet<string> = new Set(['ACTOR_DIED', 'UNKNOWN_TYPE', 'UNKNOWN_METHOD', 'BAD_INPUT'])

interface Parts extends KeyValueParts {
  readonly decode: (key: string, entry: ShardEntry) => KvEntry
}

interface Watched {
  readonly query: ShardQuery
  readonly shards: readonly string[]
  readonly options: KvWatchOptions
}

/** Each iteration is a watch of its own; ending one ends a `next` that waits, too. */
export function watchShards(parts: Parts, watched: Watched): AsyncIterable<KvChange> {
  const over = { done: true, value: undefined } as const
  return {
    [Symbol.asyncIterator]: () => {
      const watch = new Watch(parts, watched)
      return {
        next: async () => {
          const value = await watch.next()
          return value === undefined ? over : { done: false, value }
        },
        return: async () => {
          watch.end()
          return over
        },
      }
    },
  }
}

type Pending =
  | { readonly kind: 'put'; readonly entry: ShardEntry }
  | { readonly kind: 'delete'; readonly version: number }

class Watch {
  readonly #parts: Parts
  readonly #query: ShardQuery
  readonly #given: AbortSignal | undefined
  readonly #over = new AbortController()
  readonly #arrived: Signal
  readonly #taken: Signal
  readonly #pending = new Map<string, Pending>()
  #failure: { readonly error: unknown } | undefined

  constructor(parts: Parts, { query, shards, options }: Watched) {
    this.#parts = parts
    this.#query = query
    this.#given = options.signal
    this.#arrived = new Signal(parts.clock)
    this.#taken = new Signal(parts.clock)
    this.#given?.addEventListener('abort', this.#abort, { once: true })
    if (this.#given?.aborted) this.#abort()
    for (const shard of shards) void this.#follow(shard, options.after ?? 0)
  }

  /** Undefined once it ended. Rejects when it was cancelled, the node is closed, or a shard died. */
  async next(): Promise<KvChange | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#over.signal.aborted) return undefined
      const [next] = this.#pending
      if (next !== undefined) {
        const [key, pending] = next
        this.#pending.delete(key)
        this.#taken.raise()
        if (pending.kind === 'delete') return { kind: 'delete', key, version: pending.version }
        return { kind: 'put', ...this.#parts.decode(key, pending.entry) }
      }
      await this.#arrived.wait(LONG_MS)
    }
  }

  end(): void {
    this.#given?.removeEventListener('abort', this.#abort)
    this.#over.abort()
    this.#arrived.raise()
    this.#taken.raise()
  }

  readonly #abort = (): void =>
    this.#fail(new CallCancelledError('the watch was cancelled by its signal', { executed: 'no' }))

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#over.abort()
    this.#arrived.raise()
    this.#taken.raise()
  }

  async #follow(shard: string, from: number): Promise<void> {
    /** Keys of this shard that the reader was told of, or knows, with their versions. */
    const known = new Map<string, number>()
    if (from > 0 && 'key' in this.#query) known.set(this.#query.key, from)
    const pause = new Backoff(PAUSE_FIRST_MS, PAUSE_MOST_MS)
    let after = from
    while (!this.#over.signal.aborted) {
      try {
        const news = await this.#ask(shard, after)
        pause.reset()
        if (news === undefined) continue
        after = news.after
        this.#take(known, news)
      } catch (error) {
        if (this.#over.signal.aborted) return
        if (this.#parts.closed())
          return this.#fail(new MeshUnavailableError('this node is closed: watch at another one'))
        if (!(error instanceof MeshError) || FINAL.has(error.code)) return this.#fail(error)
        await new Promise<void>((resolve) => this.#parts.clock.setTimer(pause.next(), resolve)) // W1
      }
      while (this.#pending.size > MAX_PENDING && !this.#over.signal.aborted) await this.#taken.wait(LONG_MS)
    }
  }

  #ask(shard: string, after: number): Promise<ShardNews | undefined> {
    const options = { timeoutMs: ASK_TIMEOUT_MS, signal: this.#over.signal }
    return this.#parts.call(shard, 'news', [this.#query, after], options) as Promise<ShardNews | undefined>
  }

  #take(known: Map<string, number>, { entries, gone, keys, revision }: ShardNews): void {
    for (const { key, value, version } of entries) {
      if (known.get(key) === version) continue
      known.set(key, version)
      this.#put(key, { kind: 'put', entry: { value, version } })
    }
    for (const [key, version] of gone) this.#delete(known, key, version)
    if (keys === undefined) return
    const there = new Set(keys)
    for (const key of [...known.keys()]) if (!there.has(key)) this.#delete(known, key, revision)
  }

  #delete(known: Map<string, number>, key: string, version: number): void {
    if (known.delete(key)) this.#put(key, { kind: 'delete', version }) // W3
  }

  #put(key: string, pending: Pending): void {
    this.#pending.delete(key)
    this.#pending.set(key, pending) // W2
    this.#arrived.raise()
  }
}
