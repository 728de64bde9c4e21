import { expect, test } from 'vitest'
import type { ChaosResult } from './chaos.ts'
import { summarise } from './summary.ts'

const MIB = 2 ** 20

const resultWith = (samples: ChaosResult['samples']): ChaosResult => ({
  ok: true,
  seed: 1,
  peers: 1,
  workloads: [],
  problems: [],
  stuck: [],
  faults: [],
  history: [],
  acknowledged: 0,
  failed: 0,
  codes: new Map(),
  samples,
  losses: [],
  began: 0,
  ended: 60_000,
})

test('a disk grows over the processes of its peer, memory within one of them', () => {
  const samples = Array.from({ length: 80 }, (_, n) => ({
    peer: 0,
    at: n * 1000,
    start: n < 40 ? 1 : 2,
    rss: 100 * MIB,
    heapUsed: (n % 40) * MIB,
    descriptors: 30,
    disk: n * MIB,
  }))
  const { heapBytes, rssBytes, descriptors, diskBytes } = summarise(resultWith(samples))
  expect(heapBytes).toEqual({ first: 5 * MIB, last: 35 * MIB })
  expect(rssBytes).toEqual({ first: 100 * MIB, last: 100 * MIB })
  expect(descriptors).toEqual({ first: 30, last: 30 })
  expect(diskBytes).toEqual({ first: 10 * MIB, last: 70 * MIB })
})

test('what was looked at for a short time tells of no growth', () => {
  expect(summarise(resultWith([])).diskBytes).toBeUndefined()
})
