// Real processes: the host is killed in the middle of a stream, and while its actors are at rest. Alarms and sends:
// agenda.test.ts, threads: isolation.test.ts, snapshots: large-state.test.ts, migrations: upgrade.test.ts.

import { expect, onTestFinished, test } from 'vitest'
import type { Item, Reading, Slept } from './test-support/failover-actors.ts'
import { createTestnet } from './testnet.ts'

const actors = new URL('./test-support/failover-actors.ts', import.meta.url).href
const READER = 3

test('the host is killed in the middle of a stream: it fails with the number of items that came, and goes on from there', async () => {
  const net = await createTestnet(4, {
    actors,
    teardown: onTestFinished,
    peer: (index) => ({ labels: { side: index === READER ? 'reader' : 'source' } }),
  })
  const read = (first: number, end?: number): Promise<Reading> =>
    net.call(READER, 'Reader', 'r', 'read', ['s', first, end]) as Promise<Reading>
  const inOrder = (first: number, count: number, lines: number): readonly Item[] =>
    Array.from({ length: count }, (_, n) => ({ at: first + n, lines }))
  await net.call(READER, 'Source', 's', 'append', ['before'])
  const host = net.hostOf(await net.views(), 'Source', 's')
  const reading = read(0)
  await expect.poll(() => net.call(READER, 'Reader', 'r', 'seen'), { timeout: 30_000 }).toBeGreaterThan(50)
  expect(await net.call(READER, 'Source', 's', 'append', ['meanwhile'])).toEqual(['before', 'meanwhile'])
  await net.kill(host)
  const { items, ...end } = await reading
  expect(items.length).toBeGreaterThan(50)
  expect(items).toEqual(inOrder(0, items.length, 1)) // of the state as it was at its start
  expect(end).toEqual({ end: 'unavailable', code: 'ACTOR_UNAVAILABLE', told: items.length })
  const more = 20
  expect(await read(items.length, items.length + more)).toEqual({
    items: inOrder(items.length, more, 2),
    end: 'complete',
  })
  expect(await net.call(READER, 'Source', 's', 'append', ['after'])).toEqual(['before', 'meanwhile', 'after'])
  expect(net.hostOf(await net.views(), 'Source', 's')).not.toBe(host)
})

test('the host of actors at rest is killed: the next call finds all of each at another peer', async () => {
  const resting = new Set<string>()
  const net = await createTestnet(4, {
    actors,
    teardown: onTestFinished,
    onEvent: (_, { event, detail }) => void (event === 'actor:passivated' && resting.add(detail.name)),
  })
  const names = Array.from({ length: 12 }, (_, n) => `s${n}`)
  const noted = (n: number): readonly [string, number][] => [
    [`one of ${n}`, n],
    [`two of ${n}`, n + 1],
  ]
  // The notes of one are sent at once: it has no rest between them, and writes all of itself for the one after them.
  await Promise.all(
    names.flatMap((name, n) => noted(n).map((note) => net.call(0, 'Sleeper', name, 'note', note))),
  )
  await expect.poll(() => [...resting].sort(), { timeout: 30_000 }).toEqual([...names].sort())
  const views = await net.views()
  const host = net.hostOf(views, 'Sleeper', names[0]!)
  const lost = net.peer(host).peerId
  const other = net.peers.find(({ index }) => index !== host)!.index
  await net.kill(host)
  for (const [n, name] of names.entries()) {
    const found = (await net.call(other, 'Sleeper', name, 'look')) as Slept
    expect(found.notes).toEqual(new Map(noted(n).map(([text, at]) => [text, new Date(at)])))
    expect(found.restored).toBe(true)
    expect(found.peer).not.toBe(lost)
  }
})
