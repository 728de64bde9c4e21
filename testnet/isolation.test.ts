// Actors in worker threads of real peer processes: threads that fail, and a host that is killed.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Where } from './test-support/isolated-ledger.ts'
import { createTestnet, type Testnet } from './testnet.ts'

const actors = new URL('./test-support/isolated-ledger.ts', import.meta.url).href
/** Of one neighbour after the other, while a thread is busy that goes on only when they have come. */
const ANSWERS = 20

/** Neighbours of an actor, at its host. */
async function neighboursOf(net: Testnet, host: number): Promise<readonly string[]> {
  const names = Array.from({ length: 12 }, (_, n) => `n${n}`)
  await Promise.all(names.map((name) => net.call(0, 'Neighbour', name, 'add')))
  const views = await net.views()
  const neighbours = names.filter((name) => net.hostOf(views, 'Neighbour', name) === host)
  expect(neighbours.length).toBeGreaterThan(0)
  return neighbours
}

test('a worker awaits nothing: the other actors of its peer are answered before it goes on', async () => {
  const net = await createTestnet(3, { actors, teardown: onTestFinished })
  await net.call(0, 'PatientLedger', 'x', 'add', ['first'])
  const host = net.hostOf(await net.views(), 'PatientLedger', 'x')
  const neighbours = await neighboursOf(net, host)
  const [begun, enough] = [join(net.dir, 'begun'), join(net.dir, 'enough')]
  const through = net.peers.find(({ index }) => index !== host)!.index
  const busy = net.call(through, 'PatientLedger', 'x', 'busyUntil', [begun, enough, 'second'])
  await expect.poll(() => existsSync(begun), { timeout: 30_000 }).toBe(true)
  for (let n = 0; n < ANSWERS; n++)
    await net.call(host, 'Neighbour', neighbours[n % neighbours.length]!, 'add', [], 20_000)
  writeFileSync(enough, '')
  expect(await busy).toBe(2)
})

test.each(['loop', 'exit', 'throw', 'memory'] as const)(
  'a worker ends by %s: its actor goes on at the same peer, whose other actors are answered all the while',
  async (how) => {
    const net = await createTestnet(3, { actors, teardown: onTestFinished })
    const ask = (method: string, args: readonly unknown[] = []): Promise<unknown> =>
      net.call(0, 'FragileLedger', 'x', method, args)
    await ask('add', ['first'])
    const host = net.hostOf(await net.views(), 'FragileLedger', 'x')
    const neighbours = await neighboursOf(net, host)
    const before = (await ask('where')) as Where
    let over = false
    const failing = ask('fail', [how, 'second']).finally(() => {
      over = true
    })
    for (let asked = 0; !over; asked++)
      await net.call(host, 'Neighbour', neighbours[asked % neighbours.length]!, 'add')
    expect(await failing).toBe(2)
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
