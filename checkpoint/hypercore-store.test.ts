// The acceptance suite on a real disk, and what only a real disk has: keys that must not be stored, locks, damage,
// copies, power failures.

import { randomBytes } from 'node:crypto'
import { chmod, cp, mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { describeLogStore } from './conformance.ts'
import { HypercoreLogs, newLog } from './hypercore-logs.ts'
import { type HypercoreStoreOptions, openHypercoreStore } from './hypercore-store.ts'
import type { LogKey } from './mesh-types.ts'
import type { LogStore } from './port.ts'
import { RemoteDisk } from './test-support/remote-store.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'
import { losePower, sizeOf, WatchedDisk, walsOf } from './test-support/watched-disk.ts'

const random = () => randomBytes(16).toString('hex')
/** The user `nobody`, on Debian and most others. */
const NOBODY = 65_534
const bytes = (text: string) => Buffer.from(text)
const open = (directory: string, options: Partial<HypercoreStoreOptions> = {}) =>
  openHypercoreStore({ directory, random, ...options })

describeLogStore('hypercore store', {
  runs: 15,
  disk: async () => {
    const directory = join(await temporaryDirectory(), 'store')
    return { open: () => open(directory) }
  },
  // Seconds each: every crash is the end of a process, and the start of another.
  crashRuns: Number(process.env.STORE_RUNS ?? 2),
  crashableDisk: async () => new RemoteDisk(join(await temporaryDirectory(), 'store')),
})

async function filled(directory: string, blocks: number): Promise<{ store: LogStore; log: LogKey }> {
  const store = await open(directory)
  const log = await store.createLog()
  for (let i = 0; i < blocks; i += 1) await store.append(log, bytes(`block ${i}`))
  return { store, log }
}

describe('hypercore store: keys and hypercore itself', () => {
  it('never stores a secret key', async () => {
    const directory = await temporaryDirectory()
    const { store } = await filled(directory, 3)
    await store.close()
    const logs = await HypercoreLogs.open(join(directory, 'logs'), {})
    const secrets = await logs.storedKeyPairs()
    await logs.close()
    expect(secrets).toEqual([null])
  })

  it('H4 knows which blocks it has, across pages and openings, without reading that back or writing it twice', async () => {
    const directory = await temporaryDirectory()
    const made = newLog()
    let logs = await HypercoreLogs.open(directory, {})
    let log = await logs.create(made)
    const reader = log.core.core.state.storage.read()
    reader.tryFlush()
    const pages = vi.spyOn(Object.getPrototypeOf(reader) as typeof reader, 'getBitfieldPage')
    const hints = vi.spyOn(Object.getPrototypeOf(log.core.core) as typeof log.core.core, 'flushHints')
    const page = 32_768 // hypercore's
    await log.core.append(
      Array.from({ length: page - 3 }, () => bytes('x')),
      { keyPair: made.keyPair },
    )
    for (const next of [1, 2]) {
      for (let i = 0; i < 4; i += 1) await log.core.append(bytes('y'), { keyPair: made.keyPair })
      await logs.close()
      logs = await HypercoreLogs.open(directory, {})
      log = (await logs.find(made.key))!
      expect(log.length).toBe(page - 3 + 4 * next)
      for (let i = 0; i < log.length; i += 1)
        if (!(await log.core.has(i))) expect.fail(`block ${i} is missing`)
      expect(await log.core.has(log.length)).toBe(false)
    }
    await logs.close()
    expect([pages.mock.calls, hints.mock.calls]).toEqual([[], []])
  })

  it('prints nothing, not even when it refuses a block', async () => {
    const printed = vi.spyOn(console, 'log')
    const written = vi.spyOn(process.stdout, 'write')
    const directory = await temporaryDirectory()
    const { store, log } = await filled(directory, 3)
    const replica = await open(await temporaryDirectory())
    await replica.ingest(log, await store.prove(log, 0, 2))
    const [proof] = await store.prove(log, 2, 3)
    const tampered = Buffer.from(proof ?? bytes(''))
    tampered[tampered.byteLength - 1] = 0
    await expect(replica.ingest(log, [tampered])).rejects.toMatchObject({ code: 'INVALID_PROOF' })
    await Promise.all([store.close(), replica.close()])
    expect(printed).not.toHaveBeenCalled()
    expect(written).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('keeps logs beyond the number that stay open', async () => {
    const directory = await temporaryDirectory()
    const writer = await open(join(await temporaryDirectory(), 'writer'))
    const replica = await open(directory, { maxOpenLogs: 3 })
    const logs: LogKey[] = []
    for (let i = 0; i < 10; i += 1) {
      const log = await writer.createLog()
      await replica.ingest(log, [(await writer.append(log, bytes(`${i}`))).proof])
      logs.push(log)
    }
    await Promise.all(
      logs.map(async (log) => replica.ingest(log, [(await writer.append(log, bytes('x'))).proof])),
    )
    expect(await Promise.all(logs.map((log) => replica.length(log)))).toEqual(logs.map(() => 2))
    await Promise.all([writer.close(), replica.close()])
  })

  it('gives the disk space of dropped logs back', async () => {
    const directory = await temporaryDirectory()
    const store = await open(directory, { compactAfterBytes: 8 * 1024 * 1024, writeBufferBytes: 1024 * 1024 })
    const keep = await store.createLog()
    await store.append(keep, bytes('keep'))
    const log = await store.createLog()
    for (let i = 0; i < 12; i += 1) await store.append(log, randomBytes(1024 * 1024))
    // What moves from one file to another just then is in neither of a listing.
    await vi.waitFor(async () => expect(await diskUsage(directory)).toBeGreaterThan(12 * 1024 * 1024), {
      timeout: 10_000,
    })
    await store.drop(log)
    expect(Buffer.from((await store.read(keep, 0, 1))[0] ?? []).toString()).toBe('keep')
    await store.close()
    expect(await diskUsage(directory)).toBeLessThan(3 * 1024 * 1024)
  })
})

describe('hypercore store: processes that come and go', () => {
  it('leaves neither what earlier ones dropped behind, nor their reports', async () => {
    const directory = await temporaryDirectory()
    for (let round = 0; round < 6; round += 1) {
      const store = await open(directory, { writeBufferBytes: 1024 * 1024 })
      const log = await store.createLog()
      for (let i = 0; i < 4; i += 1) await store.append(log, randomBytes(1024 * 1024))
      await store.drop(log)
      await store.close()
    }
    expect(await diskUsage(directory)).toBeLessThan(8 * 1024 * 1024)
    const reports = (await readdir(join(directory, 'logs', 'db'))).filter((name) => name.startsWith('LOG'))
    expect(reports.length).toBeLessThanOrEqual(2)
  })
})

async function deletedFilesHeldOpen(directory: string): Promise<string[]> {
  const targets = (await readdir('/proc/self/fd')).map((fd) =>
    readlink(`/proc/self/fd/${fd}`).catch(() => ''),
  )
  return (await Promise.all(targets)).filter(
    (name) => name.startsWith(directory) && name.endsWith('(deleted)'),
  )
}

async function diskUsage(directory: string): Promise<number> {
  let total = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    // The store deletes old files in the background: one may go between the listing and the look at it.
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined)
    total += found?.size ?? 0
  }
  return total
}

describe('hypercore store: the directory', () => {
  it('is made for its owner alone', async () => {
    const directory = join(await temporaryDirectory(), 'a', 'b')
    await (await open(directory)).close()
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'facts'))).mode & 0o777).toBe(0o600)
  })

  it('says when it is something else', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'notes.txt'), 'mine')
    await expect(open(directory)).rejects.toMatchObject({ code: 'NOT_A_STORE' })
    await expect(open(join(directory, 'notes.txt'))).rejects.toMatchObject({ code: 'NOT_A_STORE' })
    expect(await readdir(directory)).toEqual(['notes.txt'])
  })

  it('says when it may not be used', async () => {
    const directory = await temporaryDirectory()
    await chmod(directory, 0o500)
    // No permission stops root, so the question is asked as somebody else.
    const root = process.geteuid?.() === 0
    if (root) process.seteuid?.(NOBODY)
    const opening = open(join(directory, 'store')).finally(() => root && process.seteuid?.(0))
    await expect(opening).rejects.toMatchObject({ code: 'DIRECTORY_UNREADABLE' })
  })

  it('refuses a copy: two disks would keep one promise each', async () => {
    const directory = join(await temporaryDirectory(), 'store')
    const copy = join(await temporaryDirectory(), 'copy')
    const { store } = await filled(directory, 2)
    await store.close()
    await cp(directory, copy, { recursive: true, preserveTimestamps: true })
    await expect(open(copy)).rejects.toMatchObject({ code: 'STORE_COPIED' })
    await (await open(directory)).close()
  })

  it('may be renamed', async () => {
    const parent = await temporaryDirectory()
    const { store, log } = await filled(join(parent, 'old'), 2)
    await store.close()
    await rename(join(parent, 'old'), join(parent, 'new'))
    const again = await open(join(parent, 'new'))
    expect(await again.length(log)).toBe(2)
    await again.close()
  })

  it('starts over when it was not finished the first time, and only then', async () => {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'logs'))
    await (await open(directory)).close()
    await rm(join(directory, 'facts'))
    const store = await open(directory)
    await store.append(await store.createLog(), bytes('x'))
    await store.close()
    await rename(join(directory, 'facts'), join(directory, 'facts.next'))
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    await rename(join(directory, 'facts.next'), join(directory, 'facts'))
    await rm(join(directory, 'logs'), { recursive: true })
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })

  it('refuses a store whose log files hypercore-storage threw away', async () => {
    const directory = await temporaryDirectory()
    await (await open(directory)).close()
    await writeFile(join(directory, 'logs', 'db', 'RECOVERING'), '')
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })

  it('refuses a log that is shorter than its seal', async () => {
    const directory = await temporaryDirectory()
    const { store, log } = await filled(directory, 2)
    const seal = { length: 3, hash: 'ff', tainted: false }
    await store.persist({ logs: { [log]: { key: log, class: 'synced', systemBoot: '', order: 1, seal } } })
    await store.close()
    const again = await open(directory)
    await expect(again.length(log)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    await again.close()
  })
})

/** WALs that are there now and hold bytes that no sync has covered. */
async function unsafe(directory: string, { safe }: WatchedDisk): Promise<string[]> {
  const wals = await walsOf(directory)
  const sizes = await Promise.all(wals.map(sizeOf))
  return wals.filter((wal, i) => (sizes[i] ?? 0) > (safe.get(wal) ?? 0))
}

/** Copies a store as a power failure now would leave it. */
async function afterPowerFailure(directory: string, { safe }: WatchedDisk): Promise<string> {
  const copy = join(await temporaryDirectory(), 'copy')
  // rocksdb works in the background: copy until nothing changed meanwhile.
  for (let before = ''; ; ) {
    const files = await readdir(join(directory, 'logs', 'db'))
    if (before === files.join()) break
    await rm(copy, { recursive: true, force: true })
    await cp(directory, copy, { recursive: true }).catch(() => {})
    before = files.join()
  }
  await rm(join(copy, 'logs', 'CORESTORE')) // It would tell the copy from the original.
  await losePower(copy, (path) => safe.get(join(directory, relative(copy, path))) ?? 0, 0)
  return copy
}

describe('hypercore store: syncing', () => {
  it('survives a power failure up to the last sync, through rotations of the WAL (W1)', async () => {
    const directory = await temporaryDirectory()
    const walDisk = new WatchedDisk()
    const store = await open(directory, { walDisk, writeBufferBytes: 64 * 1024 })
    const log = await store.createLog()
    for (let round = 0; round < 12; round += 1) {
      for (let i = 0; i < 7; i += 1) await store.append(log, randomBytes(3000 + 97 * i))
      await store.sync()
      const held = await store.length(log)
      for (let i = 0; i < round; i += 1) await store.append(log, randomBytes(3000))
      const after = await open(await afterPowerFailure(directory, walDisk))
      expect(await after.length(log)).toBeGreaterThanOrEqual(held)
      expect(await after.hash(log, held)).toBe(await store.hash(log, held))
      await after.close()
    }
    expect(walDisk.safe.size).toBeGreaterThan(2) // The WAL did rotate.
    await store.close()
  })

  it('wal-rotation-before-sync: leaves no WAL behind unsynced when it rotates under load (W1)', async () => {
    const directory = await temporaryDirectory()
    const walDisk = new WatchedDisk()
    const store = await open(directory, { walDisk, writeBufferBytes: 1024 * 1024 })
    const log = await store.createLog()
    for (let round = 0; round < 30; round += 1) {
      for (let i = 0; i < 5; i += 1) await store.append(log, randomBytes(100_000))
      await store.sync()
      expect(await unsafe(directory, walDisk)).toEqual([])
    }
    if (process.platform === 'linux') expect(await deletedFilesHeldOpen(directory)).toEqual([])
    await store.close()
  })

  it('loses unsynced blocks in that test, so that it tests something', async () => {
    const directory = await temporaryDirectory()
    const walDisk = new WatchedDisk()
    const store = await open(directory, { walDisk })
    const log = await store.createLog()
    await store.append(log, bytes('synced'))
    await store.sync()
    await store.append(log, bytes('not synced'))
    const after = await open(await afterPowerFailure(directory, walDisk))
    expect(await after.length(log)).toBe(1)
    await Promise.all([after.close(), store.close()])
  })

  it('syncs the blocks before the facts that count them (S2)', async () => {
    const directory = await temporaryDirectory()
    const walDisk = new WatchedDisk()
    const store = await open(directory, { walDisk })
    const log = await store.createLog()
    const append = store.append(log, bytes('counted'))
    await append
    await store.persist({ boots: [] })
    const after = await open(await afterPowerFailure(directory, walDisk))
    expect(await after.length(log)).toBe(1)
    await Promise.all([after.close(), store.close()])
  })

  it('shares syncs among concurrent callers', async () => {
    const walDisk = new WatchedDisk()
    const spy = vi.spyOn(walDisk, 'sync')
    const store = await open(await temporaryDirectory(), { walDisk })
    const log = await store.createLog()
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        await store.append(log, bytes('x'))
        await Promise.all([store.sync(), store.sync(), store.persist({})])
      }),
    )
    expect(spy.mock.calls.length).toBeLessThan(120)
    await store.close()
  })

  it('fails for good after a failed sync (S3)', async () => {
    const walDisk = new WatchedDisk()
    const store = await open(await temporaryDirectory(), { walDisk })
    const log = await store.createLog()
    walDisk.failing = true
    await expect(store.sync()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    walDisk.failing = false
    await expect(store.sync()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(store.persist({})).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(store.append(log, bytes('x'))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await store.close()
  })
})

describe('hypercore store: facts on disk', () => {
  async function withFacts(): Promise<{ directory: string; file: string; whole: Buffer }> {
    const directory = await temporaryDirectory()
    const store = await open(directory)
    for (const address of ['one', 'two', 'three'])
      await store.persist({ peers: { ['p' as never]: [address] } })
    await store.close()
    const file = join(directory, 'facts')
    return { directory, file, whole: await readFile(file) }
  }
  const addressIn = async (directory: string) => {
    const store = await open(directory)
    await store.close()
    return Object.values(store.facts.peers)[0]?.[0]
  }

  it('forgives a torn last entry, at every byte', async () => {
    const { directory, file, whole } = await withFacts()
    const last = whole.lastIndexOf('AMF1')
    for (let size = last; size < whole.byteLength; size += 9) {
      await writeFile(file, whole.subarray(0, size))
      expect(await addressIn(directory)).toBe('two')
    }
    await writeFile(file, Buffer.concat([whole, Buffer.alloc(100)]))
    expect(await addressIn(directory)).toBe('three')
  })

  it('refuses damage before the last entry', async () => {
    const { directory, file, whole } = await withFacts()
    const last = whole.lastIndexOf('AMF1')
    for (let at = 0; at < last; at += 13) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      await writeFile(file, damaged)
      await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
    }
    await writeFile(file, '')
    await expect(open(directory)).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
  })
})
