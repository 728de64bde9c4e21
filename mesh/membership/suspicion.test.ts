import { expect, test } from 'vitest'
import { peerId } from '../ids.ts'
import { Suspicion, suspicionTimeoutMs } from './suspicion.ts'

test.each([
  // confirmations, expected, min, max → timeout
  [0, 0, 1000, 2000, 2000],
  [1, 0, 1000, 2000, 2000],
  [0, 2, 1000, 2000, 2000],
  [1, 2, 1000, 2000, 1369],
  [2, 2, 1000, 2000, 1000],
  [3, 2, 1000, 2000, 1000],
  [1, 1, 1000, 2000, 1000],
  [1, 3, 2000, 30_000, 16_000],
  [2, 3, 2000, 30_000, 7811],
  [3, 3, 2000, 30_000, 2000],
  [0, 2, 2000, 2000, 2000],
  [2, 2, 3000, 2000, 3000],
])('%i of %i confirmations, %i…%i ms: %i ms', (confirmations, expected, minMs, maxMs, timeout) => {
  expect(suspicionTimeoutMs({ confirmations, expected, minMs, maxMs })).toBe(timeout)
})

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(peerId) as [never, never, never, never]
const limits = { minMs: 1000, maxMs: 2000 }

test('only others’ independent opinions shorten it, and only as many as are expected', () => {
  const suspicion = new Suspicion(a, 2, limits, 100)
  expect(suspicion.deadline).toBe(2100)
  expect(suspicion.confirm(a)).toBe(false)
  expect(suspicion.confirm(b)).toBe(true)
  expect(suspicion.confirm(b)).toBe(false)
  expect(suspicion.deadline).toBe(1469)
  expect(suspicion.settled).toBe(false)
  expect(suspicion.confirm(c)).toBe(true)
  expect(suspicion.settled).toBe(true)
  expect(suspicion.confirm(d)).toBe(false)
  expect(suspicion.deadline).toBe(1100)
})

test('time in which nobody listened does not count, but stalling for ever does not save the suspect', () => {
  const suspicion = new Suspicion(a, 2, limits, 0)
  suspicion.extend(300)
  expect(suspicion.deadline).toBe(2300)
  for (let i = 0; i < 100; i++) suspicion.extend(300)
  expect(suspicion.deadline).toBe(8000)
})

test('after a long stall it starts afresh', () => {
  const suspicion = new Suspicion(a, 2, limits, 0)
  suspicion.confirm(b)
  suspicion.restart(5000)
  expect(suspicion.deadline).toBe(7000)
})
