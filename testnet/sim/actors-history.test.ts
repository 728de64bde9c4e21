// Directed scenarios of looking back, going back and copying, while the mesh under it is in trouble.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { ActorHistory } from '../../node/api.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import type { Listed } from './ledger.ts'

const ref = (at: ActorMesh, from: PeerId, name: string) => at.runtimes.get(from)!.ref('Ledger', name)
const history = (at: ActorMesh, from: PeerId, name = 'a'): Promise<ActorHistory> =>
  at.mesh.await(ref(at, from, name).history())
const numbers = ({ records }: ActorHistory): readonly number[] => records.map(({ record }) => record)

test('R10 what a host has written and nobody acknowledged is in no history; it is another record that gets its number', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.call(zero, 'a', 'add', 'a2')
  const before = await history(at, one)
  const boot = at.boot(one)
  at.split([one], at.others(one))
  const lost = watch(at.send(one, 'a', 'add', ['lost']))
  await at.mesh.clock.run(500)
  expect([numbers(await history(at, one))[0], lost.settled]).toEqual([numbers(before)[0], false])
  await at.recovered(boot)
  await at.call(zero, 'a', 'add', 'a3')
  at.mesh.network.heal()
  await at.mesh.until('the old host has a new boot', () => at.mesh.peers.get(one)!.driver.admitted)
  await at.mesh.clock.run(5000)
  // It made its call again under its new boot, or gave it up: what is listed is what was acknowledged, from everywhere.
  const [first, ...others] = await Promise.all(at.ids.map((id) => history(at, id)))
  for (const other of others) expect(other).toEqual(first)
  const tokens = await at.tokens(zero, 'a')
  const adds = first!.records.filter(({ method }) => method === 'add')
  expect(adds.length).toBeLessThanOrEqual(tokens.length)
  expect(new Set(numbers(first!)).size).toBe(first!.records.length)
})

test('G3 the host dies while it restores an earlier record, at any moment: it is restored once, or not at all', async () => {
  let restored = 0
  for (let moment = 0; moment < 8; moment++) {
    const at = await meshOf(5, { seed: moment + 1 })
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('a', one, 'a1')
    for (const token of ['a2', 'a3']) await at.call(zero, 'a', 'add', token)
    const { records } = await history(at, zero)
    const target = records.find(({ restorable, method }) => restorable && method === 'add')!
    // Everything but the newest change.
    const earlier = records.find(({ restorable, record }) => restorable && record < target.record)
    if (earlier === undefined) continue
    let left = moment
    at.onFrame = ({ from, to }) => {
      if ((from === one || to === one) && left-- === 0) at.mesh.clock.set(0, () => at.mesh.kill(one))
      return true
    }
    const outcome = await code(at.mesh.await(ref(at, zero, 'a').restore({ record: earlier.record }), 90_000))
    if (at.mesh.peers.has(one)) at.mesh.kill(one)
    at.onFrame = () => true
    const tokens = await at.tokens(zero, 'a')
    if (outcome === 'BAD_INPUT') expect(tokens).toEqual(['a1', 'a2', 'a3'])
    else expect([Number(outcome) > target.record, tokens.length < 3, tokens[0]]).toEqual([true, true, 'a1'])
    const restores = (await history(at, zero)).records.filter(({ kind }) => kind === 'restore')
    expect(restores.length).toBeLessThanOrEqual(1)
    if (outcome !== 'BAD_INPUT') restored++
  }
  expect(restored).toBeGreaterThan(3)
})

test('N1 hosts of a copy die while it is made: nobody sees it with a state of its own', async () => {
  for (let moment = 0; moment < 8; moment++) {
    const at = await meshOf(5, { seed: moment + 1 })
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('a', one, 'a1')
    await at.call(zero, 'a', 'add', 'a2')
    const origin = await at.call<Listed>(zero, 'a', 'all')
    const forking = at.mesh.await(ref(at, zero, 'a').fork('copy'), 90_000)
    forking.catch(() => {})
    await at.mesh.until('the copy has a home', () => at.entry('copy', zero)?.home != null)
    const early = at.send(zero, 'copy', 'all')
    await at.mesh.clock.run(moment * 3)
    const home = at.home('copy', zero)
    if (home !== zero) at.mesh.kill(home)
    await forking
    expect(await at.mesh.await(early, 90_000)).toEqual(origin)
    expect(await at.tokens(zero, 'copy')).toEqual(['a1', 'a2'])
    expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
  }
})

test('N2 a copy whose maker is gone is given up at its home, and keeps no journal of lost peers', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', zero, 'a1')
  ref(at, one, 'a')
    .fork('copy')
    .catch(() => {})
  await at.mesh.until('the copy is in the registry', () => at.entry('copy', one) !== undefined)
  at.mesh.kill(one)
  expect(await code(at.mesh.await(at.send(zero, 'copy', 'all', [], 2000)))).toBe('ACTOR_UNAVAILABLE')
  await at.mesh.until('it is given up', () => at.entry('copy')?.status.kind === 'dead', 120_000)
  expect(at.entry('copy')!.sources).toEqual([])
  await at.mesh.await(ref(at, zero, 'a').fork('copy'))
  expect(await at.tokens(zero, 'copy')).toEqual(['a1'])
})
