// Everything a person can get wrong on the command line, with the real program in processes of their own: one clear line,
// the exit code that the help promises, nothing on stdout, no stack trace, and with --verbose a stack trace.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/mesh.mjs', import.meta.url))
const ACTORS = `
import { Actor } from 'actor-mesh'
export class Counter extends Actor {
  state = { count: 0 }
  increment(by = 1) { this.state.count += by; return this.state.count }
  spoil() { this.state.settings = { handlers: [1, () => 2] } }
  fail() { this.state.count = 99; throw new RangeError('no such shelf') }
}`

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

let dir = ''
let node: ChildProcess | undefined
let taken: Server | undefined
const at = (name: string): string => join(dir, name)

function mesh(...argv: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [BIN, ...argv], { cwd: dir }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bad-input-'))
  writeFileSync(at('package.json'), '{ "type": "module" }')
  writeFileSync(at('actors.js'), ACTORS)
  writeFileSync(at('throws.js'), "throw new Error('no database')")
  writeFileSync(at('plain.js'), 'export class Plain {}')
  writeFileSync(
    at('twice.js'),
    `${ACTORS}\nexport class Second extends Actor { static actorName = 'Counter' }`,
  )
  writeFileSync(at('wrong.secret'), '0'.repeat(64), { mode: 0o600 })
  writeFileSync(at('short.secret'), 'abc', { mode: 0o600 })
  writeFileSync(at('a-file'), 'x')
  mkdirSync(at('garbage/store'), { recursive: true })
  writeFileSync(at('garbage/identity.key'), 'garbage', { mode: 0o600 })
  chmodSync(at('garbage'), 0o700)
  taken = await new Promise<Server>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
  })
  node = spawn(process.execPath, [BIN, 'node', '--data-dir', 'up', '--actors', './actors.js', '--json'], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await vi.waitFor(async () => expect((await mesh('status', '--data-dir', 'up')).code).toBe(0), {
    timeout: 30_000,
    interval: 200,
  })
  // A data directory that belongs to another mesh, and is free.
  const other = spawn(process.execPath, [BIN, 'node', '--data-dir', 'other'], { cwd: dir, stdio: 'ignore' })
  await vi.waitFor(async () => expect((await mesh('status', '--data-dir', 'other')).code).toBe(0), {
    timeout: 30_000,
    interval: 200,
  })
  await mesh('leave', '--data-dir', 'other')
  if (other.exitCode === null) await new Promise((resolve) => other.once('exit', resolve))
})

afterAll(async () => {
  taken?.close()
  if (node && node.exitCode === null) {
    const ended = new Promise((resolve) => node?.once('exit', resolve))
    node.kill('SIGKILL')
    await ended
  }
  rmSync(dir, { recursive: true, force: true })
})

const address = (): string => {
  const { port } = (taken as Server).address() as { port: number }
  return `127.0.0.1:${port}`
}
const invite = async (): Promise<string> =>
  (JSON.parse((await mesh('invite', '--data-dir', 'up', '--json')).out) as { invite: string }).invite
const memberAddress = async (): Promise<string> => {
  const { out } = await mesh('members', '--data-dir', 'up', '--json')
  return (JSON.parse(out) as [{ addresses: [string] }])[0].addresses[0]
}

const up = ['--data-dir', 'up']
const fresh = ['node', '--data-dir', 'fresh']

/** What is typed, the exit code, and what the line must say. */
const CASES: readonly (readonly [
  what: string,
  argv: readonly string[] | (() => Promise<readonly string[]>),
  code: number,
  says: string | RegExp,
])[] = [
  ['an unknown command', ['nod'], 2, "unknown command 'nod'"],
  ['an unknown flag', [...fresh, '--lisen', 'x'], 2, "unknown option '--lisen'"],
  ['a flag without its value', ['node', '--listen'], 2, 'argument missing'],
  ['a word too many', ['status', 'now'], 2, 'too many arguments'],
  ['a wrong address', [...fresh, '--listen', 'nonsense'], 2, '--listen'],
  ['a port out of range', [...fresh, '--listen', '127.0.0.1:99999'], 2, '99999'],
  ['a wrong label', [...fresh, '--labels', 'zone'], 2, 'zone'],
  ['a wrong invite', [...fresh, '--invite', 'mesh1-abc'], 2, 'invite'],
  ['a secret file that is not there', [...fresh, '--secret-file', 'none'], 2, '--secret-file'],
  ['a secret file with no secret in it', [...fresh, '--secret-file', 'short.secret'], 2, '32 bytes'],
  ['--join without a secret', [...fresh, '--join', '127.0.0.1:1'], 2, 'mesh invite'],
  ['a wrong duration', ['call', 'A/a', 'm', '--timeout', 'soon'], 2, '--timeout'],
  ['an actor without a name', ['call', 'Counter', 'value', ...up], 2, '<type>/<name>'],
  ['an argument that is not JSON', ['call', 'Counter/a', 'increment', '{n:1}', ...up], 2, 'not valid JSON'],
  ['a testnet of none', ['testnet', '--peers', '0'], 2, '--peers'],
  ['packets lost on the network of the machine', ['chaos', '--faults', 'packet-loss'], 2, 'add --netns'],
  ['a port in use', async () => [...fresh, '--listen', address()], 6, /in use/],
  ["an address that is not this machine's", [...fresh, '--listen', '192.0.2.1:4001'], 2, '192.0.2.1'],
  [
    'nobody to join',
    [...fresh, '--join', '127.0.0.1:1', '--secret-file', 'wrong.secret'],
    7,
    /127.0.0.1.*refused/,
  ],
  [
    'a wrong secret',
    async () => [...fresh, '--join', await memberAddress(), '--secret-file', 'wrong.secret'],
    5,
    'different mesh secrets',
  ],
  ['a data directory in use', ['node', ...up], 4, /in use|already running/],
  ['a data directory that is a file', ['node', '--data-dir', 'a-file'], 4, 'a-file'],
  ['a damaged data directory', ['node', '--data-dir', 'garbage'], 4, 'identity'],
  [
    'a data directory of another mesh',
    async () => ['node', '--data-dir', 'other', '--invite', await invite()],
    4,
    'belongs to mesh',
  ],
  ['an actors module that is not there', [...fresh, '--actors', './none.js'], 8, 'none.js'],
  ['an actors module that throws', [...fresh, '--actors', './throws.js'], 8, 'no database'],
  ['an actors module without actors', [...fresh, '--actors', './plain.js'], 8, 'extends Actor'],
  ['two actors of one name', [...fresh, '--actors', './twice.js'], 2, 'named Counter'],
  ['no node there', ['status', '--data-dir', 'nowhere'], 3, 'no node is running'],
  ['an unknown type', ['call', 'Nobody/a', 'value', ...up], 1, /Nobody.*known are Counter/],
  ['an unknown method', ['call', 'Counter/a', 'decrement', ...up], 1, /decrement.*increment/],
  ['an unknown actor', ['stop', 'Counter/nobody', ...up], 2, 'mesh actors'],
  ["a method's own error", ['call', 'Counter/a', 'fail', ...up], 1, /RangeError.*no such shelf/],
  ['a state that cannot be kept', ['call', 'Counter/a', 'spoil', ...up], 1, /settings.*handlers.*1/],
]

test.each(CASES)('%s', async (_what, argv, code, says) => {
  const words = typeof argv === 'function' ? await argv() : argv
  const result = await mesh(...words)
  expect(result.err).toMatch(says)
  expect(result).toMatchObject({ code, out: '' })
  const lines = result.err.trimEnd().split('\n')
  expect(lines, result.err).toHaveLength(1)
  expect(lines[0]).toMatch(/^mesh: /)
})

test('with --verbose the stack trace follows the line', async () => {
  const { code, err } = await mesh('node', '--data-dir', 'a-file', '--verbose')
  expect(code).toBe(4)
  expect(err).toMatch(/^mesh: .*a-file.*\n(.*\n)*\s+at /)
})

test('the node they were tried on is well, and what was acknowledged is there', async () => {
  expect(JSON.parse((await mesh('call', 'Counter/a', 'increment', '2', ...up)).out)).toBe(2)
  const { out } = await mesh('status', '--data-dir', 'up', '--json')
  expect(JSON.parse(out)).toMatchObject({ members: 1, isHead: true })
  expect(readFileSync(at('up/mesh.secret'), 'utf8')).toMatch(/^[\w-]{43}\n$/)
})
