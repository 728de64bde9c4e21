import { expect, test } from 'vitest'
import { runRescueSeed } from './rescue-seed.ts'

const SEEDS = Number(process.env.RESCUE_SEEDS ?? 30)

test('a registry that lost its majority is rescued among other faults: one generation, every actor reported, every one answers', {
  timeout: 600_000,
}, async () => {
  const wrong: string[] = []
  let attempts = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runRescueSeed(seed).catch((error: Error) => ({
      wrong: [error.message],
      attempts: 0,
    }))
    attempts += result.attempts
    wrong.push(...result.wrong.map((text) => `seed ${seed}: ${text}`))
  }
  expect(wrong).toEqual([])
  expect(attempts).toBeGreaterThan(SEEDS)
})
