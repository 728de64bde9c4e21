// `mesh wait` against a fake node: each condition when it holds and when it does not, and a node that comes later.

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startControlServer } from '../node/control/server.ts'
import { FAKE_ACTORS, FAKE_MEMBERS, FakeNode } from '../node/control/test-support/fake-node.ts'
import { cli, fakeNode, startCli, tempDir } from './test-support/run-cli.ts'

const SOON = ['--timeout', '150ms']

async function healthy(): Promise<FakeNode> {
  const node = await fakeNode()
  const keepers = FAKE_MEMBERS.map(({ peerId, name }) => ({ peerId, name }))
  node.currentMembers = FAKE_MEMBERS.map((member) => ({ ...member, keep: true }))
  const [first] = node.currentMembers
  node.currentStatus = { ...node.currentStatus, head: { peerId: first!.peerId, name: first!.name } }
  node.currentActors = FAKE_ACTORS.map((actor) => ({ ...actor, keepers }))
  return node
}

test('all hold: 0, and how long it took', async () => {
  const node = await healthy()
  const { code, out } = await cli(['wait', '--for', 'members=2,head,replicas-ok'], { node })
  expect(code).toBe(0)
  expect(out).toMatch(/^after \d+ ms\n$/)
})

test('what does not hold is said in words, and the exit code is 10', async () => {
  const node = await healthy()
  node.currentMembers = node.currentMembers.map((member) => ({
    ...member,
    liveness: member.self ? 'alive' : 'dead',
  }))
  const { code, out, err } = await cli(['wait', '--for', 'members=2,head,replicas-ok', ...SOON], { node })
  expect({ code, out }).toEqual({ code: 10, out: '' })
  expect(err).toBe(
    'mesh: not after 150 ms: members=2: it sees 1 live peer: shop-1; not alive: shop-2; ' +
      'replicas-ok: 1 of 2 actors: Counter/visits 1 of 3 copies\n',
  )
})

test('copies of the actors only are not enough: the registry has to be kept as well', async () => {
  const node = await healthy()
  node.currentStatus = { ...node.currentStatus, registrySafe: false }
  expect(await cli(['wait', '--for', 'replicas-ok', ...SOON], { node })).toMatchObject({
    code: 10,
    err: 'mesh: not after 150 ms: replicas-ok: the registry has fewer live keepers than it could\n',
  })
})

test('exactly as many members: more are not what was asked for', async () => {
  const node = await healthy()
  expect((await cli(['wait', '--for', 'members=1', ...SOON], { node })).code).toBe(10)
})

test('a head that is not alive is none', async () => {
  const node = await healthy()
  node.currentStatus = { ...node.currentStatus, head: { peerId: 'gone', name: 'shop-3' } }
  const lost = await cli(['wait', '--for', 'head', ...SOON], { node })
  expect(lost).toMatchObject({ code: 10, err: 'mesh: not after 150 ms: head: the head shop-3 is unknown\n' })
  node.currentStatus = { ...node.currentStatus, head: null }
  const none = await cli(['wait', '--for', 'head', '--json', ...SOON], { node })
  expect(JSON.parse(none.out)).toMatchObject({
    ok: false,
    lacking: [{ condition: 'head', is: 'no peer is known as the head' }],
  })
})

test('it waits for what changes, and for a node that is not there yet', async () => {
  const dir = join(tempDir(), 'later')
  const running = startCli(['wait', '--for', 'head', '--timeout', '20s', '--data-dir', dir])
  const node = new FakeNode(tempDir())
  const late = Object.assign(node, { dataDir: dir })
  await expect.poll(() => running.exits).toEqual([])
  const { mkdirSync } = await import('node:fs')
  mkdirSync(dir)
  const server = await startControlServer(late)
  onTestFinished(() => server.close())
  const [first] = node.currentMembers
  node.currentStatus = { ...node.currentStatus, head: { peerId: first!.peerId, name: first!.name } }
  expect(await running.exit).toBe(0)
})

test('nobody there in time: 3, as for every command', async () => {
  const { code, err } = await cli(['wait', '--for', 'head', '--data-dir', join(tempDir(), 'none'), ...SOON])
  expect(code).toBe(3)
  expect(err).toMatch(/^mesh: no node is running in /)
})

test.each([
  [['wait'], 'required option'],
  [['wait', '--for', 'peace'], '"peace" is no condition'],
  [['wait', '--for', 'members'], '"members" is no condition'],
  [['wait', '--for', 'members=many'], '"many" is not a whole number'],
  [['wait', '--for', 'head=shop-1'], '"head=shop-1" is no condition'],
  [['wait', '--for', ''], '"" is no condition'],
])('%j is refused', async (argv, said) => {
  const { code, err } = await cli(argv)
  expect(code).toBe(2)
  expect(err).toContain(said)
  expect(err.trim().split('\n')).toHaveLength(1)
})
