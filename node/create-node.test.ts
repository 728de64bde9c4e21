// Peers of one process on real disks and sockets: how each start, failure to start, and end looks to an app.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { MeshNode, NodeOptions } from './api.ts'
import { Actor, type CreateOptions, createNode, MeshError } from './index.ts'

class Counter extends Actor<{ count: number; odd?: unknown }> {
  override state: { count: number; odd?: unknown } = { count: 0 }
  increment(by = 1): number {
    this.state.count += by
    return this.state.count
  }
  /** State that no log can hold. */
  spoil(): void {
    this.state.odd = { deep: [1, () => 2] }
  }
  value(): number {
    return this.state.count
  }
}

const open: MeshNode[] = []
const dirs: string[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.close()))
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'create-node-'))
  dirs.push(dir)
  return dir
}

async function start(options: Partial<NodeOptions> = {}): Promise<MeshNode> {
  const node = await createNode({ dataDir: tempDir(), actors: [Counter], ...options })
  open.push(node)
  return node
}

const fails = async (options: Partial<NodeOptions>): Promise<MeshError> => {
  const error = await start(options).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(MeshError)
  const known = error as MeshError
  expect(known.message).not.toContain('\n')
  return known
}

const addressesOf = (node: MeshNode): readonly string[] =>
  node.members().find((member) => member.self)?.addresses ?? []
const secretOf = (node: MeshNode): string => readFileSync(join(node.dataDir, 'mesh.secret'), 'utf8')
const seesAll = (nodes: readonly MeshNode[]): Promise<void> =>
  vi.waitFor(
    () => {
      for (const node of nodes) expect(node.status()).toMatchObject({ admitted: true, members: nodes.length })
    },
    { timeout: 20_000 },
  )

test('a founder serves at once; others join by invite, and call the same actors', async () => {
  const a = await start({ name: 'a' })
  expect(a.status()).toMatchObject({ isHead: true, members: 1, admitted: true })
  expect(await a.actor(Counter, 'x').increment(2)).toBe(2)
  const invite = await a.invite()
  const b = await start({ name: 'b', invite })
  const c = await start({ name: 'c', invite })
  await seesAll([a, b, c])
  expect(await b.actor(Counter, 'x').increment(3)).toBe(5)
  expect(await c.call('Counter', 'x', 'increment', [])).toBe(6)
  expect(c.status().meshId).toBe(a.status().meshId)
})

test('joining by address needs the secret too, and works with it', async () => {
  const a = await start()
  expect(await fails({ join: addressesOf(a) })).toMatchObject({ code: 'BAD_INPUT' })
  const b = await start({ join: addressesOf(a), secret: secretOf(a) })
  await seesAll([a, b])
})

test('a wrong secret is refused within seconds, and both sides are told', async () => {
  const a = await start()
  const warnings: string[] = []
  a.on('warning', ({ code }) => warnings.push(code))
  const since = performance.now()
  const error = await fails({ join: addressesOf(a), secret: '0'.repeat(64) })
  expect(error.code).toBe('WRONG_SECRET')
  expect(error.message).toContain('invite')
  expect(performance.now() - since).toBeLessThan(5000)
  await vi.waitFor(() => expect(warnings).toContain('WRONG_SECRET'))
  expect(a.status().members).toBe(1)
})

test('nobody to join at that address: JOIN_FAILED, and no mesh is founded instead', async () => {
  const dataDir = tempDir()
  const error = await fails({ dataDir, join: ['127.0.0.1:1'], secret: '0'.repeat(64) })
  expect(error).toMatchObject({ code: 'JOIN_FAILED' })
  expect(error.message).toContain('127.0.0.1')
  expect(existsSync(join(dataDir, 'mesh.secret'))).toBe(false)
})

test('a port that is taken: PORT_IN_USE with the port', async () => {
  const server = await new Promise<Server>((resolve) => {
    const listening = createServer().listen(0, '127.0.0.1', () => resolve(listening))
  })
  const { port } = server.address() as { port: number }
  const error = await fails({ listen: [`127.0.0.1:${port}`] })
  server.close()
  expect(error.code).toBe('PORT_IN_USE')
  expect(error.message).toContain(String(port))
})

test('one node per data directory: the second is refused, the first goes on', async () => {
  const a = await start()
  expect(await fails({ dataDir: a.dataDir })).toMatchObject({ code: 'DATA_DIR_IN_USE' })
  expect(await a.actor(Counter, 'x').increment()).toBe(1)
})

test('a data directory stays with its mesh: neither invite nor secret of another one is taken', async () => {
  const a = await start()
  const b = await start()
  const invite = await b.invite()
  const secret = secretOf(b)
  const before = secretOf(a)
  await a.close()
  expect(await fails({ dataDir: a.dataDir, invite })).toMatchObject({ code: 'DATA_DIR_OTHER_MESH' })
  expect(await fails({ dataDir: a.dataDir, join: addressesOf(b), secret })).toMatchObject({
    code: 'WRONG_SECRET',
  })
  expect(secretOf(a)).toBe(before)
  expect(await (await start({ dataDir: a.dataDir })).actor(Counter, 'x').increment()).toBe(1)
})

test.each([
  ['is a file', (dir: string) => writeFileSync(dir, 'x')],
  ['has a file where the store should be', (dir: string) => put(dir, 'store', 'x')],
  ['has garbage for an identity', (dir: string) => put(dir, 'identity.key', 'garbage')],
  ['has garbage for a secret', (dir: string) => put(dir, 'mesh.secret', 'garbage')],
  ['has garbage in its store', garbageStore],
])('a data directory that %s: DATA_DIR_UNREADABLE', async (_what, spoil) => {
  const dataDir = join(tempDir(), 'data')
  spoil(dataDir)
  expect(await fails({ dataDir })).toMatchObject({ code: 'DATA_DIR_UNREADABLE' })
})

function put(dir: string, file: string, text: string): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, file), text, { mode: 0o600 })
}
function garbageStore(dir: string): void {
  mkdirSync(join(dir, 'store', 'db'), { recursive: true })
  for (const file of ['CURRENT', 'MANIFEST-000001', 'facts.json', 'store.json', 'CORESTORE'])
    writeFileSync(join(dir, 'store', file), 'garbage')
  for (const file of ['CURRENT', 'MANIFEST-000001']) writeFileSync(join(dir, 'store', 'db', file), 'garbage')
}

test('started again on its disk it has its identity, its port and its actors; keys are for the owner only', async () => {
  const a = await start()
  await a.actor(Counter, 'x').increment(7)
  const addresses = addressesOf(a)
  await a.close()
  for (const file of ['identity.key', 'mesh.secret'])
    expect(statSync(join(a.dataDir, file)).mode & 0o777, file).toBe(0o600)
  const again = await start({ dataDir: a.dataDir })
  expect([again.peerId, addressesOf(again)]).toEqual([a.peerId, addresses])
  expect(again.status().boot).not.toBe(a.status().boot)
  expect(await again.actor(Counter, 'x').value()).toBe(7)
})

test('the last peer that leaves keeps everything for its next start', async () => {
  const a = await start()
  await a.actor(Counter, 'x').increment(7)
  await a.leave()
  const again = await start({ dataDir: a.dataDir })
  expect(await again.actor(Counter, 'x').increment()).toBe(8)
})

test('peers leave a mesh of three one after the other, each in a moment, and the actors move on', async () => {
  const a = await start()
  const invite = await a.invite()
  const nodes = [a, await start({ invite }), await start({ invite })]
  await seesAll(nodes)
  const names = ['u', 'v', 'w', 'x', 'y', 'z']
  for (const name of names) await a.actor(Counter, name).increment(3)
  for (const left of [2, 1]) {
    const leaving = nodes.pop() as MeshNode
    const since = performance.now()
    await leaving.leave()
    expect(performance.now() - since, `${left} left`).toBeLessThan(8000)
    for (const name of names) expect(await a.actor(Counter, name).value()).toBe(3)
  }
  expect(a.actors().map(({ restarts }) => restarts)).toEqual(names.map(() => 0))
})

test('close is idempotent, also during a leave, and ends calls with MESH_UNAVAILABLE', async () => {
  const a = await start()
  const b = await start({ invite: await a.invite() })
  await seesAll([a, b])
  await b.actor(Counter, 'x').increment()
  const leaving = b.leave()
  await Promise.all([b.close(), b.close(), leaving, b.leave()])
  await b.closed
  await expect(b.actor(Counter, 'x').increment()).rejects.toMatchObject({ code: 'MESH_UNAVAILABLE' })
})

test('a closed node leaves no timer and no socket behind', async () => {
  const handles = (): readonly string[] =>
    process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout|Pipe|Immediate/.test(kind))
  const before = handles()
  const a = await start({ control: true })
  const b = await start({ invite: await a.invite() })
  await b.actor(Counter, 'x').increment()
  await Promise.all([a.close(), b.close()])
  await vi.waitFor(() => expect(handles().length).toBeLessThanOrEqual(before.length), { timeout: 5000 })
})

test('what a call may not do has a code and leaves the state as it was', async () => {
  const a = await start()
  const counter = a.actor(Counter, 'x')
  await counter.increment(5)
  await expect(counter.spoil()).rejects.toMatchObject({
    code: 'UNSERIALISABLE_STATE',
    path: expect.stringMatching(/odd.*deep.*1/),
  })
  await expect(a.call('Counter', 'x', 'nothing', [])).rejects.toMatchObject({ code: 'UNKNOWN_METHOD' })
  await expect(a.call('Nobody', 'x', 'value', [])).rejects.toMatchObject({ code: 'UNKNOWN_TYPE' })
  await expect(a.call('Counter', '', 'value', [])).rejects.toMatchObject({ code: 'BAD_INPUT' })
  await expect(a.stopActor('Counter', 'nobody')).rejects.toMatchObject({ code: 'BAD_INPUT' })
  expect(await counter.value()).toBe(5)
})

test('an actor that nobody calls leaves memory, on a real disk too; its ends are told, and its reference knows its status', async () => {
  class Napper extends Counter {
    static readonly options = { idleMs: 40 }
  }
  const node = await start({ name: 'a', actors: [Napper] })
  const told: string[] = []
  for (const event of ['actor:started', 'actor:passivated', 'actor:stopped'] as const)
    node.on(event, ({ name, ...detail }) =>
      told.push([event, name, ...Object.values(detail).slice(2)].join(' ')),
    )
  const ref = node.actor(Napper, 'x')
  expect(ref.status()).toBeUndefined()
  expect(await ref.increment(2)).toBe(2)
  expect(ref.status()).toMatchObject({ type: 'Napper', name: 'x', status: 'running', peer: { name: 'a' } })
  await vi.waitFor(() => expect(told).toContain('actor:passivated x'))
  expect(await ref.increment(3)).toBe(5)
  await node.killActor('Napper', 'x')
  expect(await ref.value()).toBe(5)
  expect(ref.status()).toMatchObject({ epoch: 2, restarts: 1 })
  await node.killActor('Napper', 'x', { restart: false })
  expect(ref.status()).toMatchObject({ status: 'dead', cause: 'it was killed' })
  // Deleted before its host has looked it would be told as stopped.
  await vi.waitFor(() => expect(told).toContain('actor:stopped x dead'))
  await node.deleteActor('Napper', 'x')
  expect(ref.status()).toBeUndefined()
  expect(node.actors()).toEqual([])
  expect(await ref.increment(1)).toBe(1)
  expect(told[0]).toBe('actor:started x false')
  expect(told.filter((line) => line.startsWith('actor:stopped'))).toEqual([
    'actor:stopped x moved',
    'actor:stopped x dead',
  ])
})

test('a stopped actor stays stopped until it is created again', async () => {
  const a = await start()
  await a.actor(Counter, 'x').increment(5)
  await a.stopActor('Counter', 'x')
  await expect(a.actor(Counter, 'x').value()).rejects.toMatchObject({ code: 'ACTOR_DIED' })
  await a.createActor(Counter, 'x')
  expect(await a.actor(Counter, 'x').increment()).toBe(1)
  await expect(a.createActor(Counter, 'x')).rejects.toMatchObject({ code: 'BAD_INPUT' })
})

test('an actor created with options of its own has them in place of its class’s', async () => {
  const a = await start({ resources: { gpu: 2 } })
  await a.createActor(Counter, 'big', { options: { resources: { gpu: 2 }, durability: 'synced' } })
  expect(await a.actor(Counter, 'big').increment()).toBe(1)
  await a.createActor(Counter, 'bigger', { options: { resources: { gpu: 1 }, keepers: 5 } })
  expect(a.actor(Counter, 'big').status()).toMatchObject({
    status: 'running',
    durability: 'synced',
    keepersWanted: 3,
  })
  expect(a.actor(Counter, 'bigger').status()).toMatchObject({ status: 'waiting', keepersWanted: 5 })
  const refusals: [CreateOptions, string][] = [
    [{ options: { idleMs: 5 } as object }, "Counter.options.idleMs is the class's"],
    [{ options: { gpu: 1 } as object }, 'Counter.options.gpu is no option: there are '],
    [{ options: { keepers: 99 } }, 'Counter.options.keepers is 99'],
  ]
  for (const [options, message] of refusals)
    await expect(a.createActor(Counter, 'wrong', options)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message),
    })
})

test.each([
  [
    'two classes of one name',
    [
      Counter,
      class extends Actor {
        static readonly actorName = 'Counter'
      },
    ],
    'named Counter',
  ],
  ['a class that is no actor', [class Plain {} as never], 'extends Actor'],
  ['something that is no class', [{} as never], 'extends Actor'],
])('%s: BAD_INPUT, and the directory is free again', async (_what, actors, says) => {
  const dataDir = tempDir()
  const error = await fails({ dataDir, actors })
  expect(error).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining(says) })
  await start({ dataDir })
})

test.each([
  ['listen', { listen: ['nonsense'] }],
  ['join', { join: ['a b c'], secret: '0'.repeat(64) }],
  ['invite', { invite: 'mesh1-nonsense' }],
  ['secret', { secret: 'short' }],
  ['data directory', { dataDir: '' }],
])('a bad %s: BAD_INPUT', async (_what, options) => {
  expect(await fails(options)).toMatchObject({ code: 'BAD_INPUT' })
})

test('what does not fit here waits and says for what; status and members show what is offered and used', async () => {
  class Trainer extends Counter {
    static readonly actorName = 'Trainer'
    static readonly options = { resources: { gpu: 1 } }
  }
  const node = await start({ name: 'atlas', actors: [Trainer], resources: { gpu: 1, slots: 10 } })
  await node.actor(Trainer, 'a').increment()
  const why = 'needs gpu=1: atlas has 0 of 1 left'
  const error = await node.actor(Trainer, 'b').with({ timeoutMs: 1000 }).increment().catch(String)
  expect(error).toContain(`Trainer/b is unavailable: it has no home: ${why}`)
  expect(node.actors().find(({ name }) => name === 'b')).toMatchObject({ status: 'waiting', cause: why })
  const resources = { gpu: { offered: 1, used: 1 }, slots: { offered: 10, used: 0 } }
  expect(node.status()).toMatchObject({ resources, warnings: [`Trainer/b waits for a home: ${why}`] })
  expect(node.members()).toMatchObject([{ resources }])
  await node.stopActor('Trainer', 'a')
  expect(await node.actor(Trainer, 'b').increment()).toBe(1)
  expect((await fails({ resources: { gpu: -1 } })).code).toBe('BAD_INPUT')
})
