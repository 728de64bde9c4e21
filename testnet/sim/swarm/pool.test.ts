import { expect, test } from 'vitest'
import { SeedPool } from './pool.ts'

test('every seed is run once, and none is lost where a process gives way to the next', async () => {
  const seeds: number[] = []
  const outcomes = new Set<string>()
  await new SeedPool(2, 1).run(1, 4, ({ seed, outcome }) => {
    seeds.push(seed)
    outcomes.add(outcome)
  })
  expect(seeds.sort()).toEqual([1, 2, 3, 4])
  expect([...outcomes]).toEqual(['ok'])
}, 60_000)
