import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PeerId, peerId, storeId } from './ids.ts'
import type { Keeper } from './log-types.ts'
import { chooseRegistryKeepers, type KeeperCandidate, registryKeepersNeedChange } from './placement.ts'

const candidate = (peer: string, change: Partial<KeeperCandidate> = {}): KeeperCandidate => ({
  peer: peerId(peer),
  store: storeId(`store-${peer}`),
  name: peer,
  labels: {},
  canKeep: true,
  live: true,
  leaving: false,
  load: 0,
  ...change,
})
const keepers = (peers: string): Keeper[] =>
  [...peers].map((peer) => ({ peer: peerId(peer), store: storeId(`store-${peer}`) }))
const peersOf = (chosen: readonly Keeper[]): string => chosen.map(({ peer }) => peer).join('')
const live = (peers: string, dead = '') =>
  [...peers].map((peer) => candidate(peer, { live: !dead.includes(peer) }))

const setting = fc.record({
  candidates: fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 }).chain((peers) =>
    fc.tuple(
      ...peers.map((peer) =>
        fc
          .record({ live: fc.boolean(), busy: fc.nat(9), zone: fc.constantFrom('x', 'y', 'z') })
          .map(({ live, busy, zone }) =>
            candidate(peer, {
              live: live || busy > 3,
              away: busy === 3,
              canKeep: busy !== 1,
              leaving: busy === 2,
              load: busy,
              labels: { zone },
            }),
          ),
      ),
    ),
  ),
  current: fc
    .uniqueArray(fc.constantFrom(...'abcdefghz'), { maxLength: 5 })
    .map((peers) => keepers(peers.join(''))),
  head: fc.option(fc.constantFrom(...'abcdefghz').map(peerId), { nil: undefined }),
})
const ableOf = (candidates: readonly KeeperCandidate[]): PeerId[] =>
  candidates.filter((c) => c.live && !c.away && c.canKeep && !c.leaving).map((c) => c.peer)

test('1, 3 or 5 able stores of different peers, the head’s among them', () => {
  fc.assert(
    fc.property(setting, ({ candidates, current, head }) => {
      const chosen = chooseRegistryKeepers(candidates, current, head)
      const able = ableOf(candidates)
      expect(chosen.length).toBe(able.length >= 5 ? 5 : able.length >= 3 ? 3 : Math.min(1, able.length))
      expect(new Set(chosen.map((k) => k.peer)).size).toBe(chosen.length)
      for (const { peer } of chosen) expect(able).toContain(peer)
      if (head !== undefined && able.includes(head)) expect(chosen[0]?.peer).toBe(head)
      // Current keepers stay, as far as there is room beside the head.
      const stay = current.filter((k) => able.includes(k.peer) && k.peer !== head).length
      const kept = chosen.filter((k) => current.some((c) => c.peer === k.peer) && k.peer !== head).length
      const room = chosen.length - (head !== undefined && able.includes(head) ? 1 : 0)
      expect(kept).toBe(Math.min(stay, room))
    }),
    { numRuns: 3000 },
  )
})

test('a set just chosen needs no change, and choosing again gives the same', () => {
  fc.assert(
    fc.property(setting, ({ candidates, current, head }) => {
      const chosen = chooseRegistryKeepers(candidates, current, head)
      expect(registryKeepersNeedChange(candidates, chosen)).toBe(false)
      const again = chooseRegistryKeepers(candidates, chosen, head)
      expect(peersOf(again).split('').sort()).toEqual(peersOf(chosen).split('').sort())
    }),
    { numRuns: 3000 },
  )
})

test.each([
  ['one peer', live('a'), 'a', false],
  ['two peers: one keeper', live('ab'), 'a', false],
  ['a third peer', live('abc'), 'a', /1 of 1 registry keepers are present, 3 could be/],
  ['a fourth peer', live('abcd'), 'abc', false],
  ['a fifth peer', live('abcde'), 'abc', /5 could be/],
  ['one of three away, nobody to replace it', live('abc', 'c'), 'abc', false],
  ['one of three away, a fourth is there', live('abcd', 'c'), 'abc', /2 of 3/],
  ['one of five away, nobody to replace it', live('abcde', 'e'), 'abcde', false],
  ['two of five away: three are better', live('abcde', 'de'), 'abcde', /3 of 5/],
  ['a keeper left the mesh', live('ab'), 'abc', /store of registry keeper c is gone/],
  ['a keeper leaves', [...live('ab'), candidate('c', { leaving: true })], 'abc', /leaving/],
  ['a keeper declines', [...live('ab'), candidate('c', { canKeep: false })], 'abc', /declines/],
  ['a wiped keeper', [...live('ab'), candidate('c', { store: storeId('new') })], 'abc', /gone/],
  [
    'one of three may be restarting, a fourth is there',
    [...live('abd'), candidate('c', { away: true })],
    'abc',
    false,
  ],
  ['a third peer that may be restarting', [...live('ab'), candidate('c', { away: true })], 'a', false],
  ['nobody is there', live('abc', 'abc'), 'abc', false],
])('%s', (_, candidates, current, expected) => {
  const reason = registryKeepersNeedChange(candidates, keepers(current))
  if (typeof expected === 'boolean') expect(reason).toBe(expected)
  else expect(reason).toMatch(expected)
})

test('spreads over zones', () => {
  const zoned = [...'abcdef'].map((peer, i) => candidate(peer, { labels: { zone: i < 4 ? 'x' : peer } }))
  expect(peersOf(chooseRegistryKeepers(zoned, [], peerId('a')))).toContain('e')
  const three = chooseRegistryKeepers(zoned.slice(2), keepers(''), peerId('c')) // c, d in x; e; f
  expect(peersOf(three).split('').sort().join('')).toBe('cef')
})
