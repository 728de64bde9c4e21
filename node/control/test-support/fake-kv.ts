// A key-value store in memory, with one version for all. A watch tells what is there, and ends.

import type { KeyValueStore, KvChange, KvEntry } from '../../actors/kv-types.ts'

export function fakeKv(): KeyValueStore {
  const entries = new Map<string, KvEntry>()
  let version = 0
  const put = (key: string, value: unknown): number => {
    entries.set(key, { key, value, version: ++version })
    return version
  }
  const kv = {
    get: async (key: string) => entries.get(key),
    put: async (key: string, value: unknown) => put(key, value),
    compareAndSet: async (key: string, expected: number | undefined, value: unknown) => {
      const current = entries.get(key)
      return current?.version === expected ? { ok: true, version: put(key, value) } : { ok: false, current }
    },
    delete: async (key: string, { ifVersion }: { readonly ifVersion?: number } = {}) =>
      (ifVersion === undefined || entries.get(key)?.version === ifVersion) && entries.delete(key),
    keys: async (prefix = '') => [...entries.keys()].filter((key) => key.startsWith(prefix)).sort(),
    async *watch(
      what: string | { readonly prefix: string },
      { after = 0 }: { readonly after?: number } = {},
    ): AsyncGenerator<KvChange> {
      for (const entry of entries.values()) {
        const isWatched = typeof what === 'string' ? entry.key === what : entry.key.startsWith(what.prefix)
        if (isWatched && entry.version > after) yield { kind: 'put', ...entry }
      }
    },
  }
  return kv as KeyValueStore
}
