// Every command against a fake node over a real control socket: output shapes, exit codes, error lines.

import { expect, test } from 'vitest'
import { COMMANDS } from './commands.ts'
import { cli, fakeNode, tempDir } from './test-support/run-cli.ts'

test('status for people and for programs', async () => {
  const node = await fakeNode()
  const people = await cli(['status'], { node })
  expect(people).toMatchObject({ code: 0, err: '' })
  expect(people.out).toContain('head       this peer, term 3\n')
  expect(people.out).toContain('up         1 min 1 s\n')
  expect(people.out).toContain('resources  gpu 1/2 used\n')
  expect(people.out).toContain('warning: two peers: no majority without both\n')
  expect(JSON.parse((await cli(['status', '--json'], { node })).out)).toEqual(node.status())
})

test('members as a table', async () => {
  const node = await fakeNode()
  const { out } = await cli(['members'], { node })
  expect(out.replace(/ +/g, ' ')).toBe(
    'NAME PEER STATE FOR ROLE ACTORS TYPES LABELS USED ADDRESSES\n' +
      'shop-1 …ePeerOne alive 1.5 s this peer, head, keeps nothing 1 Counter zone=a gpu 1/2 /ip4/127.0.0.1/tcp/4001\n' +
      'shop-2 …ePeerTwo alive 1.5 s 1 Counter zone=a gpu 1/2 /ip4/127.0.0.1/tcp/4001\n',
  )
})

test('actors: live ones, with --all also the others', async () => {
  const node = await fakeNode()
  expect((await cli(['actors'], { node })).out).toMatch(
    /Counter\/visits +running +shop-2 +2 +shop-1 +replicated\n$/,
  )
  expect((await cli(['actors', '--all'], { node })).out).toContain('Counter/old')
  expect((await cli(['actors', '--type', 'Basket'], { node })).out).toBe('no actors\n')
  expect(JSON.parse((await cli(['actors', '--json'], { node })).out)).toHaveLength(1)
})

test('call: arguments are JSON or bare words, the result is JSON', async () => {
  const node = await fakeNode()
  node.onCall = (type, name, method, args) => ({ type, name, method, args })
  const { code, out } = await cli(['call', 'Counter/a/b', 'add', '2', 'express', '{"n": [1]}', '-5', '"q"'], {
    node,
  })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({
    type: 'Counter',
    name: 'a/b',
    method: 'add',
    args: [2, 'express', { n: [1] }, -5, 'q'],
  })
  node.onCall = () => undefined
  expect((await cli(['call', 'A/a', 'm'], { node })).out).toBe('done (no result)\n')
  expect(JSON.parse((await cli(['call', 'A/a', 'm', '--json'], { node })).out)).toEqual({ result: null })
})

test.each([
  [{ code: 'ACTOR_UNAVAILABLE' }, 10],
  [{ code: 'CALL_TIMEOUT' }, 10],
  [{ code: 'ACTOR_DIED' }, 1],
  [{ code: 'UNKNOWN_TYPE' }, 1],
  [{ code: 'CALL_TIMEOUT', className: 'TheirError' }, 1],
])('a call that fails with %o exits %i and prints one line', async (fields, exit) => {
  const node = await fakeNode()
  node.onCall = () => {
    throw Object.assign(new Error('it says\n  what to do'), fields)
  }
  const { code, out, err } = await cli(['call', 'A/a', 'm'], { node })
  expect({ code, out }).toEqual({ code: exit, out: '' })
  expect(err).toBe(`mesh: ${'className' in fields ? 'TheirError: ' : ''}it says what to do\n`)
  expect((await cli(['call', 'A/a', 'm', '--verbose'], { node })).err).toContain('    at ')
  expect(JSON.parse((await cli(['call', 'A/a', 'm', '--json'], { node })).err)).toEqual({
    error: { code: fields.code, message: expect.stringContaining('it says what to do') },
  })
})

test('kill and delete', async () => {
  const node = await fakeNode()
  expect((await cli(['kill', 'Counter/a'], { node })).out).toBe('Counter/a is killed, and starts again\n')
  const { out } = await cli(['kill', 'Counter/a', '--no-restart', '--json'], { node })
  expect(JSON.parse(out)).toEqual({ killed: 'Counter/a', restart: false })
  expect((await cli(['delete', 'Counter/a'], { node })).out).toBe('Counter/a is deleted\n')
  expect(node.asked).toEqual(['kill Counter/a', 'kill Counter/a for good', 'delete Counter/a'])
})

test('create, stop, leave, invite and reports', async () => {
  const node = await fakeNode()
  const created = await cli(['create', 'Counter/new', '3', 'x', '--options', '{"keepers":5}'], { node })
  expect(created.out).toBe('Counter/new is created\n')
  expect((await cli(['create', 'Counter/new', '--options', '5'], { node })).err).toContain(
    'is not a JSON object',
  )
  expect((await cli(['stop', 'Counter/visits'], { node })).out).toBe('Counter/visits is stopped\n')
  expect((await cli(['invite'], { node })).out).toBe(
    `mesh node --data-dir ${node.dataDir}-3 --invite mesh1-fake-invite\n`,
  )
  expect((await cli(['invite'], { node, env: { npm_command: 'exec' } })).out).toMatch(/^npx mesh node/)
  expect((await cli(['reports'], { node })).out).toBe('nothing to report: no peer was lost\n')
  node.reports = () => [
    {
      id: 1,
      at: 0,
      boot: '12D3KooWFakePeerTwo/aa' as never,
      cause: 'its port refuses',
      more: 3,
      kind: 'lost',
      actors: [
        { actor: 'Counter/a' as never, outcome: 'recovered', detail: 'at record 7' },
        { actor: 'Counter/b' as never, outcome: 'waiting', detail: 'no peer runs Counter' },
      ],
    },
  ]
  expect((await cli(['reports'], { node })).out).toBe(
    '1970-01-01T00:00:00.000Z  shop-2 was lost: its port refuses\n' +
      '  5 actors: 1 recovered, 1 waiting, and 3 more\n' +
      '  Counter/b: waiting, no peer runs Counter\n',
  )
  expect((await cli(['reports', '--all'], { node })).out).toContain('Counter/a: recovered, at record 7')
  expect((await cli(['leave'], { node })).out).toBe('shop-1 has left the mesh\n')
  expect(node.asked).toEqual(['create Counter/new [3,"x"] {"keepers":5}', 'stop Counter/visits', 'leave'])
})

test('rescue and recover do nothing, and say so, until the loss is accepted', async () => {
  const node = await fakeNode()
  const asked = await cli(['rescue'], { node })
  expect(asked.code).toBe(2)
  expect(asked.out).toContain('1 of the 1 peer that kept the registry are not here: shop-2')
  expect(asked.out).toContain('Nothing was done. To go on: mesh rescue --accept-loss')
  const boot = await cli(['recover', 'shop-2'], { node })
  expect(boot.code).toBe(2)
  expect(boot.out).toContain('1 actor concerned: Counter/visits')
  expect(boot.out).toContain('To go on: mesh recover 12D3KooWFakePeerTwo/00ff --accept-loss')
  expect((await cli(['rescue', '--accept-loss'], { node })).code).toBe(0)
  expect((await cli(['recover', 'shop-2', '--accept-loss'], { node })).code).toBe(0)
  expect(node.asked).toEqual(['rescue false', 'recover shop-2 false', 'rescue true', 'recover shop-2 true'])
})

test('the data directory comes from MESH_DATA_DIR when no flag says otherwise', async () => {
  const node = await fakeNode()
  expect((await cli(['invite'], { env: { MESH_DATA_DIR: node.dataDir } })).code).toBe(0)
})

test.each([
  ['status'],
  ['members'],
  ['actors'],
  ['reports'],
  ['invite'],
  ['leave'],
  ['create', 'A/a'],
  ['stop', 'A/a'],
  ['kill', 'A/a'],
  ['delete', 'A/a'],
  ['rescue'],
  ['recover', 'shop-2'],
  ['call', 'A/a', 'm'],
])('without a node: mesh %s exits 3 and says how to start one', async (...argv) => {
  const { code, out, err } = await cli([...argv, '--data-dir', tempDir()])
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toMatch(/^mesh: no node is running in .+: start one with "mesh node --data-dir .+\n$/)
})

test.each([
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['sttus'], 'Did you mean status?'],
  [['status', '--colour'], "unknown option '--colour'"],
  [['call', 'A/a'], "missing required argument 'method'"],
  [['call', 'Counter', 'm'], 'write <type>/<name>'],
  [['call', 'A/a', 'm', '{n: 1}'], 'is not valid JSON'],
  [['call', 'A/a', 'm', '--timeout', 'soon'], 'not a duration'],
  [['stop', 'A/'], 'write <type>/<name>'],
  [['node', '--labels', 'zone'], 'not name=value'],
  [['node', '--listen', 'here'], 'not host:port'],
  [['node', '--listen', '127.0.0.1:70000'], 'not host:port'],
  [['node', '--join', '127.0.0.1:0'], 'needs the port'],
  [['node', '--join', '/ip4/127.0.0.1/udp/1'], 'not a TCP multiaddress'],
  [['node', '--secret-file', '/does/not/exist'], 'there is no file /does/not/exist'],
  [['testnet', '--peers', '2'], 'from 4 to 30'],
])('mesh %j is a usage error in one line', async (argv, says) => {
  const { code, out, err } = await cli(argv)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^mesh: .+\n$/)
  expect(err).toContain(says)
})

test('help lists every command and the exit codes, and exits 0', async () => {
  const { code, out } = await cli(['--help'])
  expect(code).toBe(0)
  for (const { summary } of COMMANDS) expect(out).toContain(summary)
  expect(out).toMatch(/Exit codes:\n +0 {2}done/)
  expect((await cli([])).code).toBe(2)
  expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
})
