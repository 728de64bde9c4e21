import { expect, test } from 'vitest'
import { drive, each } from './drive.ts'

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Counts how many of its calls are under way at most. */
function gauge(ms: number) {
  const seen = { now: 0, most: 0, numbers: [] as number[] }
  const call = async (n: number) => {
    seen.numbers.push(n)
    seen.now += 1
    seen.most = Math.max(seen.most, seen.now)
    await after(ms)
    seen.now -= 1
  }
  return { seen, call }
}

test('so many calls are under way, no more, and each has a number of its own', async () => {
  const { seen, call } = gauge(5)
  const result = await drive(call, { inFlight: 8, forMs: 100, bytes: 0 })
  expect(seen.most).toBe(8)
  expect(seen.now).toBe(0)
  expect(seen.numbers).toEqual(seen.numbers.map((_, n) => n))
  expect(result.count).toBeLessThan(seen.numbers.length) // those of the warm-up
  expect(result.p50Ms).toBeGreaterThanOrEqual(4)
})

test('each call is made once, so many at a time', async () => {
  const { seen, call } = gauge(1)
  const result = await each(25, 4, call)
  expect(seen.numbers).toEqual(Array.from({ length: 25 }, (_, n) => n))
  expect(seen.most).toBe(4)
  expect(result.count).toBe(25)
})

test('a call that fails ends the measurement with its error', async () => {
  const fails = async (n: number) => {
    if (n === 3) throw new Error('no such actor')
  }
  await expect(drive(fails, { inFlight: 1, forMs: 1000, bytes: 0 })).rejects.toThrow('no such actor')
  await expect(each(5, 2, fails)).rejects.toThrow('no such actor')
})
