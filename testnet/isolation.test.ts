// Actors in worker threads of real peer processes, one of which is killed.

import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from './testnet.ts'

const actors = fileURLToPath(new URL('./test-support/isolated-ledger.ts', import.meta.url))

test('the host of actors in workers is killed in the middle of their calls: nothing acknowledged is lost or applied twice', async () => {
  const net = await createTestnet(4, { actors, teardown: onTestFinished })
  const add = (through: number, token: string): Promise<unknown> =>
    net.call(through, 'IsolatedLedger', 'x', 'add', [token])
  await add(0, 'first')
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
  const where = (await net.call(two, 'IsolatedLedger', 'x', 'where', [])) as {
    isMainThread: boolean
    restored: boolean
  }
  expect(where).toEqual({ isMainThread: false, restored: true })
})
