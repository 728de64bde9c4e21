// Each example as a user would run it, and its actors under kill -9.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestnet } from '../testnet/testnet.ts'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

function runProgram(argv: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, { timeout: 50_000 }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${error.message}\n${out}${err}`)),
    )
  })
}

test('immortal-actor.ts: the eleventh value comes on top of the ten before the crash', async () => {
  expect(await runProgram([path('./immortal-actor.ts')])).toMatch(
    /^10 values processed on peer-\d; peer-\d crashes now\nprocessed 11, total 66, restarts 1\n$/,
  )
})

test('ImmortalActor survives kill -9 of its host, again and again', async () => {
  const net = await createTestnet(4, {
    teardown: onTestFinished,
    actors: new URL('./immortal-actor.ts', import.meta.url).href,
  })
  let total = 0
  for (let round = 1; round <= 3; round += 1) {
    for (let value = 1; value <= 5; value += 1) {
      total += value
      const up = net.peers.find((peer) => peer.state.kind === 'running')!
      expect(await net.call(up.index, 'ImmortalActor', 'one', 'process', [value])).toMatchObject({ total })
    }
    const host = net.hostOf(await net.views(), 'ImmortalActor', 'one')
    await net.kill(host)
    const survivor = net.peers.find((peer) => peer.state.kind === 'running')!
    expect(await net.call(survivor.index, 'ImmortalActor', 'one', 'story')).toEqual({
      restarts: round,
      restored: true,
    })
    await net.start(host)
    await net.settled()
  }
})

test('worker-controller.ts: both ways complete the task with every state restored', async () => {
  const out = await runProgram([path('./worker-controller.ts')])
  expect(out).toContain('a worker died: new workers')
  expect(out).toContain('as in the origin: 30 300 3000 30000\n')
  expect(out).toContain('without any of it: 30 300 3000 30000\n')
})

test('checkpoint-ways.ts: four ways, each with everything after a crash of its host', async () => {
  const out = await runProgram([path('./checkpoint-ways.ts')])
  const ways = ['on disks', 'on synced disks', 'in the kv store', 'in an actor on the head']
  expect(out.split('\n').map((line) => line.split(', after')[0])).toEqual([
    ...ways.map((way) => `${way}: 66`),
    '',
  ])
})

test('http-app.ts: a cart survives kill -9 of one of three instances', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'http-app-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const instance = async (name: string, invite?: string): Promise<{ child: ChildProcess; url: string }> => {
    const env = {
      ...process.env,
      DATA_DIR: join(dir, name),
      PORT: '0',
      ...(invite !== undefined && { INVITE: invite }),
    }
    const child = spawn(process.execPath, [path('./http-app.ts')], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk
    })
    const port = await vi.waitFor(
      () => /"port":(\d+)/.exec(out)?.[1] ?? Promise.reject(new Error(out)),
      30_000,
    )
    return { child, url: `http://127.0.0.1:${port}` }
  }
  const get = async (url: string): Promise<unknown> => (await fetch(url)).json()

  const a = await instance('a')
  const { invite } = JSON.parse(
    await runProgram([path('../bin/mesh.mjs'), 'invite', '--data-dir', join(dir, 'a'), '--json']),
  ) as { invite: string }
  const b = await instance('b', invite)
  const c = await instance('c', invite)
  for (const { url } of [a, b, c])
    await vi.waitFor(
      async () => expect(await get(`${url}/health`)).toMatchObject({ admitted: true, members: 3 }),
      30_000,
    )

  const add = (url: string, body: unknown): Promise<Response> =>
    fetch(`${url}/carts/42`, { method: 'POST', body: JSON.stringify(body) })
  expect(await (await add(a.url, { sku: 'A1', n: 2 })).json()).toEqual({ A1: 2 })
  expect(await (await add(b.url, { sku: 'B7', n: 1 })).json()).toEqual({ A1: 2, B7: 1 })
  expect((await add(c.url, { sku: 'B7', n: -1 })).status).toBe(400)

  const hosts = await Promise.all(
    [a, b, c].map(async (each) => ({
      each,
      here: (await get(`${each.url}/health`)) as { actorsHere: number },
    })),
  )
  const host = hosts.find(({ here }) => here.actorsHere === 1)!.each
  host.child.kill('SIGKILL')
  const [survivor, other] = [a, b, c].filter((each) => each !== host)
  expect(await get(`${survivor!.url}/carts/42`)).toEqual({ A1: 2, B7: 1 })
  expect(await (await add(other!.url, { sku: 'A1', n: 1 })).json()).toEqual({ A1: 3, B7: 1 })
})
