// Directed scenarios of where actors live: what they ask of a home, what they wait for, and moves for the better.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { ActorUnavailableError } from '../../node/errors.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { meshOf, watch } from './actor-stage.ts'
import { Ledger, type Seen, SyncedLedger } from './ledger.ts'

class GpuLedger extends Ledger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...Ledger.options, resources: { gpu: 1 } }
}
class PinnedLedger extends Ledger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...Ledger.options, home: 'head' as const }
}
class LonelyLedger extends Ledger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...Ledger.options, apartFrom: ['SyncedLedger'] }
}
class NorthernLedger extends Ledger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...Ledger.options, preferLabels: { zone: 'north' } }
}

const index = (id: PeerId): number => Number(id.slice(-2))
const withGpu =
  (...indexes: number[]) =>
  (id: PeerId) =>
    indexes.includes(index(id)) ? { resources: { gpu: 1 } } : {}
const northernNewcomer = (id: PeerId) => (index(id) === 9 ? { labels: { zone: 'north' } } : {})
const why = (at: ActorMesh, name: string, peer: PeerId): string =>
  at.mesh.peers.get(peer)!.driver.whyNoHome(at.key(name))
/** Homes of all actors, by how many each peer has. */
const loads = (at: ActorMesh): number[] =>
  at.live.map(({ driver }) => at.registry().actors.at(driver.boot).load)

test('the host with the only gpu dies: its actor waits and says for what, and goes on where the next gpu joins', async () => {
  const at = await meshOf(4, { types: [GpuLedger, SyncedLedger], describe: withGpu(1, 9) })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  expect(at.home('a')).toBe(one)
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  expect(at.entry('a')).toMatchObject({ home: null, status: { kind: 'running' } })
  for (const peer of at.others(one)) {
    await at.mesh.until(`${peer} knows`, () => why(at, 'a', peer) !== '')
    expect(why(at, 'a', peer)).toMatch(/^needs gpu=1: peer-\d\d offers none, /)
  }
  const tooShort = await at.mesh.await(at.send(two, 'a', 'all', [], 2000)).catch((error: unknown) => error)
  expect(tooShort).toBeInstanceOf(ActorUnavailableError)
  expect((tooShort as ActorUnavailableError).why).toContain('needs gpu=1: ')
  const patient = at.send(two, 'a', 'add', ['a2'])
  await at.mesh.start(at.mesh.name(9))
  expect(((await at.mesh.await(patient, 90_000)) as Seen).size).toBe(2)
  expect(at.home('a')).toBe(at.mesh.name(9))
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('one that waits gets what another one frees', async () => {
  const at = await meshOf(3, { types: [GpuLedger, SyncedLedger], describe: withGpu(1) })
  const [zero, , two] = at.ids as [PeerId, PeerId, PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  const waiting = at.send(two, 'b', 'add', ['b1'])
  const seen = watch(waiting)
  await at.mesh.until('it waits', () => at.entry('b') !== undefined)
  await at.mesh.clock.run(3000)
  expect([seen.settled, at.entry('b')!.home]).toEqual([false, null])
  expect(why(at, 'b', two)).toBe(
    'needs gpu=1: peer-01 has 0 of 1 left, peer-00 offers none, peer-02 offers none',
  )
  await at.mesh.await(at.runtimes.get(zero)!.stop('Ledger', 'a'))
  expect(((await at.mesh.await(waiting)) as Seen).size).toBe(1)
})

test('A6 many made at once, in whatever batches: none is one too many, and stops make room for as many', async () => {
  const describe = () => ({ resources: { gpu: 2 } })
  const at = await meshOf(3, { types: [GpuLedger, SyncedLedger], describe })
  const names = Array.from({ length: 10 }, (_, n) => `a${n}`)
  const calls = names.map((name, n) => at.send(at.ids[n % 3]!, name, 'add', [`${name}-1`]))
  calls.forEach(watch)
  await at.mesh.until('all are known', () => names.every((name) => at.entry(name)))
  await at.mesh.clock.run(2000)
  const homeless = () => names.filter((name) => at.entry(name)!.home === null)
  expect(homeless().length).toBe(4)
  const lucky = names.filter((name) => !homeless().includes(name))
  for (const name of lucky.slice(0, 4)) await at.mesh.await(at.runtimes.get(at.ids[0]!)!.stop('Ledger', name))
  await at.mesh.await(Promise.allSettled(calls), 90_000)
  expect(loads(at)).toEqual([2, 2, 2])
})

test('types that keep apart never meet, whichever comes first', async () => {
  const at = await meshOf(2, { types: [LonelyLedger, SyncedLedger] })
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  for (const name of ['synced-1', 'synced-2', 'synced-3']) await at.call(zero, name, 'add', 'x')
  const alone = at.home('a')
  for (const name of ['synced-1', 'synced-2', 'synced-3']) expect(at.home(name)).not.toBe(alone)
  for (const name of ['b', 'c']) await at.call(one, name, 'add', 'x')
  expect([at.home('b'), at.home('c')]).toEqual([alone, alone])
  await expect(at.move('a', at.others(alone)[0]!)).rejects.toThrow('a is at')
  expect(at.home('a')).toBe(alone)
})

test('the head changes, by death and by hand-over: the pinned actor follows, with everything', async () => {
  const at = await meshOf(5, { types: [PinnedLedger, SyncedLedger], settings: { rebalanceMoves: 0 } })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.call(two, 'a', 'add', 'a1')
  expect(at.home('a')).toBe(zero)
  const boot = at.boot(zero)
  at.mesh.kill(zero)
  await at.mesh.until('there is another head', () => at.live.some(({ driver }) => driver.isHead))
  await at.recovered(boot)
  await at.call(two, 'a', 'add', 'a2')
  expect([at.head, at.home('a')]).toEqual([one, one])
  await at.mesh.start(zero)
  await at.mesh.until('the head is handed over', () => at.mesh.peers.get(zero)!.driver.isHead)
  await at.mesh.until('it followed', () => at.home('a', zero) === zero)
  await at.call(two, 'a', 'add', 'a3')
  expect(await at.tokens(one, 'a')).toEqual(['a1', 'a2', 'a3'])
})

test('a move of a pinned actor to elsewhere brings it back to the head', async () => {
  const at = await meshOf(3, { types: [PinnedLedger, SyncedLedger] })
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  const { key: actor, epoch } = at.entry('a')!
  await at.mesh.await(at.mesh.peers.get(zero)!.driver.command({ kind: 'move', actor, epoch, to: one }))
  await at.mesh.until('it has moved', () => at.entry('a')!.epoch > epoch)
  expect(at.home('a')).toBe(zero)
})

test('a newcomer gets its share while calls go on: each happens once, and then nothing moves any more', async () => {
  const at = await meshOf(3)
  const [zero] = at.ids as [PeerId, PeerId, PeerId]
  const names = Array.from({ length: 24 }, (_, n) => `a${n}`)
  await at.mesh.await(Promise.all(names.map((name) => at.send(zero, name, 'add', ['first']))))
  const newcomer = at.mesh.name(9)
  await at.mesh.start(newcomer)
  const joinedAt = at.mesh.clock.now
  const moves: number[] = []
  const epochs = (): number => names.reduce((sum, name) => sum + at.entry(name)!.epoch, 0)
  const calls: Promise<unknown>[] = []
  for (let round = 0; round < 60; round++) {
    const before = epochs()
    for (const name of names.slice(0, 12)) calls.push(at.send(at.ids[round % 3]!, name, 'add', [`${round}`]))
    await at.mesh.clock.run(250)
    moves.push(epochs() - before)
    // A few at a time, and not before it has been there for a while.
    const moving = names.filter((name) => at.entry(name)!.status.kind === 'moving')
    expect(moving.length).toBeLessThanOrEqual(4)
    if (at.mesh.clock.now - joinedAt < 3000) expect(moving).toEqual([])
  }
  await at.mesh.await(Promise.all(calls), 90_000)
  const [share, ...rest] = loads(at).toReversed() as [number, ...number[]]
  expect(Math.max(...rest) - share).toBeLessThanOrEqual(4)
  expect(share).toBeGreaterThanOrEqual(3)
  expect(moves.reduce((sum, n) => sum + n, 0)).toBe(share)
  const before = epochs()
  await at.mesh.clock.run(20_000)
  expect(epochs()).toBe(before)
  const expected = ['first', ...Array.from({ length: 60 }, (_, round) => `${round}`)].sort()
  for (const name of names.slice(0, 12))
    expect([...(await at.tokens(newcomer, name))].sort()).toEqual(expected)
})

test('moves are few at a time, and in no hurry: four begin, and more a second later', async () => {
  const at = await meshOf(3, { types: [NorthernLedger, SyncedLedger], describe: northernNewcomer })
  const names = Array.from({ length: 14 }, (_, n) => `a${n}`)
  await at.mesh.await(Promise.all(names.map((name) => at.send(at.ids[0]!, name, 'add', ['x']))))
  const begun = new Map<string, number>()
  let most = 0
  at.mesh.peers.get(at.head)!.driver.onRegistry(({ actors }) => {
    const moving = [...actors.values()].filter(({ status }) => status.kind === 'moving')
    for (const { key } of moving) if (!begun.has(key)) begun.set(key, at.mesh.clock.now)
    most = Math.max(most, moving.length)
  })
  const newcomer = at.mesh.name(9)
  await at.mesh.start(newcomer)
  await at.mesh.until('all are in the north', () => names.every((name) => at.home(name) === newcomer))
  expect([begun.size, most]).toEqual([14, 4])
  const times = [...begun.values()].sort((a, b) => a - b)
  times.forEach((time, n) => {
    const fifth = times[n + 4]
    if (fifth !== undefined) expect(fifth - time).toBeGreaterThan(900)
  })
})

test('with rebalanceMoves: 0 a newcomer gets nothing that runs elsewhere', async () => {
  const at = await meshOf(2, { settings: { rebalanceMoves: 0 } })
  for (let n = 0; n < 16; n++) await at.call(at.ids[0]!, `a${n}`, 'add', 'x')
  await at.mesh.start(at.mesh.name(9))
  await at.mesh.clock.run(15_000)
  expect(loads(at)[2]).toBe(0)
})

test('a preferred label is had when it comes, and B4 nothing moves while a lost peer is being recovered', async () => {
  const at = await meshOf(5, { types: [NorthernLedger, SyncedLedger], describe: northernNewcomer })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  const victim = at.home('a') === one ? two : one
  await at.place('synced-b', victim, 'b1')
  const boot = at.boot(victim)
  // Nobody's word that a journal is sealed reaches the head.
  at.mesh.network.fate = (_from, _to, message) =>
    message.kind === 'sealed' && at.registry(zero).journals.has(message.log) ? 'lost' : 0
  at.mesh.kill(victim)
  await at.mesh.until('it is being recovered', () => at.mesh.peers.get(zero)!.driver.recoveries().has(boot))
  const { epoch } = at.entry('a')!
  await at.mesh.start(at.mesh.name(9))
  await at.mesh.clock.run(10_000)
  expect([at.entry('a')!.epoch, at.registry().boots.get(boot)?.status]).toEqual([epoch, 'live'])
  at.mesh.network.fate = undefined
  await at.recovered(boot)
  await at.mesh.until('it has moved north', () => at.home('a') === at.mesh.name(9))
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})
