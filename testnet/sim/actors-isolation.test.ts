// Directed scenarios of actors in threads of their own, which are lost while their host lives.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { Actor } from '../../node/actors/actor.ts'
import type { ActorMesh } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import { Ledger, OwnLedger } from './ledger.ts'
import { SIM_ISOLATION } from './sim-thread.ts'

class IsolatedLedger extends Ledger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...Ledger.options, isolation: SIM_ISOLATION }
}
class LooseLedger extends IsolatedLedger {
  static override readonly options = { ...IsolatedLedger.options, checkpoint: 'manual' } as const
}
class FieldsLedger extends OwnLedger {
  static readonly actorName = 'Ledger'
  static override readonly options = { ...OwnLedger.options, isolation: SIM_ISOLATION }
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
    const tokens = await at.tokens(zero, 'a')
    // A call that is tried again may come after later ones, as after a lost host.
    expect([...tokens].sort(), `after ${ms} ms`).toEqual(['first', 'p', 'q', 'r', 'r.rung'])
    const sent = tokens.filter((token) => token === 'p' || token === 'q').map((token) => `${token}.sent`)
    expect(await others(at, 'o')).toEqual(sent)
    expect(at.failed).toEqual([])
  }
})

test('S3 another object does not start before it is written what the former one had answered', async () => {
  const at = await meshOf(7, { types: [IsolatedLedger, Other] })
  const [, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'first')
  await at.call(one, 'a', 'post', 'p', 'SyncedLedger', 'o')
  await at.mesh.clock.run(120) // it was answered, and that waits for a record to be in
  const unsaved = (): number => at.runtimes.get(one)!.savedOf(at.key('a'))!.unsaved
  expect(unsaved()).toBe(0)
  at.split([one], at.keepers('a'))
  lose(at, 'a')
  expect(unsaved()).toBe(1)
  await at.mesh.clock.run(500)
  expect([unsaved(), at.threads.get(one)!.size]).toEqual([1, 0])
  at.mesh.network.heal()
  expect(await at.tokens(one, 'a')).toEqual(['first', 'p'])
})

test('T3 copyAfterTheObject: a thread is lost, and its last record is in a journal that is closed without it', async () => {
  const at = await meshOf(7, { types: [IsolatedLedger, Other] })
  const [, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'first')
  for (const keeper of at.keepers('a')) if (keeper !== one) at.mesh.kill(keeper)
  watch(at.send(one, 'a', 'add', ['second']))
  await at.mesh.clock.run(50)
  expect(at.runtimes.get(one)!.savedOf(at.key('a'))!.unsaved).toBe(1)
  lose(at, 'a')
  expect(await at.tokens(one, 'a')).toEqual(['first', 'second'])
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

test('L6 checkpoint() in a thread: what it saved is there when the host is lost', async () => {
  const at = await meshOf(3, { types: [LooseLedger, Other] })
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'first')
  await at.call(zero, 'a', 'add', 'saved')
  const saving = at.send(zero, 'a', 'addAndSave', ['by itself'])
  // What called it is written before it is answered, as everything that others may know of.
  await at.mesh.await(saving)
  await at.call(zero, 'a', 'add', 'lost')
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  expect(await at.tokens(zero, 'a')).toEqual(['first', 'saved', 'by itself'])
})

test('what a relaxed policy has answered survives the loss of the thread', async () => {
  const at = await meshOf(3, { types: [LooseLedger, Other] })
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'first')
  await at.call(zero, 'a', 'add', 'answered')
  lose(at, 'a')
  await at.call(zero, 'a', 'add', 'after')
  expect(await at.tokens(zero, 'a')).toEqual(['first', 'answered', 'after'])
})

test('O2 G4 an object with fields of its own is another one after a throw', async () => {
  const at = await meshOf(3, { types: [FieldsLedger, Other] })
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'first')
  const thrown = at.runtimes.get(zero)!.call('Ledger', 'a', 'addThenThrow', ['never'])
  expect(await at.mesh.await(code(thrown))).toBe('ACTOR_ERROR')
  expect(await at.tokens(zero, 'a')).toEqual(['first'])
  for (let ms = 0; ms < 30; ms += 3) {
    const again = at.runtimes.get(zero)!.call('Ledger', 'a', 'addThenThrow', ['never'])
    const seen = code(again)
    await at.mesh.clock.run(ms)
    lose(at, 'a')
    expect(await at.mesh.await(seen), `after ${ms} ms`).toBe('ACTOR_ERROR')
    await at.call(zero, 'a', 'add', `${ms}`)
  }
  expect(await at.tokens(zero, 'a')).toEqual(['first', ...Array.from({ length: 10 }, (_, n) => `${n * 3}`)])
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

test('I3 a thread is lost in the very moment that its object is made, of a new actor and of one with a state', async () => {
  const at = await mesh()
  const [zero] = at.ids as [PeerId]
  for (const threads of at.threads.values()) threads.stillborn = 2
  await at.call(zero, 'a', 'add', 'first')
  const threads = at.threads.get(at.home('a'))!
  threads.stillborn = 2
  lose(at, 'a')
  await at.call(zero, 'a', 'add', 'second')
  expect(threads.stillborn).toBe(0)
  expect(await at.tokens(zero, 'a')).toEqual(['first', 'second'])
})

test('a host has no room for a thread for a while: even a new actor waits for it', async () => {
  const at = await mesh()
  const [zero] = at.ids as [PeerId]
  for (const threads of at.threads.values()) threads.refused = 2
  await at.call(zero, 'a', 'add', 'first')
  expect(await at.tokens(zero, 'a')).toEqual(['first'])
})

test('a thread that is still starting ends when its actor is stopped', async () => {
  const at = await mesh()
  const [zero] = at.ids as [PeerId]
  const runtime = at.runtimes.get(zero)!
  const running = (): number => [...at.threads.values()].reduce((sum, { size }) => sum + size, 0)
  for (let n = 0; n < 12; n++) {
    const name = `n${n}`
    const first = code(runtime.call('Ledger', name, 'add', ['t']))
    await at.mesh.until('its thread starts', () => running() > 0)
    await at.mesh.clock.run(n / 2)
    await at.mesh.await(runtime.stop('Ledger', name))
    expect(running()).toBe(0)
    await at.mesh.await(first)
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
