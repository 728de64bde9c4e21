import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { Actor } from '../../node/actors/actor.ts'
import { createRuntime, type Runtime } from '../../node/actors/runtime.ts'
import { Invariants } from './invariants.ts'
import { SimMesh } from './mesh.ts'

class Counter extends Actor<{ count: number }> {
  override state = { count: 0 }
  increment(): number {
    this.state.count += 1
    return this.state.count
  }
}

const losses = [
  [
    'a journal that loses its majority is left behind: its host goes on in a fresh one, and may die then',
    false,
  ],
  ['a journal whose keepers come back with empty disks is left behind: what its host has is not lost', true],
] as const
test.each(losses)('%s', async (_title, comeBack) => {
  const runtimes = new Map<PeerId, Runtime>()
  const mesh: SimMesh = new SimMesh({
    seed: 11,
    onStart: (peer) => {
      invariants.watch(peer)
      const { id, driver, store, clock } = peer
      runtimes.set(id, createRuntime({ mesh: driver, store, clock, types: [Counter] }))
    },
  })
  const invariants = new Invariants(mesh)
  const ids = Array.from({ length: 6 }, (_, index) => mesh.name(index))
  for (const [index, id] of ids.entries()) await mesh.start(id, index === 0)
  await mesh.until('everybody is admitted', () =>
    [...mesh.peers.values()].every(({ driver }) => driver.admitted),
  )
  await mesh.clock.run(6000)
  const call = (from: PeerId) =>
    runtimes.get(from)!.call('Counter', 'a', 'increment', [], { timeoutMs: 60_000 })
  expect(await mesh.await(call(ids[0]!))).toBe(1)
  const registry = () => mesh.peers.get(ids[0]!)!.driver.registry!
  const actor = [...registry().actors.values()][0]!
  const journal = [...registry().journals.values()].find(({ boot }) => boot === actor.home)!
  const host = journal.keepers.find(({ peer }) => actor.home!.startsWith(peer))!.peer
  const keepers = journal.keepers.map(({ peer }) => peer).filter((peer) => peer !== host)
  expect(keepers).toHaveLength(2)
  const survivor = ids.find((id) => id !== host && !keepers.includes(id))!
  for (const keeper of keepers) {
    invariants.remember(mesh.disks.get(keeper)!)
    if (comeBack) mesh.wipe(keeper)
    else mesh.kill(keeper)
  }
  if (comeBack) for (const keeper of keepers) await mesh.start(keeper)
  expect(await mesh.await(call(survivor), 90_000)).toBe(2)
  await mesh.until('the journal without a majority is closed', () => {
    const state = mesh.peers.get(survivor)!.driver.registry!
    return state.journals.get(journal.key)?.status.kind !== 'open'
  })
  await mesh.clock.run(5000)
  mesh.kill(host)
  expect(await mesh.await(call(survivor), 90_000)).toBe(3)
  expect([...invariants.broken, ...mesh.failures]).toEqual([])
})
