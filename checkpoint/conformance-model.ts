// The dumb second implementation that the acceptance suite compares stores with: logs are arrays of strings. A script
// runs on two stores that take each other's blocks; they are restarted in between, killed, and lose their power.

import fc from 'fast-check'
import { expect } from 'vitest'
import { peerId } from '../mesh/ids.ts'
import type { CrashableDisk, StoreHarness } from './conformance.ts'
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
  | {
      readonly kind: 'crash'
      readonly store: Side
      readonly power: boolean
      /** Of what was written and not synced when the power fails, from the oldest on: 0 is nothing, 1 is all. */
      readonly survives: number
      /** Appended to this log at that moment, and not waited for. */
      readonly log: number
      readonly underWay: readonly string[]
    }
type Side = 0 | 1

const store = fc.constantFrom<Side[]>(0, 1)
const log = fc.nat(3)
const position = fc.nat(30)
const block = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('x'.repeat(5000)))

const operation = fc.oneof(
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
)

export const operations: fc.Arbitrary<Operation[]> = fc.array(operation, { maxLength: 50 })

/** The log that was made last: the one that its store can append to after a crash. */
const NEWEST = -1

/** Something to lose, some of it synced, and a crash. */
const episode = (side: Side): fc.Arbitrary<Operation[]> => {
  const here = fc.constant(side)
  const work = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        store: here,
        log: fc.constant(NEWEST),
        blocks: fc.array(block, { minLength: 1, maxLength: 9 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sync' as const), store: here }) },
    { weight: 2, arbitrary: operation },
  )
  const crash = fc.record({
    kind: fc.constant('crash' as const),
    store: here,
    power: fc.boolean(),
    survives: fc.constantFrom(0, 0.3, 0.7, 1),
    log: fc.constant(NEWEST),
    underWay: fc.array(block, { maxLength: 4 }),
  })
  return fc
    .tuple(fc.array(work, { minLength: 3, maxLength: 12 }), crash)
    .map(([works, end]) => [{ kind: 'create', store: side }, ...works, end])
}

export const crashes: fc.Arbitrary<Operation[]> = fc
  .array(store.chain(episode), { minLength: 4, maxLength: 4 })
  .map((episodes) => episodes.flat())

type Held = ReadonlyMap<LogKey, readonly string[]>

interface ModelStore {
  held: Map<LogKey, string[]>
  readonly writable: Set<LogKey>
  readonly peers: Record<string, string[]>
  /** What was held after each write since the last sync, oldest first: a power failure leaves one of these. */
  unsynced: Held[]
}

type Disk = StoreHarness | CrashableDisk

export class StoreModel {
  readonly stores: readonly [ModelStore, ModelStore] = [modelStore(), modelStore()]
  readonly logs: LogKey[] = []
}

const modelStore = (): ModelStore => ({
  held: new Map(),
  writable: new Set(),
  peers: {},
  unsynced: [new Map()],
})
const copyOf = (held: Held): Map<LogKey, string[]> =>
  new Map([...held].map(([key, blocks]) => [key, [...blocks]]))
const written = (store: ModelStore): void => void store.unsynced.push(copyOf(store.held))
const synced = (store: ModelStore): void => {
  store.unsynced = [copyOf(store.held)]
}
const texts = (blocks: readonly Uint8Array[]) => blocks.map((bytes) => Buffer.from(bytes).toString())

export async function runOperations(
  script: readonly Operation[],
  model: StoreModel,
  disks: readonly [Disk, Disk],
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
  disks: readonly [Disk, Disk],
): Promise<void> {
  const mine = model.stores[operation.store]
  const open = stores[operation.store]
  const key = 'log' in operation ? model.logs.at(operation.log % Math.max(1, model.logs.length)) : undefined
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
      await open.persist({ peers: { [peerId(operation.peer)]: [operation.address] } })
      return synced(mine)
    case 'sync':
      await open.sync()
      return synced(mine)
    case 'restart':
      await open.close()
      synced(mine)
      return reopen(mine, operation.store, stores, disks)
    case 'crash':
      return crashAndReopen(operation, key, mine, stores, disks, model.logs)
  }
  if (key === undefined) return
  const held = mine.held.get(key) ?? []
  switch (operation.kind) {
    case 'append': {
      const results = await Promise.allSettled(
        operation.blocks.map((text) => open.append(key, Buffer.from(text))),
      )
      if (mine.writable.has(key))
        for (const text of operation.blocks) {
          held.push(text)
          written(mine)
        }
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
      return written(mine)
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
      await open.drop(key)
      return written(mine)
  }
}

async function reopen(
  mine: ModelStore,
  side: Side,
  stores: [LogStore, LogStore],
  disks: readonly [Disk, Disk],
): Promise<void> {
  stores[side] = await disks[side].open()
  mine.writable.clear()
  expect(stores[side].facts.peers).toEqual(mine.peers as StoreFacts['peers'])
}

async function crashAndReopen(
  { store: side, power, survives, underWay }: Operation & { kind: 'crash' },
  key: LogKey | undefined,
  mine: ModelStore,
  stores: [LogStore, LogStore],
  disks: readonly [Disk, Disk],
  logs: readonly LogKey[],
): Promise<void> {
  const disk = disks[side]
  if (!('crash' in disk)) throw new Error('this disk cannot crash')
  const acknowledged = mine.unsynced.length - 1
  if (key !== undefined && mine.writable.has(key))
    for (const text of underWay) {
      stores[side].append(key, Buffer.from(text)).catch(() => {})
      mine.held.get(key)?.push(text)
      written(mine)
    }
  await disk.crash({ power, survives })
  await reopen(mine, side, stores, disks)
  const found = await heldBy(stores[side], logs)
  const state = mine.unsynced.findLastIndex((held) =>
    logs.every((each) => sameBlocks(held.get(each), found.get(each))),
  )
  // What was acknowledged goes with the power at most, and never from the middle.
  const lengths = (held: Held) => logs.map((each) => held.get(each)?.length ?? 0)
  expect({ found: lengths(found), possible: mine.unsynced.map(lengths), state }).toSatisfy(
    () => state >= (power ? 0 : acknowledged),
  )
  mine.held = found
  // What a kill left, a power failure later may still take.
  mine.unsynced = power ? [copyOf(found)] : mine.unsynced.slice(0, state + 1)
}

const sameBlocks = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
  one.length === other.length && one.every((text, i) => text === other[i])

async function heldBy(open: LogStore, logs: readonly LogKey[]): Promise<Map<LogKey, string[]>> {
  const held = new Map<LogKey, string[]>()
  for (const key of logs) {
    const blocks = texts(await open.read(key, 0, await open.length(key)))
    if (blocks.length > 0) held.set(key, blocks)
  }
  return held
}

async function compare(model: StoreModel, open: LogStore, side: Side): Promise<void> {
  for (const key of model.logs) {
    const held = model.stores[side].held.get(key) ?? []
    expect(texts(await open.read(key, 0, held.length + 1))).toEqual(held)
    expect(await open.hash(key, held.length)).toMatch(held.length === 0 ? /^$/ : /^[0-9a-f]{64}$/)
  }
}
