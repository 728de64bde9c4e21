import { expect, test } from 'vitest'
import { Crowd, type CrowdOptions } from './crowd.ts'

const options: CrowdOptions = { size: 60, seed: 7, loss: 0.01, deaths: 2, steadyMs: 4000, tables: 'shared' }
const resultOf = async (changes: Partial<CrowdOptions> = {}) =>
  (await new Crowd({ ...options, ...changes }).run()).result

test('a death is found by a probe and known to every living peer, and nobody else is held dead', async () => {
  const { detectMs, knownMs, missed, falseDeaths, headChanges } = await resultOf()
  expect({ missed, falseDeaths, headChanges }).toEqual({ missed: 0, falseDeaths: 0, headChanges: 1 })
  // Two and a half probe time-outs and the shortest suspicion at least (mesh/membership/settings.ts).
  expect(detectMs.p50).toBeGreaterThan(1000)
  expect(knownMs.max).toBeLessThan(5000)
})

test('five pings and five pongs a second, and little else; a larger mesh sends no more of them', async () => {
  const [small, large] = await Promise.all([resultOf(), resultOf({ size: 180 })])
  for (const { messagesByKind } of [small, large]) {
    expect(messagesByKind.ping).toBeGreaterThan(4.5)
    expect(messagesByKind.ping).toBeLessThan(5.5)
  }
  expect(large.messages / small.messages).toBeLessThan(1.2)
  expect(large.bytesByKind.view).toBeGreaterThan(small.bytesByKind.view!)
})

test('a mesh that hears little holds living peers dead, and they are counted', async () => {
  const { falseSuspicions, falseDeaths } = await resultOf({ size: 30, loss: 0.8, deaths: 0, steadyMs: 8000 })
  expect(falseSuspicions).toBeGreaterThan(0)
  expect(falseDeaths).toBeGreaterThan(0)
})

test('the same seed gives the same run, on shared tables and on those that peers have', async () => {
  const first = await resultOf()
  expect(await resultOf()).toEqual(first)
  expect(await resultOf({ tables: 'own' })).toEqual(first)
  expect(await resultOf({ seed: 8 })).not.toEqual(first)
})
