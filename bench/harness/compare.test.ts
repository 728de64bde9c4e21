import { expect, test } from 'vitest'
import type { CallsRow } from './case.ts'
import { compare, type Subject } from './compare.ts'

const of = (p50Ms: number) => ({
  p50Ms,
  p99Ms: 2 * p50Ms,
  maxMs: 3 * p50Ms,
  perSecond: 1000 / p50Ms,
  count: 5,
})
/** One that takes so long in each of its rounds. */
function subject(name: string, times: readonly number[], more: Partial<Subject> = {}): Subject {
  let round = 0
  return { name, measure: async () => of(times[round++]!), ...more }
}
const bench = (rounds: number, warmUpMs = 1) => ({ rounds, warmUpMs, say: () => {} })
const row = (rows: readonly CallsRow[], name: string) => rows.find((each) => each.subject === name)!

test('a ratio is of two measurements of one round: load that comes and goes is not in it', async () => {
  const rows = await compare(
    {
      group: 'g',
      by: 'latency',
      subjects: [subject('floor', [1, 10, 2]), subject('it', [3, 30, 6], { floors: ['floor'] })],
    },
    bench(3),
  )
  expect(row(rows, 'it').ratios).toEqual([{ to: 'floor', by: 'latency', median: 3, min: 3, max: 3 }])
  expect(row(rows, 'it').p50Ms).toEqual({ median: 6, min: 3, max: 30 })
  expect(row(rows, 'it').count).toBe(15)
  expect(row(rows, 'floor').ratios).toEqual([])
})

test('times of several floors add up; of rates the lowest counts', async () => {
  const subjects = () => [
    subject('way', [1]),
    subject('disk', [4]),
    subject('it', [10], { floors: ['way', 'disk'] }),
  ]
  const latency = await compare({ group: 'g', by: 'latency', subjects: subjects() }, bench(1))
  expect(row(latency, 'it').ratios).toMatchObject([{ to: 'way + disk', median: 2 }])
  const throughput = await compare({ group: 'g', by: 'throughput', subjects: subjects() }, bench(1))
  expect(row(throughput, 'it').ratios).toMatchObject([{ to: 'way + disk', median: 0.4 }])
})

test('every round begins with another subject', async () => {
  const order: string[] = []
  const noting = (name: string): Subject => ({
    name,
    measure: async () => {
      order.push(name)
      return of(1)
    },
  })
  await compare({ group: 'g', by: 'latency', subjects: ['a', 'b', 'c'].map(noting) }, bench(3))
  expect(order.join('')).toBe('abcbcacab')
})

test('what is measured at its steady speed runs for a while before it counts, and nothing else does', async () => {
  const measured = async (steady?: true) => {
    let times = 0
    const slow: Subject = {
      name: 'slow at first',
      measure: async () => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        return of(++times)
      },
    }
    const comparison = { group: 'g', by: 'latency' as const, subjects: [slow], ...(steady && { steady }) }
    const [only] = await compare(comparison, bench(2, 25))
    return { times, counted: only!.p50Ms }
  }
  expect(await measured()).toEqual({ times: 2, counted: { median: 1, min: 1, max: 2 } })
  const { times, counted } = await measured(true)
  expect(times).toBeGreaterThan(2)
  expect(counted).toEqual({ median: times - 1, min: times - 1, max: times })
})

test('stalls are the worst of all rounds and processes, without what happened between them', async () => {
  const pending = [
    [99, 5],
    [98, 7],
  ].flat()
  const process = (own: number[]) => ({
    stalls: async () => ({ stallMs: own.shift()!, workMs: 1 }),
  })
  const watched = [process(pending), process([99, 4, 98, 6])]
  const rows = await compare(
    { group: 'g', by: 'latency', subjects: [subject('it', [1, 1], { watched })] },
    bench(2),
  )
  expect(row(rows, 'it').stalls).toEqual({ stallMs: 7, workMs: 1 })
})

test('other systems each have a ratio of their own, after that to the floors', async () => {
  const subjects = [
    subject('floor', [1]),
    subject('this', [4]),
    subject('that', [8]),
    subject('it', [2], { floors: ['floor'], besides: ['this', 'that'] }),
  ]
  const rows = await compare({ group: 'g', by: 'latency', subjects }, bench(1))
  expect(row(rows, 'it').ratios.map(({ to, median }) => [to, median])).toEqual([
    ['floor', 2],
    ['this', 0.5],
    ['that', 0.25],
  ])
})

test('a floor that is not measured is a mistake of the case, and named', async () => {
  const subjects = [subject('it', [1], { floors: ['tcp'] })]
  await expect(compare({ group: 'g', by: 'latency', subjects }, bench(1))).rejects.toThrow(
    'tcp is compared with in "g" and is not measured there',
  )
})
