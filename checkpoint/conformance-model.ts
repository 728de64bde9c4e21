// The dumb second implementation that the acceptance suite compares stores with: logs are arrays of strings. A script
// runs on two stores that take each other's blocks, and restarts them in between.

import fc from 'fast-check'
import { expect } from 'vitest'
import { peerId } from '../mesh/ids.ts'
import type { StoreHarness } from './conformance.ts'
import type { LogKey, StoreFacts } from './mesh-types.ts'
import type { LogStore } from './port.ts'

type Operation =
  | { readonly kind: 'create'; readonly store: Side }
  | {
      readonly kind: 'append'
      readonly store: Side
      readonly log: number
      readonly blocks: readonly string[]
    }
  | {
      readonly kind: 'copy'
      readonly store: Side
      readonly log: number
      readonly from: number
      readonly count: number
      readonly maxBytes: number
    }
  | {
      readonly kind: 'check'
      readonly store: Side
      readonly log: number
      readonly from: number
      readonly to: number
    }
  | { readonly kind: 'drop'; readonly store: Side; readonly log: number }
  | { readonly kind: 'persist'; readonly store: Side; readonly peer: string; readonly address: string }
  | { readonly kind: 'sync'; readonly store: Side }
  | { readonly kind: 'restart'; readonly store: Side }
type Side = 0 | 1

const store = fc.constantFrom<Side[]>(0, 1)
const log = fc.nat(3)
const position = fc.nat(30)
const block = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('x'.repeat(5000)))

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('create' as const), store }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        store,
        log,
        blocks: fc.array(block, { minLength: 1, maxLength: 9 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('copy' as const),
        store,
        log,
        from: position,
        count: fc.integer({ min: 1, max: 30 }),
        maxBytes: fc.constantFrom(1, 1000, 1_000_000),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('check' as const), store, log, from: position, to: position }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), store, log }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('persist' as const),
        store,
        peer: fc.constantFrom('a', 'b'),
        address: fc.string(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const), store }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), store }) },
  ),
  { maxLength: 50 },
)

interface ModelStore {
  readonly held: Map<LogKey, string[]>
  readonly writable: Set<LogKey>
  readonly peers: Record<string, string[]>
}

export class StoreModel {
  readonly stores: readonly [ModelStore, ModelStore] = [modelStore(), modelStore()]
  readonly logs: LogKey[] = []
}

const modelStore = (): ModelStore => ({ held: new Map(), writable: new Set(), peers: {} })
const texts = (blocks: readonly Uint8Array[]) => blocks.map((bytes) => Buffer.from(bytes).toString())

export async function runOperations(
  script: readonly Operation[],
  model: StoreModel,
  disks: readonly [StoreHarness, StoreHarness],
): Promise<void> {
  const stores = [await disks[0].open(), await disks[1].open()] as [LogStore, LogStore]
  try {
    for (const operation of script) await run(operation, model, stores, disks)
    for (const side of [0, 1] as const) await compare(model, stores[side], side)
  } finally {
    await Promise.all(stores.map((open) => open.close()))
  }
}

async function run(
  operation: Operation,
  model: StoreModel,
  stores: [LogStore, LogStore],
  disks: readonly [StoreHarness, StoreHarness],
): Promise<void> {
  const mine = model.stores[operation.store]
  const open = stores[operation.store]
  const key = 'log' in operation ? model.logs[operation.log % Math.max(1, model.logs.length)] : undefined
  switch (operation.kind) {
    case 'create': {
      const created = await open.createLog()
      model.logs.push(created)
      mine.held.set(created, [])
      mine.writable.add(created)
      return
    }
    case 'persist':
      mine.peers[operation.peer] = [operation.address]
      return open.persist({ peers: { [peerId(operation.peer)]: [operation.address] } })
    case 'sync':
      return open.sync()
    case 'restart': {
      await open.close()
      stores[operation.store] = await disks[operation.store].open()
      mine.writable.clear()
      expect(stores[operation.store].facts.peers).toEqual(mine.peers as StoreFacts['peers'])
      return
    }
  }
  if (key === undefined) return
  const held = mine.held.get(key) ?? []
  switch (operation.kind) {
    case 'append': {
      const results = await Promise.allSettled(
        operation.blocks.map((text) => open.append(key, Buffer.from(text))),
      )
      if (mine.writable.has(key)) held.push(...operation.blocks)
      expect(results.every(({ status }) => status === 'fulfilled')).toBe(mine.writable.has(key))
      return
    }
    case 'copy': {
      const other: Side = operation.store === 0 ? 1 : 0
      const theirs = model.stores[other].held.get(key) ?? []
      const proofs = await stores[other].prove(
        key,
        operation.from,
        operation.from + operation.count,
        operation.maxBytes,
      )
      const sent = theirs.slice(operation.from, operation.from + proofs.length)
      expect(proofs.length).toBe(
        operation.maxBytes === 1_000_000
          ? theirs.slice(operation.from, operation.from + operation.count).length
          : sent.length,
      )
      if (operation.from <= held.length) held.push(...sent.slice(held.length - operation.from))
      if (held.length > 0) mine.held.set(key, held)
      expect(await open.ingest(key, proofs)).toBe(held.length)
      return
    }
    case 'check': {
      const { from, to } = operation
      expect(await open.length(key)).toBe(held.length)
      expect(texts(await open.read(key, from, to))).toEqual(held.slice(from, Math.max(from, to)))
      return
    }
    case 'drop':
      mine.held.delete(key)
      mine.writable.delete(key)
      return open.drop(key)
  }
}

async function compare(model: StoreModel, open: LogStore, side: Side): Promise<void> {
  for (const key of model.logs) {
    const held = model.stores[side].held.get(key) ?? []
    expect(texts(await open.read(key, 0, held.length + 1))).toEqual(held)
    expect(await open.hash(key, held.length)).toMatch(held.length === 0 ? /^$/ : /^[0-9a-f]{64}$/)
  }
}
