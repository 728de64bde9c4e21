// A testnet that stays, used as one would by hand: the real program and real peers.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { BackgroundTestnet } from '../testnet/background/client.ts'
import { readTestnet } from '../testnet/background/state.ts'
import type { BackgroundStatus } from '../testnet/background/wire.ts'
import { cli, startCli, tempDir } from './test-support/run-cli.ts'

const BIN = fileURLToPath(new URL('../bin/mesh.mjs', import.meta.url))

interface Done {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** `mesh testnet …` in a process of its own, which ends: what it started goes on without it. */
const program = (dir: string, ...argv: readonly string[]): Promise<Done> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [BIN, 'testnet', ...argv, '--dir', dir], (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
const testnet = (dir: string, ...argv: readonly string[]): Promise<Done> =>
  cli(['testnet', ...argv, '--dir', dir])
const seen = async (dir: string): Promise<BackgroundStatus> =>
  JSON.parse((await testnet(dir, 'ls', '--json')).out) as BackgroundStatus
const mesh = (dir: string, peer: number, ...argv: readonly string[]): Promise<Done> =>
  cli([...argv, '--data-dir', join(dir, `peer-${peer}`)])

function newDir(): string {
  const dir = join(tempDir(), 'net')
  onTestFinished(async () => {
    if (existsSync(dir)) await new BackgroundTestnet(dir).down().catch(() => {})
  })
  return dir
}

test('a day with a testnet: up, calls, faults, logs, down', async () => {
  const dir = newDir()
  const up = await program(dir, 'up', '--peers', '3')
  expect(up).toMatchObject({ code: 0, err: '' })
  expect(up.out).toContain(`mesh status --data-dir ${dir}/peer-0`)
  expect(statSync(join(dir, 'control.sock')).mode & 0o777).toBe(0o600)
  expect(await program(dir, 'up')).toMatchObject({
    code: 4,
    err: `mesh: a testnet is up in ${dir} already: see it with "mesh testnet ls", end it with "mesh testnet down"\n`,
  })

  expect(await mesh(dir, 0, 'wait', '--for', 'members=3,head')).toMatchObject({ code: 0 })
  expect(await mesh(dir, 1, 'call', 'Ledger/a', 'add', 'first')).toMatchObject({ code: 0 })
  expect(await mesh(dir, 0, 'wait', '--for', 'replicas-ok')).toMatchObject({ code: 0 })

  expect(await testnet(dir, 'kill', 'peer-2')).toMatchObject({ code: 0, out: 'peer 2 is killed\n' })
  expect(await mesh(dir, 0, 'wait', '--for', 'members=2')).toMatchObject({ code: 0 })
  expect((await seen(dir)).peers[2]).toMatchObject({ process: 'SIGKILL', name: 'peer-2' })
  expect(await testnet(dir, 'kill', '2')).toMatchObject({
    code: 1,
    err: 'mesh: peer 2 is not running (SIGKILL), it has to be running or frozen\n',
  })
  expect((await mesh(dir, 0, 'call', 'Ledger/a', 'tokens')).out).toContain('first')
  expect(await testnet(dir, 'start', '2')).toMatchObject({ code: 0, out: 'peer 2 is started\n' })

  expect(await testnet(dir, 'freeze', '1')).toMatchObject({ code: 0 })
  expect((await testnet(dir, 'ls')).out).toMatch(/peer-1 +\d+ +frozen/)
  expect(await testnet(dir, 'thaw', '1')).toMatchObject({ code: 0 })
  expect(await testnet(dir, 'thaw', '1')).toMatchObject({
    code: 1,
    err: 'mesh: peer 1 is running, it has to be frozen\n',
  })

  expect(await testnet(dir, 'cut', '0', '1', '--one-way')).toMatchObject({ code: 0, out: 'cut: 0 → 1\n' })
  expect(await testnet(dir, 'cut', '0', '2')).toMatchObject({ code: 0, out: 'cut: 0 ↔ 2\n' })
  expect((await seen(dir)).cuts).toEqual([
    { from: 0, to: 1 },
    { from: 0, to: 2 },
    { from: 2, to: 0 },
  ])
  expect((await testnet(dir, 'ls')).out).toContain('cut: 0 → 1, 0 → 2, 2 → 0\n')
  expect(await testnet(dir, 'heal')).toMatchObject({ code: 0 })
  expect(await mesh(dir, 0, 'wait', '--for', 'members=3,head,replicas-ok')).toMatchObject({ code: 0 })

  for (const argv of [
    ['kill', '7'],
    ['logs', '3'],
    ['cut', '0', '3'],
  ])
    expect(await testnet(dir, ...argv)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^mesh: there is no peer \d in this testnet: it has .*\n$/),
    })
  expect(await testnet(dir, 'cut', '1', '1')).toMatchObject({ code: 2 })
  expect(await testnet(dir, 'kill', 'one')).toMatchObject({ code: 2 })

  const logs = await testnet(dir, 'logs', '0', '--lines', '3')
  expect(logs.out.trim().split('\n')).toHaveLength(3)
  expect(logs.out).toMatch(/^peer-0 \d\d:\d\d:\d\d\.\d{3} /)
  const following = startCli(['testnet', 'logs', '-f', '--lines', '0', '--dir', dir])
  await testnet(dir, 'kill', '2')
  await expect.poll(following.out, { timeout: 10_000 }).toMatch(/^peer-[01] /m)

  const peers = (await seen(dir)).peers.flatMap(({ pid }) => pid ?? [])
  expect(await testnet(dir, 'down')).toMatchObject({ code: 0, out: `${dir} is down\n` })
  expect(await following.exit).toBe(0)
  expect(existsSync(dir)).toBe(false)
  for (const pid of peers) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(await testnet(dir, 'ls')).toMatchObject({
    code: 3,
    err: `mesh: no testnet is up in ${dir}: start one with "mesh testnet up", or name another with --dir\n`,
  })
}, 120_000)

test('what is left of one that was killed is removed on request, with peers that were frozen, and nothing else is', async () => {
  const dir = newDir()
  expect(await program(dir, 'up', '--peers', '2')).toMatchObject({ code: 0 })
  const { pid, peers } = await seen(dir)
  await testnet(dir, 'freeze', '1')
  process.kill(pid, 'SIGKILL')
  const [running, frozen] = peers.map((peer) => peer.pid!)
  await expect.poll(() => isAlive(running!), { timeout: 10_000 }).toBe(false)
  expect(await program(dir, 'up')).toMatchObject({
    code: 4,
    err: `mesh: ${dir} has what is left of a testnet that was killed: remove it with "mesh testnet down --dir ${dir}"\n`,
  })
  writeFileSync(join(dir, 'notes.txt'), 'mine')
  expect(await testnet(dir, 'down')).toMatchObject({ code: 0 })
  await expect.poll(() => isAlive(frozen!), { timeout: 10_000 }).toBe(false)
  expect(readdirSync(dir)).toEqual(['notes.txt'])
}, 60_000)

test('a directory with something else in it is not used, and a start that fails leaves nothing', async () => {
  const taken = tempDir()
  writeFileSync(join(taken, 'thesis.md'), '')
  expect(await program(taken, 'up')).toMatchObject({
    code: 4,
    err: `mesh: ${taken} is not empty (thesis.md): a testnet needs a directory of its own\n`,
  })
  expect(await program(newDir(), 'up', '--actors', 'nowhere.js')).toMatchObject({ code: 8 })

  const dir = newDir()
  const actors = join(tempDir(), 'actors.mjs')
  // Loads here, and in no peer.
  writeFileSync(
    actors,
    "import { Actor } from 'actor-mesh'\nif (process.send) throw new Error('not in a peer')\nexport class A extends Actor {}\n",
  )
  const failed = await program(dir, 'up', '--actors', actors)
  expect(failed).toMatchObject({ code: 1, out: '' })
  expect(failed.err).toContain('not in a peer')
  expect(existsSync(dir)).toBe(false)
}, 60_000)

test('a Ctrl-C while it starts ends all of it', async () => {
  const dir = newDir()
  const starting = startCli(['testnet', 'up', '--peers', '3', '--dir', dir])
  await expect.poll(() => existsSync(join(dir, 'peer-0')), { timeout: 20_000 }).toBe(true)
  starting.signal()
  await expect.poll(() => starting.exits, { timeout: 20_000 }).toEqual([130])
  expect(existsSync(dir)).toBe(false)
  await starting.exit
}, 60_000)

test('no testnet where none was ever: every command says so, and makes nothing', async () => {
  const dir = newDir()
  const all = [['ls'], ['kill', '0'], ['freeze', '0'], ['thaw', '0'], ['start', '0'], ['cut', '0', '1']]
  for (const argv of [...all, ['heal'], ['logs'], ['down']]) {
    const { code, err } = await testnet(dir, ...argv)
    expect({ argv, code }).toEqual({ argv, code: 3 })
    expect(err).toMatch(/^mesh: no testnet is up in .*\n$/)
  }
  mkdirSync(dir)
  expect(readTestnet(dir)).toBeUndefined()
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
