// A state of many megabytes, whose host is killed while a snapshot of it is on its way.

import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from './testnet.ts'
import { answering, isWhole } from './view.ts'

const actors = fileURLToPath(new URL('./test-support/large-actors.ts', import.meta.url))
const BLOBS = 24
/** After the last call: as the snapshot begins, and near its end. */
const MOMENTS_MS = [1400, 1900]

test('the host is killed in the middle of a snapshot of 12 MB: the former one and what followed it are recovered', {
  timeout: 240_000,
}, async () => {
  const net = await createTestnet(4, { actors, teardown: onTestFinished })
  const call = (method: string, ...args: readonly unknown[]): Promise<unknown> => {
    const through = net.peers.find(({ state }) => state.kind === 'running')!.index
    return net.call(through, 'Large', 'x', method, args, 120_000)
  }
  for (let n = 0; n < BLOBS; n += 6) await call('fill', n, n + 6)
  const tokens: string[] = []
  for (const ms of MOMENTS_MS) {
    tokens.push(`before ${ms}`)
    await call('add', tokens.at(-1))
    await new Promise((resolve) => setTimeout(resolve, ms))
    const host = net.hostOf(await net.views(), 'Large', 'x')
    await net.kill(host)
    tokens.push(`after ${ms}`)
    await call('add', tokens.at(-1))
    expect(await call('look')).toEqual({ tokens, sums: Array.from({ length: BLOBS }, (_, n) => n) })
    await net.start(host)
    await net.settled()
    await net.waitUntil('every actor has its copies on live peers', (views) =>
      answering(views).every(({ seen }) => isWhole(seen)),
    )
  }
})
