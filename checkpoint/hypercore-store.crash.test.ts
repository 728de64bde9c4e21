// SIGKILL at any moment: everything that was acknowledged is there when the store is opened again.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { openHypercoreStore } from './hypercore-store.ts'
import type { LogKey } from './mesh-types.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'

const WORKER = fileURLToPath(new URL('./test-support/store-worker.ts', import.meta.url))
const random = () => randomBytes(16).toString('hex')

type Line =
  | { readonly kind: 'open'; readonly writer: string; readonly keeper: string }
  | { readonly kind: 'append' | 'ingest'; readonly log: LogKey; readonly length: number }
  | { readonly kind: 'persist'; readonly n: number }

/** Runs the worker until it has told this many acknowledgements, kills it, and returns all it told. */
async function runUntil(acknowledgements: number, directories: readonly string[]): Promise<Line[]> {
  const worker = spawn(process.execPath, [WORKER, ...directories], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void worker.kill('SIGKILL'))
  let told = ''
  let complaints = ''
  let count = 0
  worker.stderr.on('data', (chunk) => (complaints += chunk))
  worker.stdout.on('data', (chunk: Buffer) => {
    told += chunk
    count += chunk.toString().split('\n').length - 1
    if (count >= acknowledgements) worker.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => worker.once('close', (_, by) => resolve(by)))
  expect({ signal, complaints }).toMatchObject({ signal: 'SIGKILL' })
  return told
    .slice(0, told.lastIndexOf('\n'))
    .split('\n')
    .map((line) => JSON.parse(line))
}

it('keeps everything acknowledged through kills, and lets nobody append afterwards', async () => {
  const parent = await temporaryDirectory()
  const directories = [join(parent, 'writer'), join(parent, 'keeper')] as const
  const appended = new Map<LogKey, number>()
  const ingested = new Map<LogKey, number>()
  let storeIds = ''
  for (const acknowledgements of [1, 2, 7, 60, 300, 900]) {
    let persisted: number | undefined
    for (const line of await runUntil(acknowledgements, directories)) {
      if (line.kind === 'append') appended.set(line.log, line.length)
      if (line.kind === 'ingest') ingested.set(line.log, line.length)
      if (line.kind === 'persist') persisted = line.n
      if (line.kind !== 'open') continue
      expect(storeIds === '' || storeIds === line.writer + line.keeper).toBe(true)
      storeIds = line.writer + line.keeper
    }
    const writer = await openHypercoreStore({ directory: directories[0], random })
    const keeper = await openHypercoreStore({ directory: directories[1], random })
    for (const [log, length] of appended) {
      expect(await writer.length(log)).toBeGreaterThanOrEqual(length)
      await expect(writer.append(log, Buffer.from('x'))).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
    }
    for (const [log, length] of ingested) {
      const held = await keeper.length(log)
      expect(held).toBeGreaterThanOrEqual(length)
      expect(await keeper.hash(log, held)).toBe(await writer.hash(log, held))
      const blocks = await keeper.read(log, 0, held)
      expect(
        blocks.every((block, n) => Buffer.from(block).toString() === `${n} `.repeat(1 + (n % 400))),
      ).toBe(true)
      // The rest can still be taken from the other one.
      expect(await keeper.ingest(log, await writer.prove(log, held, held + 10))).toBeGreaterThanOrEqual(held)
    }
    if (persisted !== undefined) {
      expect(Number(Object.values(keeper.facts.peers)[0]?.[0])).toBeGreaterThanOrEqual(persisted)
    }
    await Promise.all([writer.close(), keeper.close()])
  }
  expect(appended.size).toBeGreaterThan(4)
})
