import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bootId, peerId } from '../ids.ts'
import {
  compareFacts,
  isSane,
  MAX_INCARNATION,
  MAX_STARTED_AT,
  outrank,
  renew,
  sameDescription,
} from './facts.ts'
import { description, firstFact } from './network.testing.ts'
import type { Fact, Liveness } from './types.ts'

const a = peerId('a')
const fact = (startedAt: number, nonce: string, incarnation: number, liveness: Liveness): Fact => ({
  ...firstFact('a', nonce, startedAt),
  incarnation,
  liveness,
})

test.each([
  ['a later start', fact(2, '1', 0, 'alive'), fact(1, '2', 9, 'left')],
  ['of equal starts the greater boot', fact(1, '2', 0, 'alive'), fact(1, '1', 9, 'left')],
  ['a higher incarnation', fact(1, '1', 1, 'alive'), fact(1, '1', 0, 'dead')],
  ['suspect over alive', fact(1, '1', 1, 'suspect'), fact(1, '1', 1, 'alive')],
  ['dead over suspect', fact(1, '1', 1, 'dead'), fact(1, '1', 1, 'suspect')],
  ['left over dead', fact(1, '1', 1, 'left'), fact(1, '1', 1, 'dead')],
  ['F3 left is final within a boot', fact(1, '1', 1, 'left'), fact(1, '1', 7, 'alive')],
])('F1 %s supersedes', (_, newer, older) => {
  expect(compareFacts(newer, older)).toBeGreaterThan(0)
  expect(compareFacts(older, newer)).toBeLessThan(0)
})

const facts = fc
  .tuple(
    fc.nat(2),
    fc.constantFrom('1', '2'),
    fc.nat(2),
    fc.constantFrom<Liveness>('alive', 'suspect', 'dead', 'left'),
  )
  .map((parts) => fact(...parts))

test('F1 views that saw the same facts in any order, any number of times, are equal', () => {
  const merge = (seen: readonly Fact[]) =>
    seen.reduce((best, next) => (compareFacts(next, best) > 0 ? next : best))
  fc.assert(
    fc.property(
      fc.array(facts, { minLength: 1, maxLength: 12 }),
      fc.infiniteStream(fc.nat(100)),
      (seen, order) => {
        const other = [...seen, ...seen]
          .map((f) => ({ f, at: order.next().value }))
          .sort((x, y) => x.at - y.at)
        expect(compareFacts(merge(seen), merge(other.map(({ f }) => f)))).toBe(0)
      },
    ),
    { numRuns: 2000 },
  )
})

test('the answer to a rival supersedes it, is about this boot, alive, and sane', () => {
  const rivals = fc
    .tuple(
      fc.oneof(fc.nat(3), fc.constantFrom(MAX_STARTED_AT - 1, 0.5)),
      fc.constantFrom('1', '2'),
      fc.oneof(fc.nat(3), fc.constantFrom(MAX_INCARNATION - 1, MAX_INCARNATION)),
      fc.constantFrom<Liveness>('alive', 'suspect', 'dead', 'left'),
    )
    .map((parts) => fact(...parts))
  const own = fact(1, '1', 1, 'alive')
  fc.assert(
    fc.property(rivals, (rival) => {
      const answer = outrank(own, rival)
      if (compareFacts(rival, own) <= 0) expect(answer).toBeUndefined()
      else {
        expect(compareFacts(answer!, rival)).toBeGreaterThan(0)
        expect(answer).toMatchObject({ boot: own.boot, liveness: 'alive' })
        expect(isSane(answer!)).toBe(true)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a suspicion is refuted by one incarnation more; an older boot of oneself is not worth a word', () => {
  const own = fact(5, '2', 3, 'alive')
  expect(outrank(own, fact(5, '2', 3, 'suspect'))).toMatchObject({ startedAt: 5, incarnation: 4 })
  expect(outrank(own, fact(5, '2', 7, 'dead'))).toMatchObject({ startedAt: 5, incarnation: 8 })
  expect(outrank(own, fact(4, '1', 9, 'dead'))).toBeUndefined()
  expect(outrank(own, fact(9, '1', 0, 'dead'))).toMatchObject({ startedAt: 10, incarnation: 0 }) // the clock went back
  expect(outrank(own, fact(5, '2', 3, 'left'))).toMatchObject({ startedAt: 6, incarnation: 0 })
})

test('absurd facts are dropped', () => {
  const good = firstFact('a', '1', 1)
  expect(isSane(good)).toBe(true)
  const bad: Partial<Fact>[] = [
    { incarnation: -1 },
    { incarnation: 1.5 },
    { incarnation: 2 ** 53 },
    { incarnation: Number.NaN },
    { startedAt: Number.NaN },
    { startedAt: Number.POSITIVE_INFINITY },
    { startedAt: -1 },
    { load: -1 },
    { load: Number.NaN },
    { load: Number.POSITIVE_INFINITY },
    { boot: bootId(peerId('b'), '1') },
    { liveness: 'left', by: peerId('b') }, // F2
  ]
  for (const change of bad) expect(isSane({ ...good, ...change })).toBe(false)
  expect(isSane({ ...good, liveness: 'left', by: a })).toBe(true)
})

test('a peer never runs out of incarnations', () => {
  const last = { ...firstFact('a', '1', 1), incarnation: MAX_INCARNATION }
  expect(compareFacts(renew(last), last)).toBeGreaterThan(0)
  expect(isSane(renew(last))).toBe(true)
})

test('descriptions are equal whatever the order of labels', () => {
  const one = { ...description('a'), labels: { x: '1', y: '2' } }
  expect(sameDescription(one, { ...one, labels: { y: '2', x: '1' } })).toBe(true)
  expect(sameDescription(one, { ...one, labels: { x: '2', y: '1' } })).toBe(false)
  expect(sameDescription(one, { ...one, addresses: [] })).toBe(false)
})
