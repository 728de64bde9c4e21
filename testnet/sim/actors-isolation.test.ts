// Directed scenarios of actors in threads of their own, which are lost while their host lives.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { Actor } from '../../node/actors/actor.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import { Ledger } from './ledger.ts'
import { SIM_ISOLATION } from './sim-thread.ts'

class IsolatedLedger extends Ledger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...Ledger.options, isolation: SIM_ISOLATION }
}
/** In the peers' own threads. */
class Other extends Actor<{ added: string[] }> {
  static readonly actorName = 'SyncedLedger'
  override state = { added: [] as string[] }
  add(token: string): number {
    return this.state.added.push(token)
  }
  size(): number {
    return this.state.added.length
  }
  added(): readonly string[] {
    return [...this.state.added]
  }
}

const mesh = (peers = 3, seed = 1): Promise<ActorMesh> =>
  meshOf(peers, { seed, types: [IsolatedLedger, Other] })
const lose = (at: ActorMesh, name: string): void => {
  expect(at.threads.get(at.home(name))!.lose()).toBe(true)
}
const others = (at: ActorMesh, name: string): Promise<unknown> =>
  at.mesh.await(at.runtimes.get(at.head)!.call('SyncedLedger', name, 'added', []))

test('I2 a thread works on the state of the record before, however its host was told of it', async () => {
  const at = await mesh()
  const [zero] = at.ids as [PeerId]
  const tokens = Array.from({ length: 30 }, (_, n) => `t${n}`)
  await Promise.all(tokens.map((token) => at.call(zero, 'a', 'add', token)))
  expect(await at.tokens(zero, 'a')).toEqual(tokens)
})

test('I1 G3 a thread is lost at every moment of a call: its effects happen once', async () => {
  for (let ms = 0; ms < 60; ms += 2) {
    const at = await mesh(3, ms + 1)
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('a', one, 'first')
    const call = at.send(zero, 'a', 'relay', ['t', 'SyncedLedger', 'o'])
    await at.mesh.clock.run(ms)
    lose(at, 'a')
    await at.mesh.await(call)
    expect(await at.tokens(zero, 'a'), `after ${ms} ms`).toEqual(['first', 't.a', 't.b'])
    expect(await others(at, 'o')).toEqual(['t.other'])
  }
})

test('S1 S3 what was sent before a thread is lost arrives once, and alarms ring', async () => {
  for (let ms = 0; ms < 40; ms += 4) {
    const at = await mesh(3, ms + 1)
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('a', one, 'first')
    const calls = [
      at.send(zero, 'a', 'post', ['p', 'SyncedLedger', 'o']),
      at.send(zero, 'a', 'post', ['q', 'SyncedLedger', 'o']),
      at.send(zero, 'a', 'arm', ['r', 30]),
    ]
    await at.mesh.clock.run(ms)
    lose(at, 'a')
    await at.mesh.await(Promise.all(calls))
    await at.mesh.clock.run(3000)
    expect(await at.tokens(zero, 'a'), `after ${ms} ms`).toEqual(['first', 'p', 'q', 'r', 'r.rung'])
    expect(await others(at, 'o')).toEqual(['p.sent', 'q.sent'])
    expect(at.failed).toEqual([])
  }
})

test('a call that may not be retried fails with what became of the thread, and another one goes on', async () => {
  const at = await mesh()
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'first')
  const runtime = at.runtimes.get(zero)!
  const call = runtime.call('Ledger', 'a', 'slowly', ['t', 'SyncedLedger', 'o', 20], { retries: 0 })
  const seen = watch(call)
  await at.mesh.clock.run(40)
  expect(seen.settled).toBe(false)
  lose(at, 'a')
  expect(await at.mesh.await(code(call))).toBe('ACTOR_UNAVAILABLE')
  expect(await at.tokens(zero, 'a')).toEqual(['first'])
})

test('the host dies just after a thread did, and while it starts another', async () => {
  for (const ms of [0, 5, 60]) {
    const at = await mesh(4, ms + 1)
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('a', one, 'first')
    await at.call(zero, 'a', 'add', 'told')
    const call = at.send(zero, 'a', 'relay', ['t', 'SyncedLedger', 'o'])
    await at.mesh.clock.run(20)
    lose(at, 'a')
    await at.mesh.clock.run(ms)
    const boot = at.boot(one)
    at.mesh.kill(one)
    await at.recovered(boot)
    await at.mesh.await(call)
    expect(await at.tokens(zero, 'a')).toEqual(['first', 'told', 't.a', 't.b'])
    expect(await others(at, 'o')).toEqual(['t.other'])
  }
})

test('threads end with their objects: moved away, stopped, passive, of a deposed host', async () => {
  const at = await meshOf(3, { types: [IsolatedLedger, Other], idleMs: 2000 })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  const threads = (peer: PeerId): number => at.threads.get(peer)!.size
  await at.place('a', one, 'first')
  expect(threads(one)).toBe(1)
  await at.move('a', two)
  await at.call(zero, 'a', 'add', 'there')
  expect([threads(one), threads(two)]).toEqual([0, 1])
  await at.mesh.until('it is passive', () => threads(two) === 0)
  expect(await at.tokens(zero, 'a')).toEqual(['first', 'there'])
  expect(threads(two)).toBe(1)
  at.split([two], at.others(two))
  const boot = at.boot(two)
  await at.recovered(boot)
  at.mesh.network.heal()
  await at.mesh.until('its former host knows', () => at.boot(two) !== boot)
  expect(threads(two)).toBe(0)
  expect(await at.tokens(zero, 'a')).toEqual(['first', 'there'])
})
