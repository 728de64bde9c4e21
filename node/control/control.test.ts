import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from './client.ts'
import { readLocation, writeLocation } from './location.ts'
import { toReadable } from './readable.ts'
import type { ControlServer } from './serve.ts'
import { startControlServer } from './server.ts'
import { FAKE_MEMBERS, FAKE_STATUS, FakeNode } from './test-support/fake-node.ts'

function dataDir(suffix = ''): string {
  const dir = mkdtempSync(join(tmpdir(), `control-test-${suffix}`))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function serve(
  dir = dataDir(),
): Promise<{ node: FakeNode; client: ControlClient; server: ControlServer }> {
  const node = new FakeNode(dir)
  const server = await startControlServer(node)
  onTestFinished(() => server.close())
  return { node, server, client: new ControlClient(dir) }
}

const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code,
  )

test('status, members and invite come through unchanged', async () => {
  const { client } = await serve()
  expect(await client.status()).toEqual(FAKE_STATUS)
  expect(await client.members()).toEqual(FAKE_MEMBERS)
  expect(await client.invite()).toBe('mesh1-fake-invite')
  expect(await client.reports()).toEqual([])
})

test('a call passes its arguments and returns a readable result', async () => {
  const { node, client } = await serve()
  node.onCall = (...call) => ({ call, total: 12n, by: new Map([['a', 1]]) })
  const result = await client.call({ type: 'Counter', name: 'a/b', method: 'add', args: [1, { x: null }] })
  expect(result).toEqual({ call: ['Counter', 'a/b', 'add', [1, { x: null }]], total: '12n', by: { a: 1 } })
  node.onCall = () => undefined
  expect(await client.call({ type: 'Counter', name: 'a', method: 'add', args: [] })).toBeUndefined()
})

test("errors keep their code, message, class and the node's stack", async () => {
  const { node, client } = await serve()
  node.onCall = () => {
    throw Object.assign(new Error('no such coffee'), {
      code: 'ACTOR_ERROR',
      className: 'CoffeeError',
      remoteStack: 'at barista',
    })
  }
  const error = await client
    .call({ type: 'A', name: 'a', method: 'm', args: [] })
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'ACTOR_ERROR',
    message: 'no such coffee',
    wire: { className: 'CoffeeError', stack: 'at barista' },
  })
})

test('bad requests are refused with BAD_INPUT and leave the server working', async () => {
  const { client } = await serve()
  expect(await code(client.call({ type: '', name: 'a', method: 'm', args: [] }))).toBe('BAD_INPUT')
  expect(await code(client.call({ type: 'A', name: 'a', method: 'm', args: 'x' as never }))).toBe('BAD_INPUT')
  const huge = 'x'.repeat(17 * 1024 * 1024)
  expect(['BAD_INPUT', 'NO_ANSWER']).toContain(
    await code(client.call({ type: 'A', name: 'a', method: 'm', args: [huge] })),
  )
  expect((await client.status()).name).toBe('shop-1')
})

test('S1 the socket and its description are for the owner alone', async () => {
  const dir = dataDir()
  const { server } = await serve(dir)
  expect(statSync(server.socket).mode & 0o777).toBe(0o600)
  expect(statSync(join(dir, 'control.json')).mode & 0o777).toBe(0o600)
})

test('S2 a second server refuses a directory in use and leaves the first working', async () => {
  const dir = dataDir()
  const { client } = await serve(dir)
  expect(await code(startControlServer(new FakeNode(dir)))).toBe('DATA_DIR_IN_USE')
  expect((await client.status()).name).toBe('shop-1')
})

test('S2 what a killed node left behind is replaced', async () => {
  const dir = dataDir()
  writeFileSync(join(dir, 'control.sock'), '')
  const { client } = await serve(dir)
  expect((await client.status()).name).toBe('shop-1')
})

test('S2 with a long path too: the private directory of a killed node goes, that of a live one stays', async () => {
  const dir = dataDir('y'.repeat(100))
  const dead = mkdtempSync(join(tmpdir(), 'actor-mesh-'))
  writeLocation(dir, { socket: join(dead, 'control.sock'), pid: 1, startedAt: 0 })
  const { client } = await serve(dir)
  expect(existsSync(dead)).toBe(false)
  expect(await code(startControlServer(new FakeNode(dir)))).toBe('DATA_DIR_IN_USE')
  expect((await client.status()).name).toBe('shop-1')
})

test('S3 a leave that closes the server is answered', async () => {
  const { node, server, client } = await serve()
  node.onLeave = () => server.close()
  await client.leave()
  expect(node.asked).toEqual(['leave'])
  expect(existsSync(server.socket)).toBe(false)
})

test('a data directory with a long path gets a socket in a private directory', async () => {
  const dir = dataDir('x'.repeat(100))
  const { server, client } = await serve(dir)
  expect(dirname(server.socket)).not.toBe(dir)
  expect(statSync(dirname(server.socket)).mode & 0o777).toBe(0o700)
  expect((await client.status()).name).toBe('shop-1')
  await server.close()
  expect(existsSync(dirname(server.socket))).toBe(false)
  expect(readLocation(dir)).toBeUndefined()
})

test('without a node: NOT_RUNNING, and the message says how to start one', async () => {
  const client = new ControlClient(dataDir())
  await expect(client.status()).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: expect.stringContaining('mesh node --data-dir'),
  })
})

test.each([
  [1n, '1n'],
  [new Set([1, 2n]), [1, '2n']],
  [new Map([[1, 'a']]), [[1, 'a']]],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [new Uint8Array([1, 2]), 'base64:AQI='],
  [Number.NaN, 'NaN'],
  [{ a: undefined, b: () => 1, c: [undefined] }, { c: [null] }],
  [new RangeError('far'), { name: 'RangeError', message: 'far' }],
])('%o is readable as %o', (value, readable) => {
  expect(toReadable(value)).toEqual(readable)
})

test('cycles and extreme depth end', () => {
  const cycle: Record<string, unknown> = { n: 1 }
  cycle['self'] = cycle
  expect(toReadable(cycle)).toEqual({ n: 1, self: '…' })
  let deep: unknown = 0
  for (let i = 0; i < 10_000; i += 1) deep = { deep }
  expect(JSON.stringify(toReadable(deep))).toContain('…')
})
