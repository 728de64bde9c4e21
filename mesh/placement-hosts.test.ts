import fc from 'fast-check'
import { expect, test } from 'vitest'
import { actorKey, bootId, peerId, peerOfBoot } from './ids.ts'
import { Occupancy } from './occupancy.ts'
import { assignHomes, chooseHost, type HostActor, type HostCandidate } from './placement.ts'

const busyWith = (actors: number): Occupancy => {
  const occupancy = new Occupancy()
  for (let i = 0; i < actors; i++) occupancy.count({ type: 'Any' }, { load: 1, room: 1 })
  return occupancy
}
const host = (
  peer: string,
  { actors = 0, ...change }: Partial<HostCandidate> & { actors?: number } = {},
): HostCandidate => ({
  boot: bootId(peerId(peer), '1'),
  peer: peerId(peer),
  live: true,
  leaving: false,
  canHost: true,
  labels: {},
  types: ['Counter'],
  head: false,
  occupancy: busyWith(actors),
  ...change,
})
const actor = (name: string, change: Partial<HostActor> = {}): HostActor => ({
  key: actorKey('Counter', name),
  type: 'Counter',
  labels: {},
  ...change,
})
const choose = (candidates: HostCandidate[], prefer: string[] = [], asked = actor('x')) => {
  const boot = chooseHost({ candidates, actor: asked, prefer: prefer.map(peerId) })
  return boot === undefined ? undefined : peerOfBoot(boot)
}

test.each([
  ['nobody', [], undefined],
  ['dead', [host('a', { live: false })], undefined],
  ['leaving', [host('a', { leaving: true })], undefined],
  ['declines to host', [host('a', { canHost: false })], undefined],
  ['cannot run the type', [host('a', { types: ['Other'] })], undefined],
  ['the less busy', [host('a', { actors: 3 }), host('b', { actors: 2 })], 'b'],
])('%s', (_, candidates, expected) => {
  expect(choose(candidates)).toBe(expected)
})

test('labels: all of them, with their values', () => {
  const gpu = actor('x', { labels: { gpu: 'yes', zone: 'north' } })
  expect(choose([host('a', { labels: { gpu: 'yes' } })], [], gpu)).toBeUndefined()
  expect(choose([host('a', { labels: { gpu: 'no', zone: 'north' } })], [], gpu)).toBeUndefined()
  expect(choose([host('a', { labels: { gpu: 'yes', zone: 'north', disk: 'ssd' } })], [], gpu)).toBe('a')
  expect(choose([host('a')], [], actor('x', { labels: { constructor: 'yes' } }))).toBeUndefined()
})

test('a holder of the journal wins until it is half as busy again as the mean and a few more', () => {
  const mesh = (busy: number) => [
    host('a', { actors: busy }),
    host('b', { actors: 10 }),
    host('c', { actors: 10 }),
  ]
  expect(choose(mesh(20), ['a'])).toBe('a') // mean 13.3: up to 24
  expect(choose(mesh(60), ['a'])).not.toBe('a') // mean 26.7: up to 44
  expect(choose(mesh(20), ['a', 'b'])).toBe('b')
  expect(choose(mesh(20), ['gone'])).not.toBe('a')
})

test('any batch: able homes, nothing left out that has one, evenly spread over equal hosts', () => {
  const hosts = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(hosts, fc.nat(80), fc.nat(20), (peers, count, already) => {
      const candidates = peers.map((peer) => host(peer, { actors: already }))
      const actors = Array.from({ length: count }, (_, i) => actor(`${i}`))
      const homes = assignHomes(actors, candidates)
      expect(homes.size).toBe(count)
      const loads = candidates.map((c) => [...homes.values()].filter((boot) => boot === c.boot).length)
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
    }),
    { numRuns: 300 },
  )
})

test('any batch with holders: the busiest stays within the holders’ margin', () => {
  const load = fc.nat(30)
  fc.assert(
    fc.property(
      fc.array(load, { minLength: 2, maxLength: 8 }),
      fc.nat(100),
      fc.nat(7),
      (loads, count, at) => {
        const candidates = loads.map((actors, i) => host(`p${i}`, { actors }))
        const prefer = [peerId(`p${at % loads.length}`)]
        const homes = assignHomes(
          Array.from({ length: count }, (_, i) => ({ ...actor(`${i}`), prefer })),
          candidates,
        )
        const after = candidates.map(
          (c) => c.occupancy.load + [...homes.values()].filter((boot) => boot === c.boot).length,
        )
        const mean = after.reduce((sum, n) => sum + n, 0) / after.length
        candidates.forEach((c, i) => {
          expect(after[i]).toBeLessThanOrEqual(Math.max(c.occupancy.load, 1.5 * mean + 5))
        })
      },
    ),
    { numRuns: 500 },
  )
})

test('a mixed batch: each actor where its type runs, the rest missing', () => {
  const candidates = [host('a', { types: ['Counter'] }), host('b', { types: ['Clock'] })]
  const homes = assignHomes(
    [actor('1'), actor('2', { type: 'Clock' }), actor('3', { type: 'None' })],
    candidates,
  )
  expect([...homes.values()].map(peerOfBoot)).toEqual(['a', 'b'])
})

test('10,000 actors over 50 hosts take well under a second', () => {
  const candidates = Array.from({ length: 50 }, (_, i) => host(`p${i}`))
  const actors = Array.from({ length: 10_000 }, (_, i) => ({
    ...actor(`${i}`),
    prefer: [peerId(`p${i % 50}`)],
  }))
  expect(assignHomes(actors, candidates).size).toBe(10_000)
})
