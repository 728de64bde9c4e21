// A large state, and a host that is killed while a snapshot of it is on its way: LARGE_STATE_MB=100 npx vitest run testnet/large-state.test.ts
// has what the limits speak of. bench/large-state.ts measures how long a host works at a stretch.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { BLOB_BYTES, LARGE_IDLE_MS } from './test-support/large-actors.ts'
import { createTestnet } from './testnet.ts'

const actors = fileURLToPath(new URL('./test-support/large-actors.ts', import.meta.url))
const MB = 2 ** 20
const STATE_BYTES = Number(process.env['LARGE_STATE_MB'] ?? 32) * MB
const BLOBS = STATE_BYTES / BLOB_BYTES

/** Bytes in the files of a directory, as they are now. */
const sizeOf = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) =>
      sum +
      (entry.isFile()
        ? (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
        : 0),
    0,
  )

/** Waits until so many bytes were written, and resolves with how many they are. Files that are done with are removed meanwhile. */
const growth = async (directory: string, bytes: number): Promise<number> => {
  let [size, written] = [sizeOf(directory), 0]
  while (written < bytes) {
    await sleep(5)
    const now = sizeOf(directory)
    written += Math.max(0, now - size)
    size = now
  }
  return written
}

test(`${STATE_BYTES / MB} MB are written and read back, and survive their host, killed in the middle of a snapshot`, {
  timeout: 300_000,
}, async () => {
  const net = await createTestnet(4, { actors, teardown: onTestFinished })
  const call = (method: string, ...args: readonly unknown[]): Promise<unknown> => {
    const through = net.peers.find(({ state }) => state.kind === 'running')!.index
    return net.call(through, 'Large', 'x', method, args, 120_000)
  }
  const host = async (): Promise<number> => net.hostOf(await net.views(), 'Large', 'x')
  for (let n = 0; n < BLOBS; n += 4) await call('fill', n, n + 4)
  const first = await host()
  const { dir } = net.peers[first]!
  // It rests, so that all of it is written; the next call reads it back, into another object.
  expect(await call('callsOfObject')).toBe(1)
  do await sleep(LARGE_IDLE_MS * 1.5)
  while ((await call('callsOfObject')) !== 1)
  // And again, but killed in the middle of that.
  expect(await call('add', 'after a rest')).toEqual(['after a rest'])
  const written = await growth(dir, STATE_BYTES / 5)
  await net.kill(first)
  expect(written).toBeLessThan(STATE_BYTES)
  expect(await call('add', 'after a loss')).toEqual(['after a rest', 'after a loss'])
  expect(await host()).not.toBe(first)
  expect(await call('blobsWhole', 0, BLOBS)).toBe(BLOBS)
})
