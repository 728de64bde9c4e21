// An actor's log, its blocks, the index over them and the replay, together: whatever prefix of the journal survives, the
// replay gives the state and the calls that the live actor had at that record.

import fc from 'fast-check'
import { create } from 'mutative'
import { describe, expect, test } from 'vitest'
import { bootId, logKey, parseActorKey, peerId } from '../mesh/ids.ts'
import { ActorLog, type Slicing } from './actor-log.ts'
import { CallTable } from './call-table.ts'
import { decode, encode } from './codec.ts'
import { type ActorLife, JournalIndex } from './journal-index.ts'
import { MemoryDisk } from './memory-disk.ts'
import { openMemoryStore } from './memory-store.ts'
import { cut, encodeBlock, type RecordPart, readHeader, UnreadableBlock } from './records.ts'
import { replay } from './replay.ts'

const life: ActorLife = { actor: parseActorKey('T/x'), incarnation: 1, epoch: 3 }
const caller = bootId(peerId('p'), 'n')
const J = logKey('J')

interface State {
  items: Record<string, number>
  list: number[]
  set: Set<number>
  map: Map<string, { at: Date; bytes: Uint8Array }>
}
const initial = (): State => ({ items: {}, list: [], set: new Set(), map: new Map() })

type Change = (state: State) => void
const set = (items: Record<string, number>, key: string, item: number): void => {
  items[key] = item
}
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer()).map(
    ([key, item]): Change =>
      (state) =>
        set(state.items, key, item),
  ),
  fc.constantFrom('a', 'b', 'c').map(
    (key): Change =>
      (state) =>
        void delete state.items[key],
  ),
  fc.integer().map(
    (item): Change =>
      (state) =>
        void state.list.push(item),
  ),
  fc.constant<Change>((state) => void state.list.shift()),
  fc.nat(5).map(
    (index): Change =>
      (state) =>
        void state.list.splice(index, 1, 7, 8),
  ),
  fc.nat(5).map(
    (item): Change =>
      (state) =>
        void state.set.add(item),
  ),
  fc.nat(5).map(
    (item): Change =>
      (state) =>
        void state.set.delete(item),
  ),
  fc.tuple(fc.constantFrom('x', 'y'), fc.nat(1000)).map(
    ([key, at]): Change =>
      (state) =>
        void state.map.set(key, { at: new Date(at), bytes: new Uint8Array([at % 256]) }),
  ),
  fc.constant<Change>((state) => {
    for (const item of state.map.values()) item.at = new Date(item.at.getTime() + 1)
  }),
)

const inSmallSlices: Slicing = { largeBytes: 0, sliceBytes: 30, pause: () => Promise.resolve() }
const makeLog = (state: object, slicing?: Slicing) =>
  new ActorLog({
    life,
    state,
    calls: new CallTable(),
    sequence: 0,
    slicing,
    isGone: () => false,
    mark: () => {},
  })

function commit(log: ActorLog, n: number, made: Change): boolean {
  const [, patches] = create(log.state as State, made, { enablePatches: true })
  if (patches.length === 0) return false
  log.commit(encode(patches), { caller, n, path: '', floors: { own: 0, all: 0 }, result: encode(n) })
  return true
}

/** Some other actor's record, so that blocks hold more than one. */
const noise = (sequence: number): RecordPart => ({
  actor: parseActorKey('T/y'),
  incarnation: 1,
  epoch: 3,
  sequence,
  kind: 'snapshot',
  part: 0,
  parts: 1,
  bytes: new Uint8Array(3),
})

describe('actor log', () => {
  test.each([
    ['made at once', undefined],
    ['A5 made in slices', inSmallSlices],
  ])(
    'any prefix of the journal replays to what the actor was at its last whole record in it: snapshots %s',
    async (_how, slicing) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(change, fc.boolean()), { maxLength: 150 }),
          fc.nat(),
          async (changes, seed) => {
            const log = makeLog(initial(), slicing)
            void log.writeSnapshot().catch(() => {})
            const blocks: Uint8Array[] = []
            const after = new Map<number, { state: object; calls: number }>([
              [1, { state: log.state, calls: 0 }],
            ])
            const flush = (): void => {
              // Small parts, so that snapshots are cut over blocks as large ones are.
              const parts = log
                .take(J)
                .flatMap((record) => cut(record, record.head.kind === 'delta' ? 1e6 : 40))
              if (parts.length === 0) return
              for (let at = 0; at < parts.length; at += 3)
                blocks.push(encodeBlock([noise(blocks.length), ...parts.slice(at, at + 3)]))
            }
            flush()
            for (const [n, [made, full]] of changes.entries()) {
              // Some snapshots are in the making over several changes, and one may be asked for meanwhile.
              for (let turn = (n * 7 + seed) % 5; turn > 0; turn--) await null
              if (commit(log, n, made)) after.set(log.sequence, { state: log.state, calls: log.calls.size })
              if (full) void log.writeSnapshot().catch(() => {})
              if ((n + seed) % 3 === 0) flush()
              after.set(log.sequence, { state: log.state, calls: log.calls.size })
            }
            flush()
            for (let turn = 0; turn < 500; turn++) {
              await null
              flush()
            }
            const store = await openMemoryStore({ disk: new MemoryDisk(), random: () => '00' })
            const journal = await store.createLog()
            for (const block of blocks) await store.append(journal, block)
            const index = new JournalIndex(journal, store)
            for (const length of [blocks.length, seed % (blocks.length + 1), blocks.length]) {
              const needed = await index.find(life, length)
              const restored = replay(
                life,
                needed!.map((at) => blocks[at]!),
              )
              if (restored === undefined) continue
              const expected = after.get(restored.sequence)!
              expect(restored.state).toEqual(expected.state)
              expect(restored.calls.size).toBe(expected.calls)
              expect(needed!.every((at) => at < length)).toBe(true)
            }
            const last = replay(
              life,
              (await index.find(life, blocks.length))!.map((at) => blocks[at]!),
            )
            expect(last?.sequence).toBe(log.sequence)
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  test('R10: an index that has read on answers for a shorter journal as if it had not', async () => {
    const store = await openMemoryStore({ disk: new MemoryDisk(), random: () => '00' })
    const journal = await store.createLog()
    const log = makeLog({ n: 0 })
    const write = async () => {
      await store.append(journal, encodeBlock(log.take(journal).flatMap((record) => cut(record))))
    }
    void log.writeSnapshot()
    await write()
    void log.writeSnapshot()
    await write()
    const index = new JournalIndex(journal, store)
    expect(await index.find(life, 2)).toEqual([1])
    expect(await index.find(life, 1)).toEqual([0])
    expect(await index.find({ ...life, epoch: 2 }, 2)).toEqual([])
    expect(await index.find({ ...life, incarnation: 2 }, 2)).toEqual([])
    expect(await index.find(life, 3)).toBe(undefined)
  })

  test('A3: the first record in another journal is a snapshot of everything; chains end before they get long', () => {
    const log = makeLog(initial())
    void log.writeSnapshot()
    expect(log.take(J).map((record) => record.head.kind)).toEqual(['snapshot'])
    commit(log, 1, (state) => void state.list.push(1))
    expect(log.take(J).map((record) => record.head.kind)).toEqual(['delta'])
    commit(log, 2, (state) => void state.list.push(2))
    expect(log.take(logKey('K')).map((record) => `${record.head.kind} ${record.head.sequence}`)).toEqual([
      'snapshot 3',
    ])
    let snapshots = 0
    for (let n = 3; n < 200; n++) {
      commit(log, n, (state) => set(state.items, 'a', n))
      snapshots += log.take(logKey('K')).filter((record) => record.head.kind === 'snapshot').length
    }
    expect(snapshots).toBeGreaterThan(1)
    expect(snapshots).toBeLessThan(40)
  })

  test('waiters hear when their record is acknowledged, and of a failure', async () => {
    const log = makeLog({ n: 0 })
    const first = log.writeSnapshot()
    log.take(J)
    const second = log.writeSnapshot()
    log.acknowledged(1, J, 0)
    await first
    expect(log.position).toEqual({ journal: J, index: 0 })
    log.fail(new Error('deposed'))
    await expect(second).rejects.toThrow('deposed')
    await expect(log.whenDurable(1)).rejects.toThrow('deposed')
    log.acknowledged(2, J, 1)
    expect(log.durable).toBe(1)
  })

  test('a block of another format, or one that contradicts itself, is named', () => {
    const block = encodeBlock([noise(1)])
    expect(readHeader(block)).toHaveLength(1)
    expect(() => readHeader(block.subarray(0, block.length - 1))).toThrow(UnreadableBlock)
    expect(() => readHeader(Uint8Array.from(block, (byte, at) => (at === 0 ? 9 : byte)))).toThrow(/format 9/)
    expect(() => decode(new Uint8Array([0xff, 0xff]))).toThrow()
  })
})
