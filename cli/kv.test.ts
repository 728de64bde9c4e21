// `mesh kv` against a fake store over a real control socket: what it prints, its exit codes, its errors.

import { expect, test, vi } from 'vitest'
import { cli, fakeNode, startCli } from './test-support/run-cli.ts'

const kv = async (argv: readonly string[], node = fakeNode()) => cli(['kv', ...argv], { node: await node })

test('put, get, keys and delete, for people and for programs', async () => {
  const node = await fakeNode()
  const run = (...argv: string[]) => cli(['kv', ...argv], { node })
  expect(await run('put', 'a/1', '{"n": [1]}')).toEqual({ code: 0, out: 'version 1\n', err: '' })
  expect(await run('put', 'a/2', 'word', '--json')).toMatchObject({ code: 0 })
  expect((await run('get', 'a/2')).out).toBe('"word"\n')
  expect(JSON.parse((await run('get', 'a/1', '--json')).out)).toEqual({
    key: 'a/1',
    value: { n: [1] },
    version: 1,
  })
  expect((await run('keys', 'a/')).out).toBe('a/1\na/2\n')
  expect(JSON.parse((await run('keys', '--json')).out)).toEqual(['a/1', 'a/2'])
  expect(await run('delete', 'a/1')).toMatchObject({ code: 0, out: 'deleted\n' })
  expect(await run('delete', 'a/1')).toMatchObject({ code: 1, out: 'no such key\n' })
  expect(await run('get', 'a/1')).toMatchObject({ code: 1, out: 'no such key\n' })
  expect(await run('get', 'a/1', '--json')).toMatchObject({ code: 1, out: 'null\n' })
})

test('a swap that does not fit changes nothing and exits 1', async () => {
  const node = await fakeNode()
  const run = (...argv: string[]) => cli(['kv', ...argv], { node })
  expect(await run('put', 'k', '1', '--if-version', '7')).toMatchObject({
    code: 1,
    out: 'not put: there is no such key\n',
  })
  expect(await run('put', 'k', '1', '--if-absent')).toMatchObject({ code: 0, out: 'version 1\n' })
  expect(await run('put', 'k', '2', '--if-absent')).toMatchObject({
    code: 1,
    out: 'not put: it has version 1\n',
  })
  expect(await run('put', 'k', '2', '--if-version', '1')).toMatchObject({ code: 0 })
  expect(await run('delete', 'k', '--if-version', '1')).toMatchObject({ code: 1 })
  expect(await run('delete', 'k', '--if-version', '2')).toMatchObject({ code: 0 })
})

test.each([
  [['grow', 'x'], 'kv: "grow" is none of get, put, delete, keys, watch'],
  [['toString'], 'is none of'],
  [['put', 'k'], 'kv put takes <key> <value>'],
  [['get'], 'kv get takes <key>'],
  [['keys', 'a', 'b'], 'kv keys takes [prefix]'],
  [['put', 'k', '{'], 'not valid JSON'],
  [['put', 'k', '1', '--if-absent', '--if-version', '1'], 'exclude each other'],
  [['watch', 'k', '--after', '-1'], 'not a whole number'],
])('%j is refused', async (argv, message) => {
  const { code, err } = await kv(argv)
  expect(code).toBe(2)
  expect(err).toContain(message)
})

test('a watch prints a line for each change until Ctrl-C', async () => {
  const node = await fakeNode()
  const controllers: AbortSignal[] = []
  node.kv.watch = async function* (what, { signal } = {}) {
    controllers.push(signal!)
    expect(what).toEqual({ prefix: 'a/' })
    yield { kind: 'put', key: 'a/1', value: 1n, version: 4 } as never
    yield { kind: 'delete', key: 'a/\u001b1', version: 5 }
    await new Promise((resolve) => signal!.addEventListener('abort', resolve))
  }
  const run = startCli(['kv', 'watch', 'a/', '--prefix', '--data-dir', node.dataDir])
  await vi.waitFor(() => expect(run.out()).toBe('a/1 4 "1n"\na/?1 5 deleted\n'))
  run.signal()
  expect(await run.exit).toBe(0)
  await vi.waitFor(() => expect(controllers[0]!.aborted).toBe(true))
})

test('a watch that its node ends says why', async () => {
  const node = await fakeNode()
  node.kv.watch = () => {
    throw Object.assign(new Error('a key is a text'), { code: 'BAD_INPUT' })
  }
  expect(await cli(['kv', 'watch', 'k'], { node })).toMatchObject({ code: 2 })
  node.kv.watch = async function* () {
    yield { kind: 'put', key: 'k', value: 1, version: 1 } as never
    throw Object.assign(new Error('this node is closed'), { code: 'MESH_UNAVAILABLE' })
  }
  const { code, out, err } = await cli(['kv', 'watch', 'k', '--json'], { node })
  expect([code, JSON.parse(out)]).toEqual([10, { kind: 'put', key: 'k', value: 1, version: 1 }])
  expect(JSON.parse(err).error).toMatchObject({ code: 'MESH_UNAVAILABLE' })
})
