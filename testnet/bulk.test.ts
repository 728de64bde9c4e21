// Many bytes between real processes, over the real network.

import { expect, onTestFinished, test, vi } from 'vitest'
import { defaultMeshSettings } from '../node/index.ts'
import { createTestnet } from './testnet.ts'
import { answering, isSettled } from './view.ts'

const MB = 1024 * 1024
/**
 * Encoding 60 MB takes a process some 0.1 s at a stretch, and many times that on a machine that is busy with other things.
 * Five times the usual patience tells that from a heartbeat that has to wait for the end of 60 MB on the same link.
 */
const PATIENCE = 5
const { membership, headTimeoutMs, candidateStaggerMs, stickinessMs } = defaultMeshSettings
const settings = {
  membership: {
    ...membership,
    probeTimeoutMs: PATIENCE * membership.probeTimeoutMs,
    suspicionMinMs: PATIENCE * membership.suspicionMinMs,
    suspicionMaxMs: PATIENCE * membership.suspicionMaxMs,
  },
  headTimeoutMs: PATIENCE * headTimeoutMs,
  candidateStaggerMs: PATIENCE * candidateStaggerMs,
  stickinessMs: PATIENCE * stickinessMs,
}

test('arguments and results of 60 MB pass and nobody is taken for dead, larger ones are refused at once, and generators end with their host', {
  timeout: 400_000,
}, async () => {
  const events: string[] = []
  const net = await createTestnet(4, {
    teardown: onTestFinished,
    peer: () => ({ settings }),
    actors: new URL('./bulk/actors.ts', import.meta.url).href,
    onEvent: (index, event) => void events.push(`${index} ${JSON.stringify(event)}`),
  })
  const call = (name: string, method: string, ...args: readonly unknown[]): Promise<unknown> =>
    net.call(0, 'Bulk', name, method, args, 120_000)
  // Actors at different peers.
  const names = new Map<unknown, string>()
  for (let n = 0; names.size < 2 && n < 50; n++) {
    const peer = await call(`bulk-${n}`, 'peer')
    if (!names.has(peer)) names.set(peer, `bulk-${n}`)
  }
  const [one, two] = [...names.values()] as [string, string]
  // A start ends with the registry at three peers and its head the one with the lowest ID.
  const started = await net.waitUntil('the mesh has come to rest', (views) => {
    const seen = answering(views).map((view) => view.seen)
    const lowest = seen.map(({ status }) => status.peerId).sort()[0]
    const atRest = seen.every(({ status }) => status.head?.peerId === lowest && status.registryKeepers === 3)
    return isSettled(views) && atRest
  })
  const terms = started.map(({ seen }) => seen?.status.term)
  events.length = 0

  expect(await call(one, 'exchange', two, 60 * MB)).toBe(true)
  for (const way of ['argument', 'result']) {
    const { code, executed, ms } = (await call(one, 'refused', two, 65 * MB, way)) as Record<string, unknown>
    expect([code, executed]).toEqual(['TOO_LARGE', 'no'])
    expect(ms).toBeLessThan(way === 'argument' ? 5000 : 20_000)
  }
  expect(await call(one, 'consume', two, 50, MB)).toEqual({ blocks: 50, end: 'complete' })
  expect(events).toEqual([]) // no peer lost, no new head, nobody deposed
  const views = await net.settled()
  expect(views.map(({ seen }) => seen?.status.term)).toEqual(terms)
  expect(views.flatMap(({ seen }) => seen?.reports ?? [])).toEqual([])

  const host = net.hostOf(views, 'Bulk', two)
  const consumer = net.hostOf(views, 'Bulk', one)
  const through = [0, 1, 2, 3].find((index) => index !== host && index !== consumer) as number
  const consuming = net.call(through, 'Bulk', one, 'consume', [two, 1_000_000, MB / 4], 120_000)
  // Lost before its first block it would begin again elsewhere, and go on for ever.
  const begun = async (): Promise<void> =>
    expect(await net.call(through, 'Bulk', one, 'seen')).toBeGreaterThan(50)
  await vi.waitFor(begun, { timeout: 60_000, interval: 100 })
  await net.kill(host)
  const { blocks, end } = (await consuming) as { readonly blocks: number; readonly end: string }
  expect(blocks).toBeGreaterThan(50)
  expect(end).toBe(`ACTOR_UNAVAILABLE ${blocks}`)
})
