// Directed scenarios of calls that ask for more than their type: synced at a majority, with a receipt.

import { expect, test } from 'vitest'
import type { LogKey, PeerId } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { Receipted } from '../../node/api.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import type { Seen } from './ledger.ts'

type Proven = Receipted<Seen>

const proven = (at: ActorMesh, from: PeerId, token: string, durability?: 'synced'): Promise<Proven> => {
  const options = { timeoutMs: 60_000, receipt: true, ...(durability && { durability }) }
  const call = at.runtimes.get(from)!.call('Ledger', 'a', 'add', [token], options)
  call.catch(() => {})
  return call as Promise<Proven>
}
/** Keepers that have the block on their disks. */
const onDisk = (at: ActorMesh, { receipt: { journal, block } }: Proven): PeerId[] =>
  at.keepers('a').filter((peer) => at.mesh.disks.get(peer)!.durableLength(journal as LogKey) > block)

/** That the newest block is on the keeper's disk; that it was written at all is told before. */
const isAckOfSync = (message: MeshMessage): boolean =>
  message.kind === 'ack' && message.synced > 0 && message.synced === message.length

async function stage(seed: number): Promise<{ at: ActorMesh; one: PeerId; caller: PeerId }> {
  const at = await meshOf(5, { seed })
  const one = at.ids[1]!
  await at.place('a', one, 'a1')
  const [caller] = at.others(one, ...at.keepers('a'))
  return { at, one, caller: caller! }
}

test('W5 a call that asks for it is on the disks of a majority when it is answered, and another one is not', async () => {
  const { at, caller } = await stage(3)
  const plain = await at.mesh.await(proven(at, caller, 'plain'))
  expect(plain.receipt.durability).toBe('replicated')
  expect(onDisk(at, plain).length).toBeLessThan(2)
  const synced = await at.mesh.await(proven(at, caller, 'synced', 'synced'))
  expect(synced.receipt.durability).toBe('synced')
  expect(onDisk(at, synced).length).toBeGreaterThanOrEqual(2)
  expect(synced.receipt.record).toBe(plain.receipt.record + 1)
})

test('W5 what a call threw is told when what it saw is on the disks of a majority', async () => {
  const { at, caller } = await stage(10)
  const plain = await at.mesh.await(proven(at, caller, 'plain'))
  expect(onDisk(at, plain).length).toBeLessThan(2)
  const options = { timeoutMs: 60_000, durability: 'synced' } as const
  const threw = code(at.runtimes.get(caller)!.call('Ledger', 'a', 'addThenThrow', ['never'], options))
  expect(await at.mesh.await(threw)).toBe('ACTOR_ERROR')
  expect(onDisk(at, plain).length).toBeGreaterThanOrEqual(2)
})

test('W5 one keeper’s disk is not enough', async () => {
  const { at, one, caller } = await stage(4)
  at.mesh.network.fate = (_from, to, message) =>
    isAckOfSync(message) && to === one && _from !== one ? 'lost' : 0
  const call = proven(at, caller, 'a2', 'synced')
  const seen = watch(call)
  await at.mesh.clock.run(3000)
  expect(seen.settled).toBe(false)
  at.mesh.network.fate = undefined
  expect(onDisk(at, await at.mesh.await(call)).length).toBeGreaterThanOrEqual(2)
})

/** One keeper beside the host answers; what it has is written, and on no disk. */
async function unsynced(seed: number) {
  const { at, one, caller } = await stage(seed)
  const [answering, silent] = at.keepers('a').filter((peer) => peer !== one) as [PeerId, PeerId]
  at.mesh.network.fate = (from, to, { kind }) =>
    kind === 'ack' && from === silent && to === one ? 'lost' : 0
  const plain = await at.mesh.await(proven(at, caller, 'plain'))
  expect(onDisk(at, plain)).not.toContain(answering)
  return { at, caller, plain, answering, silent }
}

test('W5 a keeper whose machine lost its power counts for nothing of what it had written, and the call waits for others', async () => {
  const { at, caller, plain, answering, silent } = await unsynced(9)
  const { journal } = plain.receipt
  at.mesh.kill(answering, true)
  await at.mesh.start(answering)
  let said = 0
  at.mesh.network.trace = (from, _to, message) => {
    if (from === answering && message.kind === 'ack' && message.log === journal) said++
  }
  const seen = await at.mesh.await(proven(at, caller, 'more', 'synced'))
  expect(said).toBe(0)
  expect(onDisk(at, seen).length).toBeGreaterThanOrEqual(2)
  // All power goes: what was said to be synced is there again.
  at.mesh.network.fate = undefined
  for (const id of at.ids) at.mesh.kill(id, true)
  for (const id of at.ids) at.mesh.begin(id).catch(() => {})
  await at.mesh.until('everybody is back', () => at.live.length === at.ids.length)
  expect(await at.tokens(silent, 'a')).toEqual(['a1', 'plain', 'more'])
})

test('a lost answer of a keeper is asked for again', async () => {
  const { at, one, caller } = await stage(5)
  let lost = 0
  at.mesh.network.fate = (from, to, message) =>
    isAckOfSync(message) && to === one && from !== one && lost++ < 2 ? 'lost' : 0
  await at.mesh.await(proven(at, caller, 'a2', 'synced'), 10_000)
  expect(lost).toBeGreaterThanOrEqual(2)
})

test('the host dies while its keepers sync: the next one syncs it at its own, and says so', async () => {
  const { at, one, caller } = await stage(6)
  let held = true
  at.mesh.network.fate = (from, to, message) =>
    held && message.kind === 'ack' && message.synced > 0 && to === one && from !== one ? 'lost' : 0
  const call = proven(at, caller, 'a2', 'synced')
  await at.mesh.clock.run(1000)
  const boot = at.boot(one)
  at.mesh.kill(one)
  held = false
  await at.recovered(boot)
  const { value, receipt } = await at.mesh.await(call, 60_000)
  expect(value.size).toBe(2)
  expect(at.journals('a').map(({ key }) => key as string)).toContain(receipt.journal)
  expect(onDisk(at, { value, receipt }).length).toBeGreaterThanOrEqual(2)
  expect(await at.tokens(caller, 'a')).toEqual(['a1', 'a2'])
})

test('journals that roll meanwhile leave no caller waiting', async () => {
  const at = await meshOf(5, { seed: 7, settings: { journalMaxBlocks: 6 } })
  await at.place('a', at.ids[1]!, 'a1')
  for (let n = 0; n < 40; n++) {
    const all = [proven(at, at.ids[2]!, `s${n}`, 'synced'), proven(at, at.ids[3]!, `r${n}`)]
    await at.mesh.await(Promise.all(all), 20_000)
  }
  expect((await at.tokens(at.ids[2]!, 'a')).length).toBe(81)
})
