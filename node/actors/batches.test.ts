import { expect, test } from 'vitest'
import { Batches } from './batches.ts'
import { VirtualClock } from './test-support/virtual-clock.ts'

const LONG_MS = 1000

function slowly(clock: VirtualClock, tookMs: number) {
  const sent: (readonly number[])[] = []
  const batches = new Batches<string, number>(clock, async (_key, items) => {
    sent.push([...items])
    await new Promise<void>((resolve) => clock.setTimer(tookMs, resolve))
    if (items.includes(0)) throw new Error('refused')
  })
  return { batches, sent }
}

test('what comes while a batch is on its way goes together, when that has arrived', async () => {
  const clock = new VirtualClock()
  const { batches, sent } = slowly(clock, 100)
  const all = [batches.add('a', 1), batches.add('a', 2)]
  await clock.run(30)
  expect(sent).toEqual([[1, 2]])
  for (const item of [3, 4, 5]) {
    all.push(batches.add('a', item))
    await clock.run(25)
  }
  expect(sent).toEqual([[1, 2]])
  await clock.until(Promise.all(all))
  expect(sent).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
})

test('a batch that is full waits for nobody', async () => {
  const clock = new VirtualClock()
  const { batches, sent } = slowly(clock, LONG_MS)
  for (let item = 1; item <= 1001; item++) void batches.add('a', item)
  await clock.run(30)
  expect(sent.map(({ length }) => length)).toEqual([500, 500])
  await clock.run(2 * LONG_MS)
  expect(sent.map(({ length }) => length)).toEqual([500, 500, 1])
})

test('a batch that fails fails those in it, and the next one is sent', async () => {
  const clock = new VirtualClock()
  const { batches, sent } = slowly(clock, LONG_MS)
  const refused = batches.add('a', 0)
  const outcome = refused.then(
    () => 'sent',
    (error: Error) => error.message,
  )
  await clock.run(30)
  const next = batches.add('a', 1)
  expect(await clock.until(outcome)).toBe('refused')
  await clock.until(next)
  expect(sent).toEqual([[0], [1]])
})
