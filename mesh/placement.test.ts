import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { peerId, storeId } from './ids.ts'
import type { Keeper } from './log-types.ts'
import { chooseKeepers, type KeeperCandidate, keepersNeedChange } from './placement.ts'
import type { JournalClass } from './registry/types.ts'

const candidate = (peer: string, change: Partial<KeeperCandidate> = {}): KeeperCandidate => ({
  peer: peerId(peer),
  store: storeId(`store-${peer}`),
  name: `name-${peer}`,
  labels: {},
  canKeep: true,
  live: true,
  leaving: false,
  load: 0,
  ...change,
})
const keeper = (peer: string): Keeper => ({ peer: peerId(peer), store: storeId(`store-${peer}`) })
const spec = (keepers: number, change: Partial<JournalClass> = {}): JournalClass => ({
  level: 'replicated',
  keepers,
  ...change,
})
const peersOf = (keepers: readonly Keeper[]): string[] => keepers.map(({ peer }) => peer)

const candidates = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { maxLength: 10 }).chain((peers) =>
  fc.tuple(
    ...peers.map((peer) =>
      fc
        .record({
          zone: fc.option(fc.constantFrom('north', 'south', 'west'), { nil: undefined }),
          disk: fc.constantFrom('ssd', 'hdd'),
          canKeep: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
          live: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
          away: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
          leaving: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
          load: fc.nat(20),
        })
        .map(({ zone, disk, ...rest }) =>
          candidate(peer, { ...rest, labels: zone === undefined ? { disk } : { disk, zone } }),
        ),
    ),
  ),
)
const question = fc.record({
  candidates,
  spec: fc.record({
    level: fc.constant('replicated' as const),
    keepers: fc.integer({ min: 0, max: 6 }),
    labels: fc.constantFrom<Record<string, string>>({}, { disk: 'ssd' }),
    peers: fc.constantFrom<string[]>(['a', 'b', 'name-c', 'd', 'e', 'f'], [...'abcdefghij']),
  }),
  host: fc.option(fc.constantFrom(...'abcdefghijz').map(keeper), { nil: undefined }),
  head: fc.option(fc.constantFrom(...'abcdefghijz').map(peerId), { nil: undefined }),
  seed: fc.string(),
})

describe('chooseKeepers', () => {
  test('any question: able stores of different peers, as many as there are, the host first', () => {
    fc.assert(
      fc.property(question, (q) => {
        const chosen = chooseKeepers(q)
        const able = q.candidates.filter(
          (c) =>
            c.canKeep &&
            c.live &&
            !c.away &&
            !c.leaving &&
            Object.entries(q.spec.labels).every(([label, value]) => c.labels[label] === value) &&
            (q.spec.peers.includes(c.peer) || q.spec.peers.includes(c.name)),
        )
        const ablePeers = able.map((c) => c.peer)
        expect(new Set(peersOf(chosen)).size).toBe(chosen.length)
        for (const { peer } of chosen) expect(ablePeers).toContain(peer)
        const asked = Math.max(1, q.spec.keepers)
        const wanted =
          q.host?.peer === q.head && q.head && asked >= 3 && able.length >= 5 ? Math.max(asked, 5) : asked
        expect(chosen.length).toBe(Math.min(wanted, able.length))
        if (q.host !== undefined && ablePeers.includes(q.host.peer)) expect(chosen[0]).toEqual(q.host)
        const withoutHead = ablePeers.filter((peer) => peer !== q.head)
        if (q.head !== q.host?.peer && withoutHead.length >= chosen.length)
          expect(peersOf(chosen)).not.toContain(q.head)
      }),
      { numRuns: 3000 },
    )
  })

  test('P1: a set just chosen needs no change', () => {
    fc.assert(
      fc.property(question, (q) => {
        const keepers = chooseKeepers(q)
        if (keepers.length > 0) expect(keepersNeedChange({ ...q, keepers })).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  test('does not depend on the order of candidates', () => {
    fc.assert(
      fc.property(question, (q) => {
        const reversed = { ...q, candidates: [...q.candidates].reverse() }
        expect(chooseKeepers(reversed)).toEqual(chooseKeepers(q))
      }),
      { numRuns: 1000 },
    )
  })

  test('spreads over zones, the host’s included; an unknown zone before a used one', () => {
    const zoned = [
      candidate('a', { labels: { zone: 'north' } }),
      candidate('b', { labels: { zone: 'north' } }),
      candidate('c', { labels: { zone: 'north' } }),
      candidate('d', { labels: { zone: 'south' } }),
      candidate('e'),
    ]
    for (let seed = 0; seed < 50; seed++) {
      const chosen = chooseKeepers({
        candidates: zoned,
        spec: spec(3),
        host: keeper('a'),
        head: undefined,
        seed: `${seed}`,
      })
      expect(peersOf(chosen)).toEqual(['a', 'd', 'e'])
    }
  })

  test('spreads journals over equal peers, and prefers the less loaded', () => {
    const equal = [...'abcdefgh'].map((peer) => candidate(peer, { load: peer === 'h' ? 9 : 0 }))
    const kept = new Map<string, number>()
    for (let i = 0; i < 4000; i++) {
      for (const { peer } of chooseKeepers({
        candidates: equal,
        spec: spec(3),
        host: keeper('a'),
        head: peerId('b'),
        seed: `j${i}`,
      })) {
        kept.set(peer, (kept.get(peer) ?? 0) + 1)
      }
    }
    expect(kept.get('a')).toBe(4000)
    expect(kept.get('b')).toBeUndefined()
    for (const peer of 'cdefg') expect(kept.get(peer)).toBeGreaterThan(1300)
    expect(kept.get('h')).toBeLessThan(400)
  })

  test('two peers: both copies are wanted, though both must answer', () => {
    const two = [candidate('a'), candidate('b')]
    const q = { candidates: two, spec: spec(3), host: keeper('b'), head: peerId('a'), seed: '' }
    expect(peersOf(chooseKeepers(q))).toEqual(['b', 'a'])
  })

  test('a store that is not the host’s present one is not its keeper', () => {
    const replaced = { peer: peerId('a'), store: storeId('wiped') }
    const q = {
      candidates: [candidate('a'), candidate('b')],
      spec: spec(2),
      host: replaced,
      head: undefined,
      seed: '',
    }
    expect(peersOf(chooseKeepers(q))).toEqual(['b'])
    expect(keepersNeedChange({ ...q, keepers: chooseKeepers(q) })).toBe(false)
  })
})

describe('keepersNeedChange', () => {
  const all = [...'abcde'].map((peer) => candidate(peer))
  const ask = (given: { keepers: string; candidates?: KeeperCandidate[]; head?: string; want?: number }) =>
    keepersNeedChange({
      keepers: [...given.keepers].map(keeper),
      candidates: given.candidates ?? all,
      spec: spec(given.want ?? 3),
      host: keeper('b'),
      head: given.head === undefined ? undefined : peerId(given.head),
    })
  const without = (peer: string, change?: Partial<KeeperCandidate>, of = all) =>
    of.flatMap((c) => (c.peer !== peer ? [c] : change === undefined ? [] : [{ ...c, ...change }]))

  test.each([
    ['a full live set', ask({ keepers: 'bcd' }), false],
    ['a store gone', ask({ keepers: 'bcd', candidates: without('c') }), /store of keeper c is gone/],
    ['a wiped store', ask({ keepers: 'bcd', candidates: without('c', { store: storeId('new') }) }), /gone/],
    ['a leaver', ask({ keepers: 'bcd', candidates: without('c', { leaving: true }) }), /leaving/],
    [
      'a keeper that may be restarting',
      ask({ keepers: 'bcd', candidates: without('c', { away: true }) }),
      false,
    ],
    [
      'fewer than wanted, the only other may be restarting',
      ask({ keepers: 'bc', candidates: without('d', { away: true }, all.slice(1, 4)) }),
      false,
    ],
    ['a dead keeper', ask({ keepers: 'bcd', candidates: without('c', { live: false }) }), /lost/],
    [
      'a dead keeper and nobody to replace it',
      ask({ keepers: 'bcd', candidates: without('c', { live: false }, all.slice(0, 4)).slice(1) }),
      false,
    ],
    ['fewer than wanted', ask({ keepers: 'bc' }), /2 of 3 keepers/],
    ['fewer than wanted, nobody else', ask({ keepers: 'bc', candidates: all.slice(1, 3) }), false],
    ['host and head are the majority', ask({ keepers: 'bac', head: 'a' }), /head a together hold a majority/],
    [
      'host and head, and nobody else',
      ask({ keepers: 'bac', head: 'a', candidates: all.slice(0, 3) }),
      false,
    ],
    ['the head keeps and the host does not', ask({ keepers: 'acd', head: 'a' }), false],
    [
      'the head is the host: nobody beside it may take its majority',
      ask({ keepers: 'bcd', head: 'b' }),
      /3 of 5/,
    ],
    ['the head is the host, of four', ask({ keepers: 'bcd', head: 'b', candidates: all.slice(0, 4) }), false],
    ['the host was the head', ask({ keepers: 'abcde' }), false],
    ['the head is the host, and one copy is asked for', ask({ keepers: 'b', head: 'b', want: 1 }), false],
    ['head and host of five', ask({ keepers: 'abcde', head: 'a', want: 5 }), false],
    [
      'two of five are lost and nobody replaces them: three that are there outlive more',
      ask({ keepers: 'abcde', candidates: all.map((c) => ({ ...c, live: !'de'.includes(c.peer) })) }),
      /3 of 5 keepers are left/,
    ],
    [
      'one of five is lost: what is left outlives as much as three would',
      ask({ keepers: 'abcde', candidates: without('e', { live: false }) }),
      false,
    ],
    ['nobody may keep', ask({ keepers: 'bcd', candidates: [] }), false],
  ])('%s', (_, reason, expected) => {
    if (typeof expected === 'boolean') expect(reason).toBe(expected)
    else expect(reason).toMatch(expected)
  })
})
