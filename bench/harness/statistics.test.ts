import fc from 'fast-check'
import { expect, test } from 'vitest'
import { measured, quantile, spread } from './statistics.ts'

const ms = fc.double({ min: 0, max: 1e6, noNaN: true })

test.each([
  [0.5, 50],
  [0.99, 99],
  [1, 100],
  [0, 1],
])('quantile %d of 1 to 100 is %d', (share, expected) => {
  expect(
    quantile(
      Array.from({ length: 100 }, (_, n) => n + 1),
      share,
    ),
  ).toBe(expected)
})

test('a quantile is a value that enough of the others do not exceed, and no smaller one is', () => {
  fc.assert(
    fc.property(
      fc.array(ms, { minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const ascending = [...values].sort((a, b) => a - b)
        const found = quantile(ascending, share)
        expect(values).toContain(found)
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * values.length)
        const below = values.filter((value) => value < found).length
        expect(below === 0 || below < share * values.length).toBe(true)
      },
    ),
  )
})

test('a measurement is of times in any order, and its rate is of all of the time', () => {
  expect(measured([3, 1, 2], 500)).toEqual({ p50Ms: 2, p99Ms: 3, maxMs: 3, perSecond: 6, count: 3 })
})

test('of nothing measured no figure is invented', () => {
  expect(measured([], 10)).toEqual({
    p50Ms: Number.NaN,
    p99Ms: Number.NaN,
    maxMs: Number.NaN,
    perSecond: 0,
    count: 0,
  })
})

test('a spread is the median round and the two extremes; the order of the rounds does not matter', () => {
  expect(spread([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 })
  expect(spread([7])).toEqual({ median: 7, min: 7, max: 7 })
})
