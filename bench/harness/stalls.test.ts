import { expect, test } from 'vitest'
import { StallMeter, worst } from './stalls.ts'

const turn = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('a loop that is kept busy is seen, as a delay and as work, once', async () => {
  const meter = new StallMeter()
  await turn(50)
  meter.take()
  const until = performance.now() + 80
  while (performance.now() < until);
  await turn(30)
  const busy = meter.take()
  expect(busy.stallMs).toBeGreaterThan(60)
  expect(busy.workMs).toBeGreaterThan(15) // less than 80 where others have the processor
  expect(meter.take().workMs).toBeLessThan(busy.workMs)
})

test('a loop that only waits did no work', async () => {
  const meter = new StallMeter()
  await turn(50)
  meter.take()
  await turn(100)
  expect(meter.take().workMs).toBeLessThan(10)
})

test('the worst of several processes is the worst of each kind', () => {
  const all = [
    { stallMs: 3, workMs: 2 },
    { stallMs: 1, workMs: 9 },
  ]
  expect(worst(all)).toEqual({ stallMs: 3, workMs: 9 })
  expect(worst([])).toEqual({ stallMs: 0, workMs: 0 })
})
