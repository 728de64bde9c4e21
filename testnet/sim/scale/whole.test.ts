import { expect, test } from 'vitest'
import { runWhole } from './whole.ts'

test('only the head sends more in a larger mesh, it keeps its place, and once gone it is replaced by one other', async () => {
  const loss = { seed: 3, loss: 0.01, steadyMs: 4000 }
  const [small, large] = [await runWhole({ ...loss, size: 6 }), await runWhole({ ...loss, size: 24 })]
  for (const { needlessTerms, terms, followedMs } of [small, large]) {
    expect({ needlessTerms, terms }).toEqual({ needlessTerms: 0, terms: 1 })
    expect(followedMs).toBeLessThan(5000)
  }
  expect(large.headMessages).toBeGreaterThan(2 * small.headMessages)
  expect(large.messagesByKind.ping).toBeLessThan(1.2 * small.messagesByKind.ping!)
  expect(await runWhole({ ...loss, size: 6 })).toEqual(small)
})
