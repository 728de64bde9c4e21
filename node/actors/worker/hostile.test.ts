// What code in a worker may do to the thread that started it, and what that thread may not be able to do.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MeshNode } from '../../api.ts'
import { createNode } from '../../create-node.ts'
import { Hostile, HostileHere } from '../test-support/hostile.ts'

let node: MeshNode
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hostile-'))
  node = await createNode({ dataDir, actors: [Hostile, HostileHere] })
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

test.each([[null], [undefined], ['ready'], [{ t: 'unknown' }], [1]])(
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

test.each([Hostile, HostileHere])("the mesh's own actors are out of reach", async (type) => {
  const error = await failure(node.actor(type, 'reacher').reach('mesh:kv'))
  expect(error).toMatchObject({ code: 'BAD_INPUT' })
})

test.each([Hostile, HostileHere])('states of others, in the middle of a statement', async (type) => {
  expect(await node.actor(type, 'x').states()).toEqual(['running', undefined])
})
