import { expect, test } from 'vitest'
import { stage, synced } from '../stage.ts'
import { believesInLostDisk, decidedSets, outlivesLossOf } from './budget.ts'

test('a journal that only the head has heard of counts, until it is in the registry', async () => {
  const on = await stage(3, 3)
  const [head, ...others] = [on.head, ...on.ids.filter((id) => id !== on.head)]
  const { driver } = on.mesh.peers.get(head)!
  const decided = () => decidedSets(on.mesh, driver.pointer!, on.invariants.committed(driver.pointer!.key))
  expect(decided()).toEqual([])
  for (const id of others) on.mesh.network.cut(head, id, 'unnoticed')
  const opening = driver.journal(synced)
  await on.mesh.until('the head wrote it down', () => decided().length > 0)
  expect(decided().map(({ keepers }) => keepers.length)).toEqual([3])
  expect(on.registry.journals.has(decided()[0]!.key)).toBe(false)
  on.mesh.network.heal()
  await on.mesh.await(opening)
  expect(decided()).toEqual([])
})

test('of three peers, one of which is leaving, only that one may lose its disk', async () => {
  const on = await stage(3, 3)
  const head = on.mesh.peers.get(on.head)!
  const [leaver] = on.ids.filter((id) => id !== on.head)
  expect(on.ids.filter((id) => outlivesLossOf(id, head, new Set()))).toEqual(on.ids)
  expect(on.ids.filter((id) => outlivesLossOf(id, head, new Set([leaver!])))).toEqual([leaver])
})

test('a lost disk is believed in until its streams are closed', async () => {
  const on = await stage(3, 3)
  const [victim] = on.ids.filter((id) => id !== on.head)
  on.mesh.wipe(victim!)
  expect(believesInLostDisk(on.mesh)).toBe(true)
  expect(await on.mesh.clock.run(1000, () => !believesInLostDisk(on.mesh))).toBe(true)
})
