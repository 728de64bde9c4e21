// Actors in worker threads of real peer processes: threads that fail, and a host that is killed.

import { expect, onTestFinished, test } from 'vitest'
import type { Where } from './test-support/isolated-ledger.ts'
import { createTestnet } from './testnet.ts'

const actors = new URL('./test-support/isolated-ledger.ts', import.meta.url).href
/** Of a peer whose thread is free, on a busy machine. A thread that hangs is noticed after a second, at the earliest. */
const PROMPT_MS = 900

test.each(['loop', 'exit', 'throw', 'memory'] as const)(
  'a worker ends by %s: its actor goes on at the same peer, whose other actors are answered all the while',
  async (how) => {
    const net = await createTestnet(3, { actors, teardown: onTestFinished })
    const ask = (method: string, args: readonly unknown[] = []): Promise<unknown> =>
      net.call(0, 'FragileLedger', 'x', method, args)
    await ask('add', ['first'])
    const names = Array.from({ length: 12 }, (_, n) => `n${n}`)
    await Promise.all(names.map((name) => net.call(0, 'Neighbour', name, 'add')))
    const views = await net.views()
    const host = net.hostOf(views, 'FragileLedger', 'x')
    const neighbours = names.filter((name) => net.hostOf(views, 'Neighbour', name) === host)
    expect(neighbours.length).toBeGreaterThan(0)
    const before = (await ask('where')) as Where
    let over = false
    const failing = ask('fail', [how, 'second']).finally(() => {
      over = true
    })
    let slowest = 0
    let asked = 0
    while (!over) {
      const began = performance.now()
      await net.call(host, 'Neighbour', neighbours[asked++ % neighbours.length]!, 'add')
      slowest = Math.max(slowest, performance.now() - began)
    }
    expect(await failing).toBe(2)
    expect(slowest).toBeLessThan(PROMPT_MS)
    expect(await ask('tokens')).toEqual(['first', 'second'])
    const after = (await ask('where')) as Where
    expect(after).toMatchObject({ peer: before.peer, boot: before.boot, restored: true })
    expect([before.thread, after.thread]).not.toContain(0)
    expect(after.thread).not.toBe(before.thread)
  },
)

test('the host of actors in workers is killed in the middle of their calls: nothing acknowledged is lost or applied twice', async () => {
  const net = await createTestnet(4, { actors, teardown: onTestFinished })
  const add = (through: number, token: string): Promise<unknown> =>
    net.call(through, 'IsolatedLedger', 'x', 'add', [token])
  await add(0, 'first')
  const before = (await net.call(0, 'IsolatedLedger', 'x', 'where')) as Where
  const host = net.hostOf(await net.views(), 'IsolatedLedger', 'x')
  const [one, two] = net.peers.map(({ index }) => index).filter((index) => index !== host) as [number, number]
  const told = new Set<string>()
  const calls = Array.from({ length: 40 }, async (_, n) => {
    await new Promise((resolve) => setTimeout(resolve, n * 10))
    await add(n % 2 === 0 ? one : two, `t${n}`)
    told.add(`t${n}`)
  })
  await new Promise((resolve) => setTimeout(resolve, 150))
  await net.kill(host)
  await Promise.all(calls)
  const tokens = (await net.call(one, 'IsolatedLedger', 'x', 'tokens', [])) as readonly string[]
  expect(told.size).toBe(40)
  expect([...tokens].sort()).toEqual(['first', ...told].sort())
  const where = (await net.call(two, 'IsolatedLedger', 'x', 'where')) as Where
  expect(where.peer).not.toBe(before.peer)
  expect(where.restored).toBe(true)
  expect(where.thread).not.toBe(0)
})
