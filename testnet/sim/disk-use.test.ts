// Journals follow what is alive: rolled, copied and retired, however long the load lasts.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { MeshSettings } from '../../mesh/settings.ts'
import { Actor } from '../../node/actors/actor.ts'
import { createRuntime, type Runtime } from '../../node/actors/runtime.ts'
import { SimMesh } from './mesh.ts'
import { replicated, stage } from './stage.ts'

const ACTORS = 8
const STATE_BYTES = 2000
/** Between two rounds of calls, each of which writes all that is alive anew: long enough for a journal to be rolled. */
const PAUSE_MS = 200

/** Of one size for ever. */
class Board extends Actor<{ text: string; times: number }> {
  override state = { text: '.'.repeat(STATE_BYTES), times: 0 }
  put(): number {
    this.state.text = String(this.state.times % 10).repeat(STATE_BYTES)
    return ++this.state.times
  }
}

/** Its constructor fails, so it is given up at its first call. */
class Broken extends Actor<object> {
  override state = {}
  constructor() {
    super()
    throw new Error('never')
  }
  touch(): void {}
}

async function startMesh(settings: Partial<MeshSettings>): Promise<[SimMesh, Map<PeerId, Runtime>]> {
  const runtimes = new Map<PeerId, Runtime>()
  const mesh: SimMesh = new SimMesh({
    seed: 1,
    types: ['Board', 'Broken'],
    settings,
    onStart: ({ id, driver, store, clock }) =>
      void runtimes.set(id, createRuntime({ mesh: driver, store, clock, types: [Board, Broken] })),
  })
  for (const index of [0, 1, 2]) await mesh.start(mesh.name(index), index === 0)
  await mesh.until('all are admitted', () => [...mesh.peers.values()].every(({ driver }) => driver.admitted))
  await mesh.clock.run(3000)
  return [mesh, runtimes]
}

/** Of journals, at the disk that holds most; the registry has a limit of its own. */
const bytesOfJournals = (mesh: SimMesh): number =>
  Math.max(
    ...[...mesh.disks.values()].map(({ writtenLogs, durableFacts }) =>
      [...writtenLogs]
        .filter(([key]) => durableFacts?.logs[key]?.class !== 'registry')
        .flatMap(([, blocks]) => blocks)
        .reduce((sum, { block }) => sum + block.byteLength, 0),
    ),
  )

async function load(mesh: SimMesh, runtimes: Map<PeerId, Runtime>, calls: number): Promise<number> {
  let most = 0
  for (let n = 0; n < calls; n += ACTORS) {
    const names = Array.from({ length: ACTORS }, (_, i) => `board-${i}`)
    await mesh.await(
      Promise.all(names.map((name, i) => runtimes.get(mesh.name(i % 3))!.call('Board', name, 'put', []))),
    )
    most = Math.max(most, bytesOfJournals(mesh))
    await mesh.clock.run(PAUSE_MS)
  }
  return most
}

test('a load of one hundred times the live state leaves a few times the live state on each disk', async () => {
  const [mesh, runtimes] = await startMesh({ journalMaxBytes: 4000 })
  const live = ACTORS * STATE_BYTES
  const most = await load(mesh, runtimes, 800)
  expect(most).toBeLessThan(5 * live)
  await mesh.clock.run(10_000)
  expect(mesh.failures).toEqual([])
  for (const { driver } of mesh.peers.values()) expect(driver.registry!.journals.size).toBe(3)
})

test('a journal of which more than the limit is alive is not rolled again and again', async () => {
  const [mesh, runtimes] = await startMesh({ journalMaxBytes: 500 })
  await load(mesh, runtimes, ACTORS)
  await mesh.clock.run(20_000)
  const orders = () =>
    [...mesh.peers.values()].map(({ driver }) => driver.registry!.nextOrder).sort((a, b) => b - a)[0]!
  const before = orders()
  await mesh.clock.run(20_000)
  expect(orders()).toBe(before)
  await load(mesh, runtimes, 100)
  // Each roll of a host's journal costs a copy of what is alive there, and comes after as much was written.
  expect(orders() - before).toBeLessThan(100 / 2)
})

test('an actor that could not be made keeps no journal of its host', async () => {
  const [mesh, runtimes] = await startMesh({ journalMaxBytes: 4000 })
  const names = ['x', 'y', 'z']
  for (const [i, name] of names.entries()) {
    const call = runtimes.get(mesh.name(i))!.call('Broken', name, 'touch', [])
    await expect(mesh.await(call)).rejects.toThrow('is dead')
  }
  const most = await load(mesh, runtimes, 400)
  expect(most).toBeLessThan(5 * ACTORS * STATE_BYTES)
  await mesh.clock.run(10_000)
  expect(mesh.failures).toEqual([])
  for (const { driver } of mesh.peers.values()) expect(driver.registry!.journals.size).toBe(3)
})

test('the registry is compacted by its bytes, which every peer has in memory, and not again and again', async () => {
  const registryMaxBytes = 20_000
  const on = await stage(46, 3, replicated, { journalMaxBlocks: 8, registryMaxBytes })
  const term = () => Math.max(...[...on.mesh.peers.values()].map(({ driver }) => driver.pointer!.term))
  const before = term()
  let most = 0
  let commands = 0
  for (let second = 0; second < 10; second++) {
    await on.mesh.clock.run(1000)
    for (const { disk, driver } of on.mesh.peers.values()) {
      const log = disk.writtenLogs.get(driver.pointer!.key) ?? []
      most = Math.max(
        most,
        log.reduce((sum, { block }) => sum + block.byteLength, 0),
      )
      commands = Math.max(commands, driver.registry!.nextOrder)
    }
  }
  expect(commands).toBeGreaterThan(100)
  expect(most).toBeLessThan(3 * registryMaxBytes)
  const terms = term() - before
  expect(terms).toBeGreaterThan(1)
  expect(terms).toBeLessThan(20)
  await on.whole()
})
