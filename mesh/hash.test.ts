import { expect, test } from 'vitest'
import { hash53, rendezvousScore } from './hash.ts'

test('the hash never changes: placement on disk and in other releases depends on it', () => {
  expect(hash53('')).toMatchInlineSnapshot(`3993870096590904`)
  expect(hash53('counter/a')).toMatchInlineSnapshot(`5431725907115430`)
  expect(hash53('counter/b')).toMatchInlineSnapshot(`1388622782110869`)
  expect(hash53('Zähler/😀', 7)).toMatchInlineSnapshot(`1358057935753075`)
})

test('similar keys fall evenly into buckets, by high and by low bits', () => {
  const buckets = 64
  const keys = 64_000
  const high = new Array<number>(buckets).fill(0)
  const low = new Array<number>(buckets).fill(0)
  const seen = new Set<number>()
  for (let i = 0; i < keys; i++) {
    const hash = hash53(`counter/actor-${i}`)
    expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true)
    seen.add(hash)
    high[Math.floor((hash / 2 ** 53) * buckets)]! += 1
    low[hash % buckets]! += 1
  }
  expect(seen.size).toBe(keys)
  const expected = keys / buckets
  // Chi-square with 63 degrees of freedom: above 114 once in 10,000 random functions.
  const chi = (counts: readonly number[]) =>
    counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  expect(chi(high)).toBeLessThan(114)
  expect(chi(low)).toBeLessThan(114)
})

test('each flipped input bit flips about half of the output bits', () => {
  const bits = (value: number) => [...value.toString(2)].filter((bit) => bit === '1').length
  let flipped = 0
  let compared = 0
  for (let i = 0; i < 500; i++) {
    const text = `peer-${i}/store`
    for (const at of [0, 4, text.length - 1]) {
      const other = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
      const [a, b] = [hash53(text), hash53(other)]
      const high = (Math.floor(a / 2 ** 32) ^ Math.floor(b / 2 ** 32)) >>> 0
      flipped += bits(high) + bits(((a >>> 0) ^ (b >>> 0)) >>> 0)
      compared += 53
    }
  }
  expect(flipped / compared).toBeGreaterThan(0.48)
  expect(flipped / compared).toBeLessThan(0.52)
})

test('rendezvous hashing gives each candidate keys by weight, and moves only the keys of one that goes', () => {
  const weights = { a: 1, b: 1, c: 2 }
  const winner = (key: string, candidates: readonly (keyof typeof weights)[]) =>
    candidates.reduce((best, next) =>
      rendezvousScore(key, next, weights[next]) > rendezvousScore(key, best, weights[best]) ? next : best,
    )
  const wins = { a: 0, b: 0, c: 0 }
  for (let i = 0; i < 20_000; i++) {
    const before = winner(`key-${i}`, ['a', 'b', 'c'])
    wins[before] += 1
    if (before !== 'b') expect(winner(`key-${i}`, ['a', 'c'])).toBe(before)
  }
  expect(wins.a / 20_000).toBeCloseTo(0.25, 1)
  expect(wins.c / 20_000).toBeCloseTo(0.5, 1)
})
