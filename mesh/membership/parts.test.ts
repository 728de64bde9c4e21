// The small mechanisms: health, rotation, rumours, announcements.

import { expect, test } from 'vitest'
import { type PeerId, peerId } from '../ids.ts'
import { Announcements, announceDelayMs } from './announcements.ts'
import { LATE_MS, LocalHealth, MAX_SCORE, STALL_MS } from './health.ts'
import { firstFact, seededRandom } from './network.testing.ts'
import { Rotation } from './probe.ts'
import { sample, shuffle } from './random.ts'
import { Rumours } from './rumours.ts'
import { MAX_RUMOURS, RUMOUR_REPEATS, RUMOURS_PER_MESSAGE } from './settings.ts'

const peers = (count: number): PeerId[] => Array.from({ length: count }, (_, i) => peerId(`p${i}`))

test('health: a little late is nothing, late is late, long is a stall; trouble adds up and heals', () => {
  const health = new LocalHealth()
  expect(health.notice(1000, Number.POSITIVE_INFINITY).kind).toBe('none')
  expect(health.notice(1000 + LATE_MS, 1000).kind).toBe('none')
  expect(health.multiplier).toBe(1)
  expect(health.notice(1001 + LATE_MS, 1000)).toEqual({ kind: 'late', ms: LATE_MS + 1 })
  expect(health.notice(1001 + STALL_MS, 1000).kind).toBe('stalled')
  expect(health.multiplier).toBe(3)
  for (let i = 0; i < 10; i++) health.worse()
  expect(health.multiplier).toBe(1 + MAX_SCORE)
  for (let i = 0; i < 10; i++) health.better()
  expect(health.multiplier).toBe(1)
})

test('rotation: everybody once per round, whatever the shuffle; who is gone is skipped', () => {
  const rotation = new Rotation(seededRandom(1))
  const all = peers(7)
  for (let round = 0; round < 20; round++) {
    const turn = all.map(() =>
      rotation.next(
        () => true,
        () => all,
      ),
    )
    expect(new Set(turn).size).toBe(7)
  }
  const gone = all[3]
  const turn = peers(6).map(() =>
    rotation.next(
      (peer) => peer !== gone,
      () => all.filter((peer) => peer !== gone),
    ),
  )
  expect(new Set(turn).size).toBe(6)
  expect(turn).not.toContain(gone)
  const none = new Rotation(seededRandom(1))
  expect(
    none.next(
      () => false,
      () => all,
    ),
  ).toBeUndefined()
  expect(
    new Rotation(seededRandom(1)).next(
      () => true,
      () => [],
    ),
  ).toBeUndefined()
})

test('rotation: a newcomer gets a turn in the present round', () => {
  const rotation = new Rotation(seededRandom(2))
  const all = peers(5)
  rotation.next(
    () => true,
    () => all,
  )
  rotation.add(peerId('new'))
  rotation.add(peerId('new'))
  const rest = [1, 2, 3, 4, 5].map(() =>
    rotation.next(
      () => true,
      () => [],
    ),
  )
  expect(rest.filter((peer) => peer === 'new').length).toBe(1)
})

test('rumours: the freshest first, each so many times, without whom the message is about', () => {
  const rumours = new Rumours()
  for (const peer of peers(6)) rumours.add(peer, 7)
  const counts = new Map<PeerId, number>()
  for (let i = 0; i < 1000; i++) {
    const taken = rumours.take([peerId('p0')])
    expect(taken.length).toBeLessThanOrEqual(RUMOURS_PER_MESSAGE)
    for (const peer of taken) counts.set(peer, (counts.get(peer) ?? 0) + 1)
  }
  expect([...counts.keys()].sort()).toEqual(['p1', 'p2', 'p3', 'p4', 'p5'])
  expect(new Set(counts.values())).toEqual(new Set([RUMOUR_REPEATS * 3]))
  expect(rumours.take([])).toEqual(['p0'])
})

test('rumours: bounded, the oldest go', () => {
  const rumours = new Rumours()
  const all = peers(MAX_RUMOURS + 10)
  for (const peer of all) rumours.add(peer, 2)
  const told = new Set<PeerId>()
  for (let taken = rumours.take([]); taken.length > 0; taken = rumours.take([]))
    for (const peer of taken) told.add(peer)
  expect(told.size).toBe(MAX_RUMOURS)
  expect(told.has(all[0]!)).toBe(false)
})

test('announcements: at once in a small mesh, spread in a large one, taken once', () => {
  expect(announceDelayMs(5, () => 0.9)).toBe(0)
  expect(announceDelayMs(20, () => 0.5)).toBe(50)
  expect(announceDelayMs(10_000, () => 0.5)).toBe(250)
  const announcements = new Announcements()
  const [a, b] = [firstFact('a', '1', 1), firstFact('b', '1', 1)]
  announcements.add(a, 10)
  announcements.add(b, 20)
  expect(announcements.nextAt()).toBe(10)
  expect(announcements.take(15)).toEqual([a])
  announcements.cancel(b.peer)
  expect(announcements.take(100)).toEqual([])
  expect(announcements.nextAt()).toBe(Number.POSITIVE_INFINITY)
})

test('choices stay within bounds even when the random source returns 1', () => {
  expect(shuffle([1, 2, 3], () => 1)).toHaveLength(3)
  expect(sample([1, 2, 3], 5, () => 1).sort()).toEqual([1, 2, 3])
})
