// The acceptance suite of the LogStore port: what its contract says, as tests. Every implementation runs it, the twin
// too. It needs vitest, so nothing but tests may import it.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bootId, logKey, peerId } from '../mesh/ids.ts'
import { crashes, operations, runOperations, StoreModel } from './conformance-model.ts'
import type { LogKey } from './mesh-types.ts'
import type { LogStore } from './port.ts'
import { MAX_BLOCK_BYTES } from './port.ts'

/** One disk under test: `open` may be called again after the store was closed. */
export interface StoreHarness {
  open(): Promise<LogStore>
}

/** One whose process can be ended at any moment. */
export interface CrashableDisk extends StoreHarness {
  /**
   * Kills the process that has the store open. With `power`, what was not synced is lost, too, but for the oldest part
   * of it: `survives` is 0 for nothing to 1 for all.
   */
  crash(how: { readonly power: boolean; readonly survives: number }): Promise<void>
  /** How many logs there are on the disk, named by facts or not; asked while no process has it open. */
  logs(): Promise<number>
}

export interface ConformanceOptions {
  /** Makes an empty disk, to be removed when the test ends. */
  readonly disk: () => Promise<StoreHarness>
  /** Random sequences to run. */
  readonly runs: number
  readonly crashableDisk: () => Promise<CrashableDisk>
  readonly crashRuns: number
}

const bytes = (text: string) => Buffer.from(text)
const texts = (blocks: readonly Uint8Array[]) => blocks.map((block) => Buffer.from(block).toString())
const NO_LOG = logKey('ab'.repeat(32))

export function describeLogStore(name: string, options: ConformanceOptions): void {
  const { disk, runs, crashableDisk, crashRuns } = options
  async function writerWith(count: number): Promise<{ store: LogStore; log: LogKey; proofs: Uint8Array[] }> {
    const store = await (await disk()).open()
    const log = await store.createLog()
    const proofs: Uint8Array[] = []
    for (let i = 0; i < count; i += 1) proofs.push((await store.append(log, bytes(`block ${i}`))).proof)
    return { store, log, proofs }
  }
  const empty = async () => (await disk()).open()

  describe(`${name}: appending`, () => {
    it('hands back lengths and reads what was appended, in the order of the calls', async () => {
      const { store, log } = await writerWith(0)
      const results = await Promise.all([1, 2, 3, 4, 5].map((n) => store.append(log, bytes(`${n}`))))
      expect(results.map(({ length }) => length)).toEqual([1, 2, 3, 4, 5])
      expect(texts(await store.read(log, 0, 5))).toEqual(['1', '2', '3', '4', '5'])
      expect(await store.length(log)).toBe(5)
      await store.close()
    })

    it('takes empty blocks, and blocks up to the limit', async () => {
      const { store, log } = await writerWith(0)
      const large = Buffer.alloc(MAX_BLOCK_BYTES, 7)
      await store.append(log, bytes(''))
      const { proof } = await store.append(log, large)
      await expect(store.append(log, Buffer.alloc(MAX_BLOCK_BYTES + 1))).rejects.toMatchObject({
        code: 'BLOCK_TOO_LARGE',
      })
      const replica = await empty()
      expect(await replica.ingest(log, [...(await store.prove(log, 0, 1)), proof])).toBe(2)
      expect(Buffer.compare((await replica.read(log, 1, 2))[0] ?? bytes(''), large)).toBe(0)
      await Promise.all([store.close(), replica.close()])
    })

    it('refuses to append to a log that it did not create', async () => {
      const { store, log, proofs } = await writerWith(2)
      const replica = await empty()
      await replica.ingest(log, proofs)
      await expect(replica.append(log, bytes('x'))).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
      await expect(replica.append(NO_LOG, bytes('x'))).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
      await Promise.all([store.close(), replica.close()])
    })

    it('refuses to append after a restart, to its own logs too, which others can still extend', async () => {
      const harness = await disk()
      const first = await harness.open()
      const log = await first.createLog()
      const { proof } = await first.append(log, bytes('one'))
      await first.close()
      const second = await harness.open()
      await expect(second.append(log, bytes('two'))).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
      expect(await second.length(log)).toBe(1)
      expect(await second.ingest(log, [proof])).toBe(1)
      await second.close()
    })
  })

  describe(`${name}: ingesting`, () => {
    it('extends the prefix with any run, and skips what it holds', async () => {
      const { store, log, proofs } = await writerWith(20)
      const replica = await empty()
      expect(await replica.ingest(log, proofs.slice(0, 1))).toBe(1)
      expect(await replica.ingest(log, await store.prove(log, 1, 8))).toBe(8)
      expect(await replica.ingest(log, proofs.slice(3, 11))).toBe(11)
      expect(await replica.ingest(log, proofs.slice(0, 5))).toBe(11)
      expect(await replica.ingest(log, [])).toBe(11)
      expect(await replica.ingest(log, await store.prove(log, 11, 99))).toBe(20)
      expect(await replica.hash(log, 20)).toBe(await store.hash(log, 20))
      await Promise.all([store.close(), replica.close()])
    })

    it('takes proofs from a store that is itself a replica, and shorter than the log', async () => {
      const { store, log, proofs } = await writerWith(9)
      const [short, long] = [await empty(), await empty()]
      await short.ingest(log, proofs.slice(0, 5))
      expect(await long.ingest(log, await short.prove(log, 0, 3))).toBe(3)
      expect(await long.ingest(log, await store.prove(log, 3, 9))).toBe(9)
      expect(await short.ingest(log, await long.prove(log, 5, 9))).toBe(9)
      expect(await short.hash(log, 9)).toBe(await store.hash(log, 9))
      await Promise.all([store.close(), short.close(), long.close()])
    })

    it('changes nothing for a gap', async () => {
      const { store, log, proofs } = await writerWith(6)
      const replica = await empty()
      expect(await replica.ingest(log, proofs.slice(2))).toBe(0)
      await replica.ingest(log, proofs.slice(0, 2))
      expect(await replica.ingest(log, proofs.slice(3))).toBe(2)
      expect(
        await replica.ingest(
          log,
          [2, 4].map((i) => proofs[i] ?? bytes('')),
        ),
      ).toBe(2)
      expect(await replica.length(log)).toBe(2)
      await Promise.all([store.close(), replica.close()])
    })

    it('rejects a run with a proof changed in any byte, and changes nothing', async () => {
      const { store, log, proofs } = await writerWith(6)
      const replica = await empty()
      await replica.ingest(log, proofs.slice(0, 2))
      for (const victim of [2, 4, 5]) {
        for (let at = 0; at < (proofs[victim]?.byteLength ?? 0); at += 3) {
          const run = proofs.slice(2).map((proof) => Buffer.from(proof))
          const bad = run[victim - 2] ?? bytes('')
          bad[at] = (bad[at] ?? 0) ^ 0x40
          const length = await replica.ingest(log, run).catch((error) => error.code)
          // A changed index may make a gap of it; it never makes blocks of it.
          expect(['INVALID_PROOF', 2]).toContain(length)
          expect(await replica.length(log)).toBe(2)
        }
      }
      expect(await replica.ingest(log, proofs)).toBe(6)
      await Promise.all([store.close(), replica.close()])
    })

    it('rejects whatever bytes a peer sends, without throwing synchronously', async () => {
      const { store, log, proofs } = await writerWith(2)
      const other = await store.createLog()
      const foreign = (await store.append(other, bytes('block 0'))).proof
      const replica = await empty()
      const junk = [
        bytes(''),
        bytes('x'),
        Buffer.alloc(500, 255),
        Buffer.alloc(200),
        foreign,
        (proofs[0] ?? bytes('')).subarray(0, -1),
      ]
      for (const proof of junk) {
        await expect(replica.ingest(log, [proof])).rejects.toMatchObject({ code: 'INVALID_PROOF' })
        await expect(replica.verify(log, proof)).rejects.toMatchObject({ code: 'INVALID_PROOF' })
      }
      for (const noProof of [null, 'text', 7, {}, [1]]) {
        const code = { code: 'INVALID_PROOF' }
        await expect(replica.verify(log, noProof as never)).rejects.toMatchObject(code)
        await expect(replica.ingest(log, [noProof as never])).rejects.toMatchObject(code)
        if (noProof !== null) await expect(replica.ingest(log, noProof as never)).rejects.toMatchObject(code)
      }
      await expect(replica.ingest(logKey('nonsense'), proofs)).rejects.toMatchObject({
        code: 'INVALID_PROOF',
      })
      await expect(replica.verify(logKey(''), proofs[0] ?? bytes(''))).rejects.toMatchObject({
        code: 'INVALID_PROOF',
      })
      expect(await replica.length(log)).toBe(0)
      expect(await replica.length(logKey('nonsense'))).toBe(0)
      await Promise.all([store.close(), replica.close()])
    })

    it('keeps the order of calls, so that proofs can be pipelined', async () => {
      const { store, log, proofs } = await writerWith(30)
      const replica = await empty()
      const lengths = await Promise.all(proofs.map((proof) => replica.ingest(log, [proof])))
      expect(lengths).toEqual(proofs.map((_, i) => i + 1))
      await Promise.all([store.close(), replica.close()])
    })
  })

  describe(`${name}: reading`, () => {
    it('verifies a proof alone, with nothing of the log at hand', async () => {
      const { store, log, proofs } = await writerWith(12)
      const stranger = await empty()
      for (const index of [0, 1, 6, 11]) {
        for (const proof of [proofs[index] ?? bytes(''), ...(await store.prove(log, index, index + 1))]) {
          const verified = await stranger.verify(log, proof)
          expect([verified.index, Buffer.from(verified.block).toString()]).toEqual([index, `block ${index}`])
        }
      }
      await expect(stranger.verify(NO_LOG, proofs[0] ?? bytes(''))).rejects.toMatchObject({
        code: 'INVALID_PROOF',
      })
      expect(await stranger.length(log)).toBe(0)
      await Promise.all([store.close(), stranger.close()])
    })

    it('stops at maxBytes, but never before the first block', async () => {
      const { store, log } = await writerWith(10)
      const all = await store.prove(log, 0, 10)
      const two = (all[0]?.byteLength ?? 0) + (all[1]?.byteLength ?? 0)
      expect((await store.read(log, 0, 10, 14)).length).toBe(2)
      expect((await store.read(log, 0, 10, 1)).length).toBe(1)
      expect((await store.prove(log, 0, 10, two)).length).toBe(2)
      expect((await store.prove(log, 4, 10, 1)).length).toBe(1)
      expect((await store.prove(log, 0, 10)).length).toBe(10)
      await store.close()
    })

    it('answers for logs and ranges that it does not have', async () => {
      const { store, log } = await writerWith(3)
      expect(await store.length(NO_LOG)).toBe(0)
      expect(await store.hash(NO_LOG, 0)).toBe('')
      expect(await store.read(NO_LOG, 0, 5)).toEqual([])
      expect(await store.prove(NO_LOG, 0, 5)).toEqual([])
      expect(texts(await store.read(log, 1, 99))).toEqual(['block 1', 'block 2'])
      for (const [from, to] of [
        [3, 9],
        [7, 9],
        [2, 2],
        [2, 1],
        [-1, 2],
        [0.5, 2],
        [Number.NaN, 1],
      ] as const) {
        expect(await store.read(log, from, to)).toEqual([])
        expect(await store.prove(log, from, to)).toEqual([])
      }
      await store.drop(NO_LOG)
      await store.close()
    })

    it('hashes prefixes: equal for equal blocks of a log, and different for each length', async () => {
      const { store, log, proofs } = await writerWith(9)
      const replica = await empty()
      await replica.ingest(log, proofs.slice(0, 6))
      const hashes = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((n) => store.hash(log, n)))
      expect(hashes[0]).toBe('')
      expect(new Set(hashes).size).toBe(7)
      expect(await Promise.all([0, 1, 2, 3, 4, 5, 6].map((n) => replica.hash(log, n)))).toEqual(hashes)
      for (const length of [7, -1, 0.5]) {
        await expect(replica.hash(log, length)).rejects.toMatchObject({ code: 'NOT_HELD' })
      }
      await Promise.all([store.close(), replica.close()])
    })
  })

  describe(`${name}: dropping and closing`, () => {
    it('drops a log for good, and can take it up anew from others', async () => {
      const harness = await disk()
      const store = await harness.open()
      const { store: writer, log, proofs } = await writerWith(5)
      await store.ingest(log, proofs)
      await store.drop(log)
      expect(await store.length(log)).toBe(0)
      expect(await store.read(log, 0, 5)).toEqual([])
      expect(await store.ingest(log, proofs.slice(3))).toBe(0)
      expect(await store.ingest(log, proofs.slice(0, 2))).toBe(2)
      await store.drop(log)
      await store.close()
      const again = await harness.open()
      expect(await again.length(log)).toBe(0)
      await writer.drop(log)
      await expect(writer.append(log, bytes('x'))).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
      await Promise.all([again.close(), writer.close()])
    })

    it('S5 leaves nothing of a log without a block, whenever its process ends', async () => {
      const harness = await crashableDisk()
      const end = {
        close: (store: LogStore) => store.close(),
        kill: () => harness.crash({ power: false, survives: 1 }),
        powerFailure: () => harness.crash({ power: true, survives: 1 }),
      }
      let written = 0
      for (const ended of [end.close, end.kill, end.powerFailure]) {
        const store = await harness.open()
        const [unused, log, dropped] = [
          await store.createLog(),
          await store.createLog(),
          await store.createLog(),
        ]
        expect([await store.length(unused), await store.hash(unused, 0)]).toEqual([0, ''])
        await expect(store.append(unused, Buffer.alloc(MAX_BLOCK_BYTES + 1))).rejects.toMatchObject({
          code: 'BLOCK_TOO_LARGE',
        })
        await store.append(log, bytes('x'))
        written += 1
        await store.drop(dropped)
        await expect(store.append(dropped, bytes('x'))).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
        await store.sync()
        await ended(store)
        expect(await harness.logs()).toBe(written)
      }
    })

    it('ends what was begun and refuses what comes after', async () => {
      const { store, log } = await writerWith(1)
      const begun = store.append(log, bytes('last'))
      const closing = store.close()
      expect((await begun).length).toBe(2)
      await closing
      await store.close()
      for (const late of [
        store.length(log),
        store.sync(),
        store.persist({}),
        store.append(log, bytes('x')),
        store.createLog(),
      ]) {
        await expect(late).rejects.toMatchObject({ code: 'STORE_CLOSED' })
      }
    })

    it('opens a disk once at a time', async () => {
      const harness = await disk()
      const store = await harness.open()
      await expect(harness.open()).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
      const log = await store.createLog()
      expect((await store.append(log, bytes('still fine'))).length).toBe(1)
      await store.close()
      await (await harness.open()).close()
    })
  })

  describe(`${name}: facts`, () => {
    const boots = [bootId(peerId('peer'), '01')]
    const facts = { key: NO_LOG, class: 'synced', systemBoot: 'b', order: 1 } as const

    it('keeps its id and folds patches, per log and per peer', async () => {
      const harness = await disk()
      const store = await harness.open()
      expect(store.facts.storeId).toMatch(/^[0-9a-f]{32}$/)
      expect(store.facts).toMatchObject({ boots: [], logs: {}, peers: {} })
      const other = logKey('cd'.repeat(32))
      await Promise.all([
        store.persist({ boots, peers: { [peerId('a')]: ['/ip4/1'] } }),
        store.persist({ logs: { [NO_LOG]: facts, [other]: { ...facts, key: other } } }),
        store.persist({ logs: { [other]: null }, journalFloor: 7, peers: { [peerId('b')]: [] } }),
      ])
      await store.persist({ logs: { [NO_LOG]: { ...facts, seal: { length: 0, hash: '', tainted: false } } } })
      await store.close()
      const again = await harness.open()
      expect(again.facts).toEqual({
        storeId: store.facts.storeId,
        boots,
        logs: { [NO_LOG]: { ...facts, seal: { length: 0, hash: '', tainted: false } } },
        peers: { a: ['/ip4/1'], b: [] },
        journalFloor: 7,
      })
      expect(again.systemBoot).toBe(store.systemBoot)
      await again.close()
    })

    it('gives each disk an id of its own', async () => {
      const [a, b] = [await empty(), await empty()]
      expect(a.facts.storeId).not.toBe(b.facts.storeId)
      await Promise.all([a.close(), b.close()])
    })
  })

  it(`${name}: random operations agree with a dumb model, restarts included`, async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (script) => {
        const model = new StoreModel()
        await runOperations(script, model, [await disk(), await disk()])
      }),
      { numRuns: runs },
    )
  })

  it(`${name}: random operations agree with a dumb model through kills and power failures`, async () => {
    await fc.assert(
      fc.asyncProperty(crashes, async (script) => {
        await runOperations(script, new StoreModel(), [await crashableDisk(), await crashableDisk()])
      }),
      // Shrinking would take as many processes again for each step; the script that failed is told, and short.
      { numRuns: crashRuns, endOnFailure: true },
    )
  })
}
