// An actor's log, its blocks, the index over them and the replay, together: whatever prefix of the journal survives, the
// replay gives the state and the calls that the live actor had at that record.

import fc from 'fast-check'
import { create } from 'mutative'
import { describe, expect, test } from 'vitest'
import { bootId, logKey, parseActorKey, peerId } from '../mesh/ids.ts'
import { ActorLog, type Slicing } from './actor-log.ts'
import { CallTable } from './call-table.ts'
import { Cipher } from './cipher.ts'
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
const makeLog = (state: object, slicing?: Slicing, cipher?: Cipher) =>
  new ActorLog({
    life,
    state,
    calls: new CallTable(),
    sequence: 0,
    slicing,
    cipher,
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
    ['at once', undefined, undefined],
    ['in slices (A6)', inSmallSlices, undefined],
    ['in slices, encrypted', inSmallSlices, new Cipher(new Uint8Array(32).fill(1))],
  ])(
    'any prefix of the journal replays to what the actor was at its last whole record in it: snapshots made %s',
    async (_, slicing, cipher) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(change, fc.boolean()), { maxLength: 150 }),
          fc.nat(),
          async (changes, seed) => {
            const log = makeLog(initial(), slicing, cipher)
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
              for (let at = 0; at < parts.length; at += 3)
                blocks.push(encodeBlock([noise(blocks.length), ...parts.slice(at, at + 3)]))
            }
            flush()
            for (const [n, [made, full]] of changes.entries()) {
              // A snapshot that is being made is of a moment between changes, and one may be asked for meanwhile.
              for (let turn = slicing === undefined ? 0 : (n * 7 + seed) % 5; turn > 0; turn--) await null
              if (commit(log, n, made)) after.set(log.sequence, { state: log.state, calls: log.calls.size })
              if (full) void log.writeSnapshot().catch(() => {})
              if ((n + seed) % 3 === 0) flush()
              after.set(log.sequence, { state: log.state, calls: log.calls.size })
            }
            flush()
            for (let turn = slicing === undefined ? 0 : 500; turn > 0; turn--) {
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
                undefined,
                cipher,
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
              undefined,
              cipher,
            )
            expect(last?.sequence).toBe(log.sequence)
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  test('H2 a migrated state is a record, and not durable before that is acknowledged', async () => {
    let marked = 0
    const log = new ActorLog({
      life,
      state: initial(),
      calls: new CallTable(),
      sequence: 4,
      isGone: () => false,
      mark: () => void marked++,
    })
    log.migrate({ list: [] }, 1)
    expect([marked, log.sequence, log.durable]).toEqual([1, 5, 4])
    expect(log.take(J)).toMatchObject([{ head: { kind: 'snapshot', sequence: 5 } }])
    log.acknowledged(5, J, 0)
    await log.whenDurable(5)
    expect(log.durableState).toEqual({ list: [] })
  })

  describe('A5 changes that are put off', () => {
    const started = () => {
      let marked = 0
      const state = initial()
      const log = new ActorLog({
        life,
        state,
        calls: new CallTable(),
        sequence: 0,
        isGone: () => false,
        mark: () => void marked++,
      })
      void log.writeSnapshot().catch(() => {})
      log.take(J)
      log.acknowledged(1, J, 0)
      marked = 0
      const putOff = (n: number): void => {
        const patches = encode([{ op: 'add', path: ['list', n], value: n }])
        log.commit(patches, { caller, n, path: '', floors: { own: n, all: n }, result: encode(n) }, [], true)
      }
      return { log, putOff, marked: () => marked }
    }

    test('are written when somebody waits for them, or with the next change that is not put off', async () => {
      const { log, putOff, marked } = started()
      putOff(0)
      putOff(1)
      expect([marked(), log.sequence, log.durable]).toEqual([0, 3, 1])
      const durable = log.whenDurable(2)
      expect(marked()).toBe(1)
      expect(log.take(J).map(({ head }) => head.sequence)).toEqual([2, 3])
      putOff(2)
      log.acknowledged(3, J, 1)
      await durable
      // What came after the take is in no record, and no part of the durable state.
      expect((log.durableState as State).list).toEqual([0, 1])
      expect((log.state as State).list).toEqual([0, 1, 2])
      expect(marked()).toBe(1)
      commit(log, 9, (state) => void state.list.push(3))
      expect(marked()).toBe(2)
      expect(log.take(J).map(({ head }) => head.sequence)).toEqual([4, 5])
    })

    test('take no more memory than a snapshot allows: many of them become one', () => {
      const { log, putOff, marked } = started()
      for (let n = 0; n < 10_000; n++) putOff(n)
      expect(marked()).toBe(0)
      void log.whenDurable(log.sequence)
      const records = log.take(J)
      expect(records).toMatchObject([{ head: { kind: 'snapshot', sequence: 10_001 } }])
      expect(log.calls.size).toBe(1)
      const restored = replay(life, [encodeBlock(records.flatMap((record) => cut(record)))])!
      expect((restored.state as State).list.length).toBe(10_000)
    })
  })

  test('A7 nothing gets a number after a release: who asks for a snapshot gets that', async () => {
    const log = makeLog(initial())
    const released = log.writeSnapshot('release')
    const last = log.sequence
    const asked = log.writeSnapshot()
    expect(log.sequence).toBe(last)
    expect(log.take(J).map(({ head }) => [head.sequence, head.kind])).toEqual([[last, 'release']])
    log.acknowledged(last, J, 0)
    await Promise.all([released, asked])
    void log.writeSnapshot()
    expect(log.sequence).toBe(last)
  })

  test('A1 a snapshot says of which version its state is, and a replay has it', () => {
    const log = makeLog(initial())
    const blocks: Uint8Array[] = []
    const flush = (): void => void blocks.push(encodeBlock(log.take(J).flatMap((record) => cut(record))))
    void log.writeSnapshot().catch(() => {})
    flush()
    commit(log, 1, (state) => void state.list.push(1))
    flush()
    expect(replay(life, blocks)).toMatchObject({ version: 0, sequence: 2 })
    log.migrate({ list: ['1'] }, 7)
    log.commit(encode([{ op: 'add', path: ['list', 1], value: '2' }]), undefined)
    flush()
    log.commit(encode([{ op: 'add', path: ['list', 2], value: '3' }]), undefined)
    flush()
    expect(replay(life, blocks)).toMatchObject({ version: 7, sequence: 5, state: { list: ['1', '2', '3'] } })
    expect(replay(life, blocks.slice(0, 2))).toMatchObject({ version: 0, state: { list: [1] } })
  })

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
