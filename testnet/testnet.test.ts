// The testnet itself: what it says when a condition is not met, and that it leaves nothing behind.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestnet } from './testnet.ts'

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a condition that is not met shows every peer, the dead and the frozen too', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  await net.kill(1)
  net.freeze(2)
  const failure = await net
    .waitUntil('pigs fly', () => false, 300)
    .catch((error: unknown) => (error as Error).message)
  expect(failure).toMatch(/^after 300 ms, not: pigs fly\n/)
  // The head may be unknown: with one of three killed and one frozen nobody can take over.
  expect(failure).toMatch(/^peer 0 \(\w{6}\): running\n {2}head \w+ term \d+ admitted true/m)
  expect(failure).toMatch(/^peer 1 \(\w{6}\): SIGKILL$/m)
  expect(failure).toMatch(/^peer 2 \(\w{6}\): frozen$/m)
  expect(failure).toContain('--- log of peer 2')
})

test('a peer keeps its port and its identity over a restart, and loses only its identity with its disk', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  const { peerId, addresses } = net.peer(1)
  await net.restart(1)
  expect([net.peer(1).peerId, net.peer(1).addresses]).toEqual([peerId, addresses])
  await net.restart(1, { wipe: true })
  expect(net.peer(1).peerId).not.toBe(peerId)
  expect(net.peer(1).addresses).toEqual(addresses)
  await net.settled()
})

test('the end kills every process, frozen ones too, and removes every file', async () => {
  const net = await createTestnet(3)
  const pids = net.peers.map((peer) => peer.pid as number)
  net.freeze(1)
  await net.end()
  expect(pids.filter(isAlive)).toEqual([])
  expect(existsSync(net.dir)).toBe(false)
})

test('TESTNET_LOGS keeps what the peers said beyond the end', async () => {
  const kept = mkdtempSync(join(tmpdir(), 'mesh-kept-logs-'))
  onTestFinished(() => rmSync(kept, { recursive: true, force: true }))
  vi.stubEnv('TESTNET_LOGS', kept)
  vi.stubEnv('TESTNET_LOG_LEVEL', 'debug')
  onTestFinished(() => void vi.unstubAllEnvs())
  const net = await createTestnet(1)
  await net.end()
  expect(readFileSync(join(kept, basename(net.dir), 'peer-0.log'), 'utf8')).toContain('"msg":"head"')
})

test('peers end when the process that started them is killed', async () => {
  const script = `
    import { createTestnet } from ${JSON.stringify(new URL('./testnet.ts', import.meta.url).href)}
    const net = await createTestnet(2)
    process.stdout.write(JSON.stringify({ pids: net.peers.map((peer) => peer.pid), dir: net.dir }))`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void holder.kill('SIGKILL'))
  let out = ''
  holder.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  const { pids, dir } = await vi.waitFor(() => JSON.parse(out) as { pids: number[]; dir: string }, 30_000)
  onTestFinished(async () => (await import('node:fs/promises')).rm(dir, { recursive: true, force: true }))
  expect(pids.filter(isAlive)).toHaveLength(2)
  holder.kill('SIGKILL')
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 5_000)
})
