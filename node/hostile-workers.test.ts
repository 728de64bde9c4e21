// What code in a worker may do to the thread that started it, and what that thread may not be able to do.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Fragile, Hostile, HostileHere } from './actors/test-support/hostile.ts'
import type { MeshNode } from './api.ts'
import { createNode } from './create-node.ts'

let node: MeshNode
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hostile-'))
  node = await createNode({ dataDir, actors: [Fragile, Hostile, HostileHere] })
})
afterAll(async () => {
  await node.close()
  await rm(dataDir, { recursive: true, force: true })
})

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => `resolved with ${JSON.stringify(value)}`,
    (error: unknown) => error,
  )

test.each([[null], [undefined], ['ready'], [{ t: 'ask' }], [{ t: 'done', run: 1 }], [1]])(
  '%s on the port of the worker is nothing',
  async (message) => {
    const actor = node.actor(Hostile, 'poster')
    expect(await actor.post(message)).toBe('posted')
    expect(await actor.post('again')).toBe('posted')
  },
)

test.each([
  [null, 'null'],
  [undefined, 'undefined'],
  ['a text', "'a text'"],
  [{ toString: 1 }, '{ toString: 1 }'],
])('%s, thrown outside of a call, ends its worker only', async (value, text) => {
  const actor = node.actor(Hostile, 'thrower')
  const error = await failure(actor.with({ retries: 0 }).throwOutside(value))
  expect(error).toMatchObject({ code: 'ACTOR_UNAVAILABLE' })
  expect(String(error)).toContain(`ended by an error outside of its calls: ${text}`)
  expect(await actor.post('again')).toBe('posted')
})

test('a module that a worker can not load is no reason to give an actor with a state up', async () => {
  const actor = node.actor(Fragile, 'x')
  expect(await actor.post('here')).toBe('posted')
  vi.stubEnv('HOSTILE_MODULE', 'broken')
  await failure(actor.with({ retries: 0 }).throwOutside('its one restart'))
  await expect
    .poll(() => actor.status()?.cause, { timeout: 20_000 })
    .toMatch(/hostile\.ts can't be loaded in a worker: RangeError: not today/)
  await sleep(1000) // it is tried again meanwhile
  expect(actor.status()?.status).toBe('waiting')
  const fresh = await failure(node.actor(Fragile, 'fresh').post('never'))
  expect(String(fresh)).toContain("can't be loaded in a worker")
  vi.unstubAllEnvs()
  expect(await actor.post('again')).toBe('posted')
})

test.each([Hostile, HostileHere])("the mesh's own actors are out of reach", async (type) => {
  const error = await failure(node.actor(type, 'reacher').reach('mesh:kv'))
  expect(error).toMatchObject({ code: 'BAD_INPUT' })
})

test.each([Hostile, HostileHere])('states of others, in the middle of a statement', async (type) => {
  expect(await node.actor(type, 'x').states()).toEqual(['running', undefined])
})
