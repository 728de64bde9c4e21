// A state of 100 MB, and a host that is killed while a snapshot of it is on its way. bench/large-state.ts measures how long a host works
// at a stretch.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from './testnet.ts'

const actors = fileURLToPath(new URL('./test-support/large-actors.ts', import.meta.url))
const MB = 2 ** 20
const BLOBS = 200
const STATE_BYTES = BLOBS * MB * 0.5

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

test('100 MB are written and read back, and survive their host, killed in the middle of a snapshot', {
  timeout: 300_000,
}, async () => {
  const net = await createTestnet(4, { actors, teardown: onTestFinished })
  const call = (method: string, ...args: readonly unknown[]): Promise<unknown> => {
    const through = net.peers.find(({ state }) => state.kind === 'running')!.index
    return net.call(through, 'Large', 'x', method, args, 120_000)
  }
  const host = async (): Promise<number> => net.hostOf(await net.views(), 'Large', 'x')
  const grown = async (directory: string, from: number, by: number): Promise<void> => {
    while (sizeOf(directory) - from < by) await sleep(5)
  }
  for (let n = 0; n < BLOBS; n += 4) await call('fill', n, n + 4)
  const first = await host()
  const { dir } = net.peers[first]!
  // It rests, so that all of it is written; the next call reads it back.
  expect(await call('blobsWhole', 0, 1)).toBe(1)
  let before = sizeOf(dir)
  await grown(dir, before, STATE_BYTES)
  await sleep(500)
  expect(await call('add', 'after a rest')).toEqual(['after a rest'])
  // And again, but killed in the middle of that.
  before = sizeOf(dir)
  await grown(dir, before, STATE_BYTES / 5)
  await net.kill(first)
  const written = sizeOf(dir) - before
  expect(written).toBeLessThan(STATE_BYTES)
  expect(await call('add', 'after a loss')).toEqual(['after a rest', 'after a loss'])
  expect(await host()).not.toBe(first)
  for (let n = 0; n < BLOBS; n += 50) expect(await call('blobsWhole', n, n + 50)).toBe(50)
})
