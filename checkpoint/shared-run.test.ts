import { expect, it } from 'vitest'
import { SharedRun } from './shared-run.ts'

function controlled() {
  const runs: { end: () => void; fail: (error: Error) => void }[] = []
  const shared = new SharedRun(
    () => new Promise((resolve, reject) => runs.push({ end: resolve, fail: reject })),
  )
  return { runs, shared }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

it('serves all callers of one turn with one run', async () => {
  const { runs, shared } = controlled()
  const all = Promise.all([shared.request(), shared.request()])
  await turn()
  expect(runs.length).toBe(1)
  runs[0]?.end()
  await all
})

it('serves those who ask during a run with the next one, never with the one under way', async () => {
  const { runs, shared } = controlled()
  const first = shared.request()
  await turn()
  let served = 0
  const later = [shared.request(), shared.request()].map((promise) => promise.then(() => (served += 1)))
  runs[0]?.end()
  await first
  await turn()
  expect([runs.length, served]).toEqual([2, 0])
  runs[1]?.end()
  await Promise.all(later)
})

it('goes on after a failed run, which fails only those it served', async () => {
  const { runs, shared } = controlled()
  const first = shared.request()
  await turn()
  const second = shared.request()
  runs[0]?.fail(new Error('no'))
  await expect(first).rejects.toThrow('no')
  await turn()
  runs[1]?.end()
  await second
})
