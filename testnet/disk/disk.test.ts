// Real processes on disks that are full or slow: what was acknowledged stays, and nobody else stops.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createTestnet, type Testnet } from '../testnet.ts'
import { canFillDisk } from './full.ts'
import { slowDisk } from './slow.ts'

const TOKENS = 60
/** rocksdb has set room aside for what it logs: calls with this much are made until that is full, too. */
const LARGE = 'x'.repeat(256 * 1024)
const FULL_MS = 30_000
const REFUSED_PAUSE_MS = 50
const tokens = Array.from({ length: TOKENS }, (_, n) => `t${n}`)

async function hostAndCaller(net: Testnet): Promise<readonly [host: number, caller: number]> {
  await net.call(0, 'Ledger', 'a', 'tokens')
  const host = net.hostOf(await net.views(), 'Ledger', 'a')
  return [host, net.peers.find(({ index }) => index !== host)!.index]
}

/** One call after the other; `between` runs in the middle. */
async function addAll(net: Testnet, caller: number, between: () => Promise<void> | void): Promise<void> {
  for (const [n, token] of tokens.entries()) {
    if (n === TOKENS / 2) await between()
    await net.call(caller, 'Ledger', 'a', 'add', [token])
  }
}

async function allAgree(net: Testnet): Promise<void> {
  for (const { index } of net.peers) expect(await net.call(index, 'Ledger', 'a', 'tokens')).toEqual(tokens)
}

test.skipIf(!canFillDisk()).each([0, 700, 5000])(
  "the host's disk is full after %i bytes more: it stops, its actors go on, and it comes back with what it had",
  async (spare) => {
    const warnings: string[] = []
    const net = await createTestnet(3, {
      teardown: onTestFinished,
      onEvent: (_, { event, detail }) => void (event === 'warning' && warnings.push(detail.text)),
    })
    const [host, caller] = await hostAndCaller(net)
    await addAll(net, caller, () => net.fillDisk(host, spare))
    await net.waitUntil('its process has ended', () => net.peer(host).state.kind === 'stopped')
    expect(
      warnings.filter((text) => /^this peer stops: .+ Free disk space or repair the disk/.test(text)),
    ).toHaveLength(1)
    expect(net.hostOf(await net.noticed(host), 'Ledger', 'a')).not.toBe(host)
    await net.start(host)
    await net.settled()
    await allAgree(net)
  },
)

test("a keeper's disk is slow: calls go on at the speed of the others", async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  const [host, caller] = await hostAndCaller(net)
  const keeper = net.peers.find(({ index }) => index !== host && index !== caller)!.index
  await addAll(net, caller, () => net.slowDisk(keeper, 1000))
  await net.slowDisk(host, 300)
  await net.kill(caller)
  // A take-over waits for what the slow ones have to promise, and happens.
  await net.noticed(caller)
  await net.start(caller)
  await net.settled()
  await allAgree(net)
  for (const peer of [keeper, host]) await net.slowDisk(peer, 0)
})

test('a slow disk is as slow as it is told, and no slower afterwards', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'slow-disk-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = await open(join(dir, 'file'), 'w')
  onTestFinished(() => file.close())
  const took = async (sync: () => Promise<void>): Promise<number> => {
    const began = performance.now()
    await sync()
    return performance.now() - began
  }
  await slowDisk(400)
  for (const sync of [() => file.sync(), () => file.datasync()]) expect(await took(sync)).toBeGreaterThan(395)
  await slowDisk(0)
  expect(await took(() => file.sync())).toBeLessThan(395)
})

/** A small file system of its own, which takes a privilege. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

test.skipIf(!canMount())(
  'one disk for all, really full (a small tmpfs, where one may be mounted)',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'small-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200m,mode=700', 'tmpfs', dir])
    onTestFinished(() => {
      execFileSync('umount', ['-l', dir])
      rmdirSync(dir)
    })
    const net = await createTestnet(3, { dir, teardown: onTestFinished })
    const acknowledged: string[] = []
    const running = (): number => net.peers.find(({ state }) => state.kind === 'running')?.index ?? 0
    const add = async (token: string, timeoutMs = 30_000): Promise<void> => {
      await net.call(running(), 'Ledger', 'a', 'add', [token], timeoutMs)
      acknowledged.push(token)
    }
    for (const token of tokens.slice(0, TOKENS / 2)) await add(token)
    const ballast = join(dir, 'ballast')
    expect(() => writeFileSync(ballast, Buffer.alloc(200 * 1024 * 1024))).toThrow('ENOSPC')
    // Two of three: one that is left alone has nothing to write any more. A peer that is just stopping refuses at once.
    const stopped = (): number => net.peers.filter(({ state }) => state.kind === 'stopped').length
    const latest = Date.now() + FULL_MS
    for (let n = 0; stopped() < 2 && Date.now() < latest; n++)
      await add(`more-${n}-${LARGE}`, 1000).catch(() => delay(REFUSED_PAUSE_MS))
    expect(stopped()).toBeGreaterThanOrEqual(2)
    rmSync(ballast)
    // One that is just stopping would be taken for one that runs.
    for (const { index } of net.peers) await net.kill(index)
    await net.startAll()
    await net.settled()
    const end = (await net.call(2, 'Ledger', 'a', 'tokens')) as string[]
    expect(acknowledged.length).toBeGreaterThanOrEqual(TOKENS / 2)
    expect(acknowledged.filter((token) => !end.includes(token))).toEqual([])
    expect(end.length).toBe(new Set(end).size)
    await add('there is room again')
  },
)
