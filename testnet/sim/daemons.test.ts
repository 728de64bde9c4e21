// Daemons in a simulated mesh: where they are, and what becomes of them when their peer does not stay.

import { expect, test } from 'vitest'
import { actorKey, type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { Actor } from '../../node/actors/actor.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import { Ledger, SyncedLedger } from './ledger.ts'

const made: string[] = []
/** Under the name of a type that these meshes know. */
class Agent extends Ledger {
  static readonly actorName: string = 'Ledger'
  static override readonly options = { ...Ledger.options, daemon: true }
  protected override onActivate(): void {
    made.push(this.context.name)
  }
}
const types = [Agent, SyncedLedger]
const agents = (at: ActorMesh): ActorEntry[] =>
  [...at.registry(at.live[0]!.id).actors.values()].filter(({ key }) => key.startsWith('Ledger/'))
const homes = (at: ActorMesh): Record<string, string | null> =>
  Object.fromEntries(agents(at).map(({ key, home }) => [key, home && peerOfBoot(home)]))
const all = (ids: readonly PeerId[]) => Object.fromEntries(ids.map((id) => [actorKey('Ledger', id), id]))

async function meshWithAgents(peers: number): Promise<ActorMesh> {
  made.length = 0
  const at = await meshOf(peers, { types })
  await at.mesh.until('every peer has its daemon', () => agents(at).every(({ home }) => home !== null))
  return at
}
/** The peer's process ends, and the mesh has noticed. */
async function lose(at: ActorMesh, id: PeerId): Promise<void> {
  const boot = at.boot(id)
  at.mesh.kill(id)
  await at.recovered(boot)
}
const otherThanHead = (at: ActorMesh): PeerId => at.others(at.head)[0]!

test('D1 every peer has one, named by its ID, made without a call; every peer lists them all', async () => {
  const at = await meshWithAgents(4)
  expect(homes(at)).toEqual(all(at.ids))
  await at.mesh.clock.run(1000)
  expect([...made].sort()).toEqual([...at.ids])
  for (const runtime of at.runtimes.values()) expect([...runtime.daemons(Agent)].sort()).toEqual([...at.ids])
  const fifth = at.mesh.name(4)
  await at.mesh.start(fifth)
  await at.mesh.until('the newcomer has one', () => homes(at)[`Ledger/${fifth}`] === fifth)
})

test.each<[string, (at: ActorMesh, id: PeerId) => void]>([
  ['with its disk', () => {}],
  ['without its disk', (at, id) => at.mesh.wipe(id)],
])(
  'D1 the daemon of a lost peer waits, and goes on where it was when its peer is back %s',
  async (_, between) => {
    const at = await meshWithAgents(5)
    const id = otherThanHead(at)
    const other = at.others(id)[0]!
    await at.call(other, id, 'add', 'before')
    await lose(at, id)
    const waiting = at.send(other, id, 'add', ['while it was away'])
    const seen = watch(waiting)
    await at.mesh.clock.run(20_000)
    expect([homes(at)[`Ledger/${id}`], seen.settled]).toEqual([null, false])
    expect(at.mesh.peers.get(other)!.driver.whyNoHome(actorKey('Ledger', id))).toBe(
      `it lives on ${id} only, which is not here`,
    )
    between(at, id)
    const again = at.send(other, id, 'add', ['called in time'])
    await at.mesh.start(id)
    await at.mesh.await(again, 60_000)
    expect(homes(at)).toEqual(all(at.ids))
    expect((await at.tokens(other, id)).filter((token) => token !== 'while it was away')).toEqual([
      'before',
      'called in time',
    ])
  },
)

test('the head and the host of a daemon are lost together: it waits for its peer all the same', async () => {
  const at = await meshWithAgents(5)
  const [head, id] = [at.head, otherThanHead(at)]
  await at.call(id, id, 'add', 'kept')
  const boot = at.boot(id)
  at.mesh.kill(head)
  at.mesh.kill(id)
  await at.recovered(boot)
  await at.mesh.clock.run(5000)
  expect(homes(at)).toMatchObject({ [`Ledger/${id}`]: null, [`Ledger/${head}`]: null })
  await at.mesh.start(id)
  expect(await at.tokens(id, id)).toEqual(['kept'])
})

test('a peer that was taken for lost while it ran has its daemon back, with everything acknowledged', async () => {
  const at = await meshWithAgents(5)
  const id = otherThanHead(at)
  const boot = at.boot(id)
  await at.call(id, id, 'add', 'before')
  at.split([id], at.others(id))
  await at.recovered(boot)
  expect(homes(at)[`Ledger/${id}`]).toBeNull()
  at.mesh.network.heal()
  await at.mesh.until('it is home again', () => homes(at)[`Ledger/${id}`] === id)
  expect(await at.tokens(at.head, id)).toEqual(['before'])
})

test('a peer that leaves hands its daemon over to nobody; the state waits for it', async () => {
  const at = await meshWithAgents(4)
  const id = otherThanHead(at)
  await at.call(id, id, 'add', 'kept')
  const { driver } = at.mesh.peers.get(id)!
  await at.mesh.await(driver.leave())
  at.mesh.kill(id)
  expect(homes(at)[`Ledger/${id}`]).toBeNull()
  expect([...at.runtimes.get(at.head)!.daemons('Ledger')]).toContain(id)
  await at.mesh.start(id)
  expect(await at.tokens(at.head, id)).toEqual(['kept'])
  expect(homes(at)[`Ledger/${id}`]).toBe(id)
})

test('D2 stopped is stopped, also for the next boot; deleted is made anew by it, or by a call', async () => {
  const at = await meshWithAgents(4)
  const [stopped, deleted] = at.others(at.head) as [PeerId, PeerId]
  const runtime = at.runtimes.get(at.head)!
  await at.call(at.head, deleted, 'add', 'gone')
  await at.mesh.await(Promise.all([runtime.stop('Ledger', stopped), runtime.delete('Ledger', deleted)]))
  await at.mesh.clock.run(5000)
  expect(at.entry(deleted)).toBeUndefined()
  for (const id of [stopped, deleted]) {
    await lose(at, id)
    await at.mesh.start(id)
    await at.mesh.clock.run(5000)
  }
  await at.mesh.until('it is made again', () => homes(at)[`Ledger/${deleted}`] === deleted)
  expect(at.entry(stopped)!.status.kind).toBe('stopped')
  expect(runtime.daemons('Ledger')).not.toContain(stopped)
  expect(await at.tokens(at.head, deleted)).toEqual([])
  await at.mesh.await(at.runtimes.get(stopped)!.create('Ledger', stopped))
  await at.mesh.until('it is back', () => homes(at)[`Ledger/${stopped}`] === stopped)
})

test('D1 nobody makes one elsewhere, moves it, or balances it away', async () => {
  const at = await meshWithAgents(3)
  expect(await code(at.mesh.await(at.send(at.head, 'nobody', 'all')))).toBe('BAD_INPUT')
  expect(await code(at.mesh.await(at.runtimes.get(at.head)!.create('Ledger', 'nobody')))).toBe('BAD_INPUT')
  const [id, to] = at.others(at.head) as [PeerId, PeerId]
  await at.call(id, id, 'add', 'here')
  const { epoch, key: actor } = at.entry(id)!
  await at.mesh.await(at.mesh.peers.get(at.head)!.driver.command({ kind: 'move', actor, epoch, to }))
  await at.mesh.until('the move is over', () => at.entry(id)!.epoch > epoch && at.entry(id)!.home !== null)
  await at.mesh.clock.run(20_000)
  expect(homes(at)).toEqual(all(at.ids))
  expect(await at.tokens(to, id)).toEqual(['here'])
})

test('only peers with the labels that its type requires have one', async () => {
  class Probe extends Actor {
    static readonly actorName = 'Ledger'
    static readonly options = { daemon: true, labels: { probe: 'yes' } }
  }
  const at = await meshOf(3, {
    types: [Probe, SyncedLedger],
    describe: (id) => ({ labels: id.endsWith('1') ? { probe: 'yes' } : {} }),
  })
  await at.mesh.clock.run(5000)
  expect(homes(at)).toEqual(all([at.ids[1]!]))
})
