// A large state, and a host that is killed while a snapshot of it is on its way: LARGE_STATE_MB=100 npx vitest run testnet/large-state.test.ts
// has what the limits speak of. bench/large-state.ts measures how long a host works at a stretch.

import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { BLOB_BYTES, LARGE_IDLE_MS, MARK } from './test-support/large-actors.ts'
import { createTestnet, type Testnet, type TestPeerOptions } from './testnet.ts'

const actors = fileURLToPath(new URL('./test-support/large-actors.ts', import.meta.url))
const MB = 2 ** 20
const STATE_BYTES = Number(process.env['LARGE_STATE_MB'] ?? 32) * MB
const BLOBS = STATE_BYTES / BLOB_BYTES
const ENCRYPTED_BYTES = 12 * MB

/** Bytes in the write-ahead log of a store: what is appended goes there, and nothing that the store does with it later. */
const walBytes = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) =>
      sum +
      (entry.name.endsWith('.log')
        ? (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
        : 0),
    0,
  )

/** Waits until so many bytes were written in one of the directories, or something else has happened. Logs that are done with are removed meanwhile. */
async function growth(directories: readonly string[], bytes: number, isOver: () => boolean): Promise<void> {
  const grown = directories.map((directory) => ({ directory, size: walBytes(directory), written: 0 }))
  while (!isOver() && grown.every(({ written }) => written < bytes)) {
    await sleep(5)
    for (const each of grown) {
      const now = walBytes(each.directory)
      each.written += Math.max(0, now - each.size)
      each.size = now
    }
  }
}

/** Ends all peers, and resolves with those that have the mark of a blob in a file. */
async function readable(net: Testnet): Promise<readonly number[]> {
  await Promise.all(net.peers.map((peer) => peer.kill()))
  const isMarked = (directory: string): boolean =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).some(
      (entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(MARK),
    )
  return net.peers.filter(({ dir }) => isMarked(dir)).map(({ index }) => index)
}

/** A mesh with the actor, which is called through any peer that runs. */
async function meshWithLarge(peer: (index: number) => TestPeerOptions = () => ({})) {
  let rests = 0
  const net = await createTestnet(4, {
    actors,
    peer,
    teardown: onTestFinished,
    onEvent: (_, { event }) => void (event === 'actor:passivated' && rests++),
  })
  const call = (method: string, ...args: readonly unknown[]): Promise<unknown> => {
    const through = net.peers.find(({ state }) => state.kind === 'running')!.index
    return net.call(through, 'Large', 'x', method, args, 120_000)
  }
  const host = async (): Promise<number> => net.hostOf(await net.views(), 'Large', 'x')
  const fill = async (blobs: number): Promise<void> => {
    for (let n = 0; n < blobs; n += 4) await call('fill', n, n + 4)
  }
  /** Kills the host when another keeper has a third of a snapshot, and it has not the whole one; resolves with its index. */
  const killInSnapshot = async (bytes: number): Promise<number> => {
    const begun = join(net.dir, 'begun')
    const index = await host()
    const others = net.peers.filter((each) => each.index !== index).map(({ dir }) => dir)
    for (;;) {
      rmSync(begun, { force: true })
      await call('changeAndTell', begun)
      const before = rests
      await expect.poll(() => existsSync(begun), { timeout: 30_000, interval: 5 }).toBe(true)
      await growth(others, bytes / 3, () => rests > before)
      net.freeze(index)
      await net.views() // what it has told by now has been heard then
      if (rests === before) break
      net.thaw(index) // all is written: too late
    }
    await net.kill(index)
    return index
  }
  return { net, call, host, fill, killInSnapshot }
}

test(`${STATE_BYTES / MB} MB are written and read back, and survive their host, killed in the middle of a snapshot`, {
  timeout: 300_000,
}, async () => {
  const { net, call, host, fill, killInSnapshot } = await meshWithLarge()
  await fill(BLOBS)
  // It rests, so that all of it is written; the next call reads it back, into another object.
  expect(await call('callsOfObject')).toBe(1)
  do await sleep(LARGE_IDLE_MS * 1.5)
  while ((await call('callsOfObject')) !== 1)
  // And again, but killed in the middle of that.
  expect(await call('add', 'after a rest')).toEqual(['after a rest'])
  const first = await killInSnapshot(STATE_BYTES)
  expect(await call('add', 'after a loss')).toEqual(['after a rest', 'after a loss'])
  expect(await host()).not.toBe(first)
  expect(await call('blobsWhole', 0, BLOBS)).toBe(BLOBS)
  expect((await readable(net)).length).toBeGreaterThan(1) // without a key
})

test(`of ${ENCRYPTED_BYTES / MB} MB encrypted nothing is lost, or readable on any disk, when their host is killed in the middle of a snapshot`, async () => {
  const encryption = { key: '5e'.repeat(32) }
  const keeper = 3
  const { net, call, host, fill, killInSnapshot } = await meshWithLarge((index) =>
    index === keeper ? {} : { encryption },
  )
  const blobs = ENCRYPTED_BYTES / BLOB_BYTES
  await fill(blobs)
  expect(await call('add', 'before')).toEqual(['before'])
  const first = await killInSnapshot(ENCRYPTED_BYTES)
  expect(await call('add', 'after a loss')).toEqual(['before', 'after a loss'])
  expect([first, keeper]).not.toContain(await host())
  expect(await call('blobsWhole', 0, blobs)).toBe(blobs)
  expect(await readable(net)).toEqual([])
})
