// Directed scenarios of reads that may be a little old: never older than that, whoever is cut off, frozen or replaced.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf } from './actor-stage.ts'
import type { Listed } from './ledger.ts'

const LAG_MS = 500

const read = (at: ActorMesh, from: PeerId, maxLagMs = LAG_MS, timeoutMs = 3000): Promise<Listed> => {
  const ref = at.runtimes.get(from)!.ref('Ledger', 'a').with({ reads: { maxLagMs }, timeoutMs })
  return at.mesh.await(
    (ref['all']!() as Promise<Listed>).catch((error: unknown) => Promise.reject(error)),
    90_000,
  )
}
/** Call frames that leave a peer. */
function counting(at: ActorMesh, from: PeerId): { calls: number } {
  const seen = { calls: 0 }
  at.onFrame = (sent) => {
    if (sent.from === from && sent.frame.t === 'call') seen.calls++
    return true
  }
  return seen
}

test('D1 reads within the bound are answered here, whoever keeps the journal, and show what was acknowledged before that', async () => {
  const at = await meshOf(6)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  for (const reader of at.others(one, zero)) {
    await read(at, reader)
    const seen = counting(at, reader)
    for (let n = 0; n < 20; n++) {
      await at.call(zero, 'a', 'add', `${reader}-${n}`)
      const { size: now } = await at.call<Listed>(zero, 'a', 'all')
      await at.mesh.clock.run(LAG_MS / 4)
      const { size } = await read(at, reader)
      expect(size).toBeLessThanOrEqual(now)
      expect(size).toBeGreaterThanOrEqual(now - 5)
    }
    expect(seen.calls).toBe(0)
  }
})

test('D4 a peer reads what it wrote, and never goes back', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let last = 0
  for (let n = 0; n < 30; n++) {
    await at.call(n % 2 === 0 ? two : zero, 'a', 'add', `t${n}`)
    const { size } = await read(at, two, 5000)
    expect(size).toBeGreaterThanOrEqual(n % 2 === 0 ? n + 2 : last)
    last = size
  }
})

test('D1 a host that was replaced vouches for nothing: its reader asks, and waits, and never hears the old state', async () => {
  const at = await meshOf(6)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const two = at.others(zero, ...at.keepers('a'))[0]!
  expect((await read(at, two)).tokens).toEqual(['a1'])
  const boot = at.boot(one)
  // The host and one reader are alone: they hear each other and nobody else.
  at.split([one, two], at.others(one, two))
  const cutAt = at.mesh.clock.now
  await at.recovered(boot)
  await at.call(zero, 'a', 'add', 'a2')
  expect(at.mesh.clock.now - cutAt).toBeGreaterThan(LAG_MS)
  for (let n = 0; n < 5; n++) expect(await code(read(at, two))).toMatch(/ACTOR_UNAVAILABLE|CALL_TIMEOUT/)
  at.mesh.network.heal()
  await at.mesh.clock.run(6000)
  expect((await read(at, two)).tokens).toEqual(['a1', 'a2'])
})

test('D3 a reader that stood still reads nothing old, and a wall clock that jumps changes nothing', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await read(at, two)
  at.mesh.freeze(two)
  await at.mesh.clock.run(300)
  for (const token of ['a2', 'a3']) await at.call(zero, 'a', 'add', token)
  await at.mesh.clock.run(LAG_MS)
  at.mesh.thaw(two)
  expect((await read(at, two)).tokens).toEqual(['a1', 'a2', 'a3'])
  for (const ms of [-1e10, 2e10]) {
    at.mesh.peers.get(two)!.clock.jump(ms)
    await at.call(zero, 'a', 'add', `jumped ${ms}`)
    await at.mesh.clock.run(LAG_MS + 1)
    expect((await read(at, two)).tokens.at(-1)).toBe(`jumped ${ms}`)
  }
})

test('a move, a roll and a passive actor: copies go on being vouched for', async () => {
  const at = await meshOf(5, { idleMs: 1000, settings: { journalMaxBlocks: 8 } })
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  for (const home of [three, one, three]) {
    await at.move('a', home)
    for (let n = 0; n < 12; n++) await at.call(zero, 'a', 'add', `${home}-${n}`)
    const { size } = await at.call<Listed>(zero, 'a', 'all')
    await at.mesh.clock.run(LAG_MS + 1)
    expect((await read(at, two)).size).toBe(size)
    await at.mesh.until('it is passive', () => at.runtimes.get(home)!.passive > 0, 30_000)
    const seen = counting(at, two)
    expect((await read(at, two)).size).toBe(size)
    expect([seen.calls, at.runtimes.get(home)!.live]).toEqual([0, 0])
  }
})

test('what makes no sense is refused', async () => {
  const at = await meshOf(3)
  const [zero] = at.ids as [PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  for (const maxLagMs of [0, -1, Number.NaN, 1e9, '5' as unknown as number])
    expect(await code(read(at, zero, maxLagMs))).toBe('BAD_INPUT')
  const ref = at.runtimes
    .get(zero)!
    .ref('Ledger', 'a')
    .with({ reads: { maxLagMs: 5 } })
  expect(await code(at.mesh.await(ref['add']!('a2')))).toBe('BAD_INPUT')
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})
