// Directed scenarios of a change of home: what the old one may still do, and what the new one has to wait for.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { ActorMesh, SentFrame } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import type { Seen } from './ledger.ts'

/** Asks the head for it, and waits for nothing but that it is committed. */
async function beginMove(at: ActorMesh, name: string, to: PeerId): Promise<void> {
  const { key: actor, epoch } = at.entry(name)!
  const { driver } = at.mesh.peers.get(at.head)!
  await at.mesh.await(driver.command({ kind: 'move', actor, epoch, to }))
}

/** The head does not hear that this peer released something, until the network's fate is lifted. */
function holdReleases(at: ActorMesh, peer: PeerId): { readonly came: boolean } {
  const report = { came: false }
  at.mesh.network.fate = (from, _to, message) => {
    if (from !== peer || message.kind !== 'cmd' || message.issued.command.kind !== 'released') return 0
    report.came = true
    return 'lost'
  }
  return report
}

test('H3 serveAfterRelease: between its release and the registry’s word for it an actor answers nothing', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const report = holdReleases(at, one)
  await beginMove(at, 'a', two)
  await at.mesh.until('its record is acknowledged', () => report.came)
  const late = at.send(three, 'a', 'add', ['late'])
  const seen = watch(late)
  await at.mesh.clock.run(2000)
  expect(seen.settled).toBe(false)
  at.mesh.network.fate = undefined
  expect(((await at.mesh.await(late, 90_000)) as Seen).size).toBe(2)
  await at.mesh.until('it moved', () => at.entry('a', zero)!.home === at.boot(two))
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'late'])
})

test('H3 startAfterRelease: a call that waited for a state which moves on is not executed on it', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', zero, 'b1')
  const [between, end] = at.others(zero, one, ...at.keepers('a')) as [PeerId, PeerId]
  let held = true
  at.onRestore = (asker) => !held || asker !== between
  await at.move('a', between)
  const waiting = at.send(zero, 'a', 'slowly', ['a2', 'Ledger', 'b', 3])
  await at.mesh.clock.run(500)
  const report = holdReleases(at, between)
  await beginMove(at, 'a', end)
  await at.mesh.until('its home knows', () => at.entry('a', between)?.status.kind === 'moving')
  held = false
  await at.mesh.until('its record is acknowledged', () => report.came)
  const seen = watch(waiting)
  await at.mesh.clock.run(2000)
  expect(seen.settled).toBe(false)
  at.mesh.network.fate = undefined
  expect(((await at.mesh.await(waiting, 90_000)) as Seen).size).toBe(2)
  await at.mesh.until('it moved on', () => at.entry('a', zero)!.home === at.boot(end))
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('H1 passOverASource: a new home that cannot read the state waits for it', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const [next] = at.others(zero, one, ...at.keepers('a')) as [PeerId]
  let held = true
  at.onRestore = (asker) => !held || asker !== next
  await at.move('a', next)
  const reading = at.send(zero, 'a', 'all')
  const seen = watch(reading)
  await at.mesh.clock.run(8000)
  expect(seen.settled).toBe(false)
  held = false
  expect(await at.mesh.await(reading, 90_000)).toMatchObject({ tokens: ['a1'] })
})

test('rollDuringReadConfirmation: a read that waits for a journal that is left behind is confirmed by the next', async () => {
  const at = await meshOf(6)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  for (const keeper of at.keepers('a')) if (keeper !== one) at.mesh.kill(keeper)
  const reader = at.others(zero, one)[0]!
  expect(await at.tokens(reader, 'a')).toEqual(['a1'])
})

test('W2 joinRunningRound: a round that began before a read proves nothing about it', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const boot = at.boot(one)
  at.mesh.network.trace = (from, _to, { kind }) => {
    if (from !== one || kind !== 'confirm') return
    at.mesh.network.trace = undefined
    at.mesh.freeze(one)
  }
  watch(at.send(one, 'a', 'all'))
  await at.recovered(boot)
  await at.call(zero, 'a', 'add', 'a2')
  // The first thing that it does when it wakes; the confirmations of its round wait behind it.
  const read = at.send(one, 'a', 'all')
  await at.mesh.clock.run(1)
  at.mesh.thaw(one)
  const answer = await code(at.mesh.await(read, 90_000))
  if (answer !== 'CALL_EXPIRED') expect(JSON.parse(answer)).toMatchObject({ tokens: ['a1', 'a2'] })
})

test('newestJournalWins: the state is taken from the newest stay, in however old a journal', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('old', two, 'o1') // its journal is older than that of the other one
  await at.place('a', one, 'a1')
  // The head never hears that the older journal is not needed any more.
  at.mesh.network.fate = (from, _to, message) =>
    from === two && message.kind === 'cmd' && message.issued.command.kind === 'trim' ? 'lost' : 0
  await at.move('a', two)
  await at.call(zero, 'a', 'add', 'a2')
  const boot = at.boot(two)
  at.mesh.kill(two)
  await at.recovered(boot)
  expect(at.entry('a', zero)!.sources.length).toBeGreaterThan(1)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('C2 believeALateError: an error of the old home does not end a call that the new one has', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let held = true
  let late: SentFrame | undefined
  let again = false
  at.onFrame = (sent) => {
    if (sent.frame.t === 'call' && sent.from === three && sent.to === two) again = true
    if (sent.frame.t !== 'answer' || sent.to !== three || sent.frame.answer.kind !== 'error') return true
    late ??= sent
    return !held
  }
  const call = at.send(three, 'a', 'addThenThrow', ['never'])
  const seen = watch(call)
  await at.mesh.until('it threw', () => late !== undefined)
  await at.move('a', two)
  await at.mesh.until('it is sent to the new home', () => again)
  at.repeat(late!, three)
  await at.mesh.clock.run(500)
  expect(seen.settled).toBe(false)
  held = false
  expect(await code(at.mesh.await(call, 90_000))).toBe('ACTOR_ERROR')
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('C4 believeAnOldEnd: a caller that is behind asks before it believes that an actor is over', async () => {
  const at = await meshOf(5)
  const [zero, , , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  const runtime = at.runtimes.get(zero)!
  await at.mesh.await(runtime.stop('Ledger', 'a'))
  await at.mesh.until('all know', () => at.entry('a', three)?.status.kind === 'stopped')
  at.mesh.network.fate = (_from, to, { kind }) => (to === three && kind === 'records' ? 'lost' : 0)
  await at.mesh.await(runtime.create('Ledger', 'a'))
  await at.call(zero, 'a', 'add', 'new')
  const reading = at.send(three, 'a', 'all')
  const seen = watch(reading)
  await at.mesh.clock.run(300)
  expect(seen.settled).toBe(false)
  at.mesh.network.fate = undefined
  expect(await at.mesh.await(reading, 90_000)).toMatchObject({ tokens: ['new'] })
})

test('T1 what was on disks for long outlives a power failure that follows a move: old journals are given up when the copy is synced', async () => {
  const at = await meshOf(12)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { pointer } = at.mesh.peers.get(at.head)!.driver
  // Peers that have no other reason to sync: they keep neither the registry nor what becomes free.
  const busy = new Set([...pointer!.keepers.map(({ peer }) => peer), ...at.keepers('a')])
  let to: PeerId | undefined
  for (const id of at.others(...busy)) {
    await at.place(`of-${id}`, id, 'x')
    if (!at.keepers(`of-${id}`).some((keeper) => busy.has(keeper))) to ??= id
  }
  await at.mesh.await(Promise.all(at.live.map(({ store }) => store.sync())))
  await at.move('a', to!)
  await at.settled('a')
  expect(at.entry('a')!.sources).toEqual([])
  for (const id of at.ids) at.mesh.kill(id, true)
  await at.mesh.clock.run(5000)
  for (const id of at.ids) await at.mesh.start(id)
  await at.mesh.until('everybody is admitted', () => at.live.every(({ driver }) => driver.admitted), 120_000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})
