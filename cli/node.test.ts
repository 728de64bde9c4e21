// `mesh node` with a fake node: what it passes on, what it says, how it ends.

import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { NodeOptions } from '../node/api.ts'
import { FAKE_MEMBERS, FakeNode } from '../node/control/test-support/fake-node.ts'
import { type CliRun, type CliSetup, cli, startCli, tempDir } from './test-support/run-cli.ts'

async function started(
  argv: readonly string[] = [],
  setup: CliSetup = {},
): Promise<{ run: CliRun; node: FakeNode; options: NodeOptions }> {
  const dataDir = join(tempDir(), 'data')
  const node = new FakeNode(dataDir)
  let options: NodeOptions | undefined
  const createNode = async (given: NodeOptions): Promise<FakeNode> => {
    options = given
    return node
  }
  const run = startCli(['node', '--data-dir', dataDir, ...argv], { createNode, ...setup })
  await vi.waitFor(() => expect(run.out()).not.toBe(''))
  return { run, node, options: options! }
}

test('flags become options', async () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'secret'), 'hush\n', { mode: 0o600 })
  const { run, node, options } = await started(
    [
      '--listen',
      '0.0.0.0:4001',
      '--listen',
      '/ip4/127.0.0.1/tcp/0',
      '--join',
      'a.example:4001',
      '--name',
      'shop-9',
      '--labels',
      'zone=a,disk=ssd',
      '--mdns',
      '--no-host',
      '--no-keep',
      '--secret-file',
      'secret',
    ],
    { cwd: dir },
  )
  expect(options).toMatchObject({
    listen: ['0.0.0.0:4001', '/ip4/127.0.0.1/tcp/0'],
    join: ['a.example:4001'],
    name: 'shop-9',
    labels: { zone: 'a', disk: 'ssd' },
    mdns: true,
    host: false,
    keep: false,
    secret: 'hush',
    control: true,
  })
  expect('invite' in options).toBe(false)
  await node.close()
  expect(await run.exit).toBe(0)
})

test('at a terminal it says who it is and the exact command that adds a peer', async () => {
  const { run, node } = await started([], { isTty: true })
  expect(run.out()).toContain('shop-1 is up\n')
  expect(run.out()).toContain('12D3KooWFakePeerOne')
  expect(run.out()).toContain('/ip4/127.0.0.1/tcp/4001')
  expect(run.out()).toContain(`\n  mesh node --data-dir ${node.dataDir}-3 --invite mesh1-fake-invite\n`)
  expect(run.out()).toContain('listens on this machine only')
  expect(run.out()).toContain('warning: two peers: no majority without both\n')
  await node.close()
})

test('the secret in the invite is never written to a log', async () => {
  const plain = await started()
  expect(plain.run.out()).not.toContain('mesh1-fake-invite')
  expect(plain.run.out()).toContain('mesh invite --data-dir')
  await plain.node.close()
  const json = await started(['--json'], { isTty: true })
  expect(json.run.out()).not.toContain('mesh1-fake-invite')
  expect(JSON.parse(json.run.out().split('\n')[0] ?? '')).toMatchObject({
    msg: 'up',
    name: 'shop-1',
    meshId: 'a1b2c3',
  })
  await json.node.close()
})

test('events are told in words, crowds of recovered actors are counted', async () => {
  const { run, node } = await started()
  node.emit('peer:joined', { peerId: '12D3KooWx', name: 'shop-3\u001b[2J' })
  node.emit('peer:lost', { peerId: '12D3KooWx', name: 'shop-3', liveness: 'dead' })
  node.emit('head:changed', { head: { peerId: node.peerId, name: 'shop-1' }, term: 4 })
  for (let i = 0; i < 8; i += 1)
    node.emit('actor:recovered', {
      type: 'Counter',
      name: `${i}`,
      outcome: 'recovered',
      detail: `at record ${i}`,
    })
  node.emit('actor:recovered', {
    type: 'Counter',
    name: 'x',
    outcome: 'dead',
    detail: 'two of three keepers are gone',
  })
  await vi.waitFor(() => expect(run.out()).toContain('3 more actors recovered'))
  const lines = run
    .out()
    .split('\n')
    .map((line) => line.slice(10))
  expect(lines).toContain('shop-3?[2J (12D3KooWx) joined')
  expect(lines).toContain('shop-3 (12D3KooWx) is lost: recovering its actors')
  expect(lines).toContain('this peer is the head now (term 4)')
  expect(lines).toContain('Counter/x is not recoverable: two of three keepers are gone')
  expect(lines).toContain('Counter/0 recovered: at record 0')
  await node.close()
})

test('Ctrl-C leaves when others are there', async () => {
  const { run, node } = await started()
  run.signal()
  expect(await run.exit).toBe(0)
  expect(node.asked).toEqual(['leave'])
  expect(run.out()).toContain('handing 1 actor over to 1 other peer')
})

test('Ctrl-C of the only peer closes and keeps everything', async () => {
  const { run, node } = await started()
  node.currentMembers = FAKE_MEMBERS.slice(0, 1)
  run.signal()
  expect(await run.exit).toBe(0)
  expect(node.asked).toEqual(['close'])
})

test('a second Ctrl-C ends the process at once', async () => {
  const { run, node } = await started()
  node.onLeave = () => new Promise(() => {})
  run.signal()
  run.signal()
  expect(run.exits).toEqual([130])
  await node.close()
})

test('a hand-over that fails ends in a close', async () => {
  const { run, node } = await started()
  node.onLeave = () => Promise.reject(new Error('no head'))
  run.signal()
  expect(await run.exit).toBe(0)
  expect(node.asked).toEqual(['leave', 'close'])
  expect(run.out()).toContain('warning: handing over failed: no head')
})

test.each([
  ['DATA_DIR_IN_USE', 4],
  ['DATA_DIR_UNREADABLE', 4],
  ['DATA_DIR_OTHER_MESH', 4],
  ['WRONG_SECRET', 5],
  ['PORT_IN_USE', 6],
  ['JOIN_FAILED', 7],
  ['BAD_INPUT', 2],
  ['MESH_UNAVAILABLE', 10],
])('a start that fails with %s exits %i', async (code, exit) => {
  const createNode = () => Promise.reject(Object.assign(new Error('do this instead'), { code }))
  expect(await cli(['node', '--data-dir', tempDir()], { createNode })).toEqual({
    code: exit,
    out: '',
    err: 'mesh: do this instead\n',
  })
})

test('an unreadable secret file is a usage error', async () => {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'empty'), '\n')
  expect((await cli(['node', '--secret-file', 'empty'], { cwd })).err).toContain('is empty')
  chmodSync(join(cwd, 'empty'), 0o000)
  expect((await cli(['node', '--secret-file', 'empty'], { cwd })).code).toBe(2)
})

test('an encryption key is taken from a file that only its owner can read', async () => {
  const cwd = tempDir()
  const key = join(cwd, 'key')
  writeFileSync(key, `${'5e'.repeat(32)}\n`, { mode: 0o600 })
  const { run, options } = await started(['--encryption-key-file', 'key'], { cwd })
  expect(options.encryption).toEqual({ key: '5e'.repeat(32) })
  run.signal()
  await run.exit
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(key, mode)
    const refused = await cli(['node', '--encryption-key-file', 'key'], { cwd })
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('chmod 600')])
  }
  expect((await cli(['node', '--encryption-key-file', 'none'], { cwd })).err).toContain('there is no file')
})
