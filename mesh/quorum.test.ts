import fc from 'fast-check'
import { expect, test } from 'vitest'
import { majority, majorityLength } from './quorum.ts'

test('majority of small sets', () => {
  expect([1, 2, 3, 4, 5].map(majority)).toEqual([1, 2, 2, 3, 3])
})

// Deliberately dumb: try every length and count.
function dumbMajorityLength(lengths: readonly number[]): number {
  for (let length = Math.max(...lengths); length > 0; length--)
    if (lengths.filter((held) => held >= length).length * 2 > lengths.length) return length
  return 0
}

test('majorityLength agrees with counting', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { minLength: 1, maxLength: 7 }), (lengths) => {
      expect(majorityLength(lengths)).toBe(dumbMajorityLength(lengths))
    }),
    { numRuns: 5000 },
  )
})
