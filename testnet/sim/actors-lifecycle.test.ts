// Directed scenarios of objects that come and go: passivated actors and hooks, under the same faults as running ones.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { DeactivateReason } from '../../node/actors/types.ts'
import type { ActorMesh, SentFrame } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import { Ledger, SyncedLedger } from './ledger.ts'

const IDLE_MS = 2000

const asleep = (at: ActorMesh, name: string): Promise<unknown> =>
  at.mesh.until(`${name} is passive`, () => {
    const runtime = at.runtimes.get(at.home(name))!
    return runtime.passive > 0 && runtime.live === 0
  })

test('the host of passive actors dies: every one is back with everything', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  for (const name of ['a', 'b', 'c']) {
    await at.place(name, one, `${name}1`)
    await at.call(zero, name, 'add', `${name}2`)
  }
  await asleep(at, 'a')
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  for (const name of ['a', 'b', 'c']) expect(await at.tokens(two, name)).toEqual([`${name}1`, `${name}2`])
})

test('a passive actor moves away and back, and sleeps at each home', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  for (const [round, home] of [two, one, two].entries()) {
    await asleep(at, 'a')
    await at.move('a', home)
    await at.call(three, 'a', 'add', `r${round}`)
  }
  await asleep(at, 'a')
  expect(await at.tokens(three, 'a')).toEqual(['a1', 'r0', 'r1', 'r2'])
})

test('journals are rolled and retired below passive actors, none of which becomes an object for it', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS, settings: { journalMaxBlocks: 8 } })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  for (const name of ['idle', 'idler']) await at.place(name, one, `${name}1`)
  await at.place('busy', one, 'b0')
  await asleep(at, 'idle')
  const runtime = at.runtimes.get(one)!
  for (let n = 1; n <= 60; n++) {
    await at.call(zero, 'busy', 'add', `b${n}`)
    expect(runtime.live).toBeLessThanOrEqual(3)
  }
  await at.mesh.clock.run(8000)
  expect(runtime.passive).toBe(3)
  expect(at.journals('idle').length).toBeLessThanOrEqual(2)
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  for (const name of ['idle', 'idler']) expect(await at.tokens(two, name)).toEqual([`${name}1`])
  expect((await at.tokens(two, 'busy')).length).toBe(61)
})

test('a passive actor is stopped; its name starts afresh', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'old')
  await asleep(at, 'a')
  await at.mesh.await(at.runtimes.get(zero)!.stop('Ledger', 'a'))
  expect(await code(at.mesh.await(at.send(two, 'a', 'all')))).toBe('ACTOR_DIED')
  await at.mesh.await(at.runtimes.get(zero)!.create('Ledger', 'a'))
  expect(await at.tokens(two, 'a')).toEqual([])
})

test('P2 a late copy of a call that threw is answered from before the rest, never executed after it', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let late: SentFrame | undefined
  at.onFrame = (sent) => {
    if (sent.from === three && sent.frame.t === 'call') late ??= sent
    return true
  }
  expect(await code(at.mesh.await(at.send(three, 'a', 'addThenThrow', ['never'])))).toBe('ACTOR_ERROR')
  await asleep(at, 'a')
  const again = { ...late!, frame: { ...late!.frame, method: 'add' } as SentFrame['frame'] }
  at.repeat(again, one)
  await at.mesh.clock.run(500)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
  // Three calls again, so the floor says that it has its answer: nothing of it is left but the floor.
  await at.call(three, 'a', 'all')
  await at.call(three, 'a', 'all')
  await asleep(at, 'a')
  at.repeat(again, one)
  await at.mesh.clock.run(500)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('P2 a passive actor is copied into the next journal with what it told of calls that threw', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS, settings: { journalMaxBlocks: 8 } })
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('busy', one, 'b0')
  let late: SentFrame | undefined
  at.onFrame = (sent) => {
    if (sent.from === three && sent.frame.t === 'call') late ??= sent
    return true
  }
  expect(await code(at.mesh.await(at.send(three, 'a', 'addThenThrow', ['never'])))).toBe('ACTOR_ERROR')
  await asleep(at, 'a')
  const wholeIn = at.journals('a').map(({ key }) => key)
  for (let n = 1; n <= 60; n++) await at.call(zero, 'busy', 'add', `b${n}`)
  await at.mesh.clock.run(8000)
  await asleep(at, 'a')
  expect(at.journals('a').filter(({ key }) => wholeIn.includes(key))).toEqual([])
  at.repeat({ ...late!, frame: { ...late!.frame, method: 'add' } as SentFrame['frame'] }, one)
  await at.mesh.clock.run(500)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('P1 an actor whose record waits for its keepers does not rest, and nothing is answered from what may be lost', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  // Its host hears nobody any more, and is recovered without what it wrote last.
  at.split([one], at.others(one))
  const lost = watch(at.send(one, 'a', 'add', ['lost']))
  await at.mesh.clock.run(IDLE_MS * 3)
  expect(at.runtimes.get(one)!.passive).toBe(0)
  expect(lost.settled).toBe(false)
  expect(await at.tokens(two, 'a')).toEqual(['a1'])
  at.mesh.network.heal()
  await at.mesh.until('the old host has a new boot', () => at.mesh.peers.get(one)!.driver.admitted)
  await at.mesh.clock.run(5000)
  expect((await at.tokens(zero, 'a')).slice(0, 1)).toEqual(['a1'])
})

const hooked: { reasons: string[]; starts: number; failing: number; slow: boolean } = {
  reasons: [],
  starts: 0,
  failing: 0,
  slow: false,
}
/** Writes its own lines at both ends of every object. */
class Hooked extends Ledger {
  static readonly actorName = 'Ledger'
  protected override async onActivate(restored: boolean): Promise<void> {
    hooked.starts++
    this.state.tokens.push(restored ? 'back' : 'born')
    if (hooked.slow) await this.context.actor('Ledger', 'other').add!(`seen ${this.state.tokens.length}`)
    if (hooked.failing > 0) {
      hooked.failing--
      throw new Error(`not now: ${'and why '.repeat(10_000)}`)
    }
  }
  protected override onDeactivate(reason: DeactivateReason): void {
    hooked.reasons.push(reason)
    this.state.tokens.push(reason)
  }
}
let announcing = false
/** Sends when it starts. */
class Announcing extends Ledger {
  static readonly actorName = 'Ledger'
  protected override async onActivate(): Promise<void> {
    if (announcing && this.context.name === 'a')
      await this.context.actor('Ledger', 'other').send.add!('a is up')
  }
}
const announcingMesh = (): Promise<ActorMesh> =>
  meshOf(5, { idleMs: IDLE_MS, types: [Announcing, SyncedLedger] })

const hookedMesh = (): Promise<ActorMesh> => {
  Object.assign(hooked, { reasons: [], starts: 0, failing: 0, slow: false })
  return meshOf(5, { idleMs: IDLE_MS, types: [Hooked, SyncedLedger] })
}

test('hooks: what they change is in the state wherever the actor goes; a crash runs none', async () => {
  const at = await hookedMesh()
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  if (at.entry('a')!.epoch === 1) await asleep(at, 'a')
  await at.move('a', two)
  await at.call(zero, 'a', 'add', 'a2')
  const before = await at.tokens(zero, 'a')
  expect(before[0]).toBe('born')
  expect(before.slice(-2)).toEqual(['back', 'a2'])
  const boot = at.boot(two)
  at.mesh.kill(two)
  await at.recovered(boot)
  expect(await at.tokens(zero, 'a')).toEqual([...before, 'back'])
})

test('G5 a host that is cut off in onActivate lets nothing of it out; the next home starts it again', async () => {
  const at = await hookedMesh()
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('other', two, 'o1')
  await at.place('a', one, 'a1')
  await asleep(at, 'a')
  hooked.slow = true
  at.split([one], at.others(one))
  const read = watch(at.send(one, 'a', 'all'))
  await at.mesh.clock.run(1000)
  expect(read.settled).toBe(false)
  hooked.slow = false
  const tokens = await at.tokens(zero, 'a')
  expect(tokens.filter((token) => token === 'a1')).toEqual(['a1'])
  expect((await at.tokens(zero, 'other')).filter((token) => token.startsWith('seen'))).toEqual([])
  at.mesh.network.heal()
})

test('S1 what onActivate sends leaves when its record is acknowledged, once', async () => {
  const at = await announcingMesh()
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('other', two, 'o1')
  await at.place('a', one, 'a1')
  await asleep(at, 'a')
  announcing = true
  const unsaved: number[] = []
  at.onFrame = ({ from, frame }) => {
    const isSent = from === one && frame.t === 'call' && frame.actor === at.key('other')
    if (isSent) unsaved.push(at.runtimes.get(one)!.savedOf(at.key('a'))!.unsaved)
    return true
  }
  await at.call(zero, 'a', 'all')
  await at.mesh.clock.run(1000)
  announcing = false
  expect(unsaved).toEqual([0])
  expect(await at.tokens(zero, 'other')).toEqual(['o1', 'a is up'])
})

test('H3 an actor that is moved while onActivate runs lets nothing of that life out any more', async () => {
  let goOn: (() => void) | undefined
  class Newborn extends Ledger {
    override async onActivate(): Promise<void> {
      const { key, epoch } = this.context
      if (key !== 'Ledger/a' || epoch > 1) return
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      await this.context.actor('Ledger', 'other').add!(`born in ${this.state.life}`)
    }
  }
  Object.defineProperty(Newborn, 'name', { value: 'Ledger' })
  const at = await meshOf(5, { types: [Newborn, SyncedLedger] })
  const [zero, , two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('other', two, 'o1')
  const added = at.send(zero, 'a', 'add', ['a1'])
  await at.mesh.until('its first home starts it', () => goOn !== undefined)
  const first = at.home('a')
  await at.move('a', at.others(first, two)[0]!)
  await at.mesh.await(added)
  goOn!()
  await at.mesh.clock.run(3000)
  // The state that its first home made is in no record that counts.
  expect(await at.tokens(zero, 'other')).toEqual(['o1'])
  expect((await at.call<{ life: number }>(zero, 'a', 'all')).life).toBe(2)
})

test('kill: the life ends in the middle of a call; the state comes back, and calls happen once', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  await at.call(zero, 'a', 'add', 'a2')
  const { epoch, restarts } = at.entry('a')!
  // The method waits for an answer that does not come: only an end of this life frees the actor.
  at.onFrame = ({ frame }) => !(frame.t === 'call' && frame.id.path !== '' && at.entry('a')!.epoch === epoch)
  const slow = at.send(zero, 'a', 'slowly', ['s1', 'Ledger', 'b', 1])
  const behind = at.send(two, 'a', 'add', ['a3'])
  await at.mesh.clock.run(500)
  await at.mesh.await(at.runtimes.get(zero)!.kill('Ledger', 'a', true))
  expect(at.entry('a', zero)).toMatchObject({ epoch: epoch + 1, restarts: restarts + 1 })
  await at.mesh.await(Promise.all([slow, behind]))
  const tokens = await at.tokens(zero, 'a')
  expect(tokens.slice(0, 2)).toEqual(['a1', 'a2'])
  expect([...tokens].sort()).toEqual(['a1', 'a2', 'a3', 's1'])
})

test('kill: a method that runs calls nobody any more', async () => {
  class Looping extends Ledger {
    async loop(): Promise<void> {
      for (let n = 0; ; n++) await this.context.actor('Ledger', 'b').add!(`n${n}`)
    }
  }
  Object.defineProperty(Looping, 'name', { value: 'Ledger' })
  const at = await meshOf(5, { types: [Looping, SyncedLedger] })
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  const looping = code(at.send(zero, 'a', 'loop'))
  await at.mesh.clock.run(500)
  await at.mesh.await(at.runtimes.get(zero)!.kill('Ledger', 'a', false))
  const { length } = await at.tokens(three, 'b')
  expect(length).toBeGreaterThan(10)
  await at.mesh.clock.run(3000)
  expect((await at.tokens(three, 'b')).length).toBe(length)
  expect(await at.mesh.await(looping)).toBe('ACTOR_DIED')
})

const talkative = { is: false }
/** Goes on to call another one when it is told that it ends, whatever comes of it. */
class Talkative extends Ledger {
  static readonly actorName = 'Ledger'
  protected override async onDeactivate(reason: DeactivateReason): Promise<void> {
    for (let n = 0; talkative.is && n < 5000 && this.context.key === 'Ledger/a'; n++)
      await this.context.actor('Ledger', 'b').add!(`${reason} ${n}`).catch(() => {})
  }
}
test.each(['passivated', 'stopping', 'moving'] as const)(
  'kill: onDeactivate calls nobody any more and is not waited for, %s',
  async (reason) => {
    const idleMs = reason === 'passivated' ? IDLE_MS : 0
    const at = await meshOf(5, { idleMs, types: [Talkative, SyncedLedger] })
    const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
    await at.place('a', one, 'a1')
    await at.place('b', two, 'b1')
    const said = async () => (await at.tokens(three, 'b')).filter((token) => token.startsWith(reason)).length
    talkative.is = true
    if (reason === 'stopping')
      at.runtimes
        .get(zero)!
        .stop('Ledger', 'a')
        .catch(() => {})
    if (reason === 'moving') {
      const { key: actor, epoch } = at.entry('a')!
      await at.mesh.await(at.mesh.peers.get(at.head)!.driver.command({ kind: 'move', actor, epoch, to: two }))
    }
    for (let waited = 0; waited < 50 && (await said()) === 0; waited++) await at.mesh.clock.run(100)
    expect(await said()).toBeGreaterThan(0)
    const before = at.mesh.clock.now
    await at.mesh.await(at.runtimes.get(zero)!.kill('Ledger', 'a', false))
    expect(at.mesh.clock.now - before).toBeLessThan(1000)
    const then = await said()
    await at.mesh.clock.run(3000)
    expect(await said()).toBe(then)
    talkative.is = false
    expect(at.entry('a')!.status.kind).toBe('dead')
    await at.mesh.await(at.runtimes.get(zero)!.create('Ledger', 'a'))
    expect(await at.tokens(zero, 'a')).toEqual([])
  },
)

test('G5 a hook that is too late calls nobody any more', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS, types: [Talkative, SyncedLedger] })
  const [, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  talkative.is = true
  await at.mesh.clock.run(IDLE_MS * 2 + 5000)
  const { length } = await at.tokens(three, 'b')
  expect(length).toBeGreaterThan(10)
  await at.mesh.clock.run(3000)
  expect((await at.tokens(three, 'b')).length).toBe(length)
  talkative.is = false
  expect(await at.tokens(three, 'a')).toEqual(['a1'])
})

test('kill of a passive actor, and of one whose host is lost meanwhile', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await asleep(at, 'a')
  await at.mesh.await(at.runtimes.get(zero)!.kill('Ledger', 'a', true))
  expect(await at.tokens(two, 'a')).toEqual(['a1'])
  const victim = at.home('a')
  const from = at.others(victim)[0]!
  at.split([victim], at.others(victim))
  const killing = at.runtimes.get(from)!.kill('Ledger', 'a', true, 60_000)
  await at.mesh.await(killing, 60_000)
  expect(await at.tokens(from, 'a')).toEqual(['a1'])
  at.mesh.network.heal()
})

test('kill without restart: ActorDiedError from then on, whoever asks; create makes a new one', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.mesh.await(at.runtimes.get(zero)!.kill('Ledger', 'a', false))
  expect(at.entry('a', zero)!.status).toEqual({ kind: 'dead', cause: 'it was killed' })
  for (const from of [zero, one, two])
    expect(await code(at.mesh.await(at.send(from, 'a', 'all')))).toBe('ACTOR_DIED')
  await at.mesh.await(at.runtimes.get(zero)!.create('Ledger', 'a'))
  expect(await at.tokens(two, 'a')).toEqual([])
})

test('A7 delete: a late call of what was deleted runs on nothing, and the name starts afresh', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'old')
  let late: SentFrame | undefined
  at.onFrame = (sent) => {
    if (sent.from === three && sent.frame.t === 'call') late ??= sent
    return true
  }
  expect(await code(at.mesh.await(at.send(three, 'a', 'addThenThrow', ['never'])))).toBe('ACTOR_ERROR')
  const before = at.entry('a')!
  await at.mesh.await(at.runtimes.get(zero)!.delete('Ledger', 'a'))
  expect(at.entry('a', zero)).toBeUndefined()
  const again = { ...late!, frame: { ...late!.frame, method: 'add' } as SentFrame['frame'] }
  for (const id of at.ids) at.repeat(again, id)
  await at.mesh.clock.run(4000)
  expect(at.entry('a')).toBeUndefined()
  // A call makes what does not exist, as if it never had.
  await at.mesh.until('one knows it', () => at.entry('a', one) === undefined)
  await at.place('a', one, 'new')
  for (const id of at.ids) at.repeat(again, id)
  await at.mesh.clock.run(4000)
  expect(await at.tokens(two, 'a')).toEqual(['new'])
  const after = at.entry('a')!
  expect(after.incarnation).toBeGreaterThan(before.incarnation)
  expect(after.epoch).toBeGreaterThan(before.epoch)
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  expect(await at.tokens(two, 'a')).toEqual(['new'])
})

test('delete: who waits for the items of an actor does not make it again', async () => {
  class Waiting extends Ledger {
    async *never(): AsyncGenerator<number> {
      await new Promise(() => {})
      yield 0
    }
  }
  Object.defineProperty(Waiting, 'name', { value: 'Ledger' })
  const at = await meshOf(5, { types: [Waiting, SyncedLedger] })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const items = at.runtimes.get(zero)!.iterate('Ledger', 'a', 'never', [])[Symbol.asyncIterator]()
  const first = code(items.next())
  await at.mesh.clock.run(500)
  await at.mesh.await(at.runtimes.get(two)!.delete('Ledger', 'a'))
  await at.mesh.clock.run(5000)
  expect(at.entry('a')).toBeUndefined()
  expect(await at.mesh.await(first)).toBe('ACTOR_DIED')
})

test('A5 an actor that was made, and stopped by others, is not made again by a peer that was cut off before it heard', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  const boot = at.boot(one)
  let asked = 0
  at.mesh.network.trace = (from, _to, message) => {
    if (from === one && message.kind === 'cmd' && message.issued.command.kind === 'create') asked++
  }
  at.mesh.network.fate = (_from, to, { kind }) =>
    to === one && (kind === 'done' || kind === 'records') ? 'lost' : 0
  const created = code(at.runtimes.get(one)!.create('Ledger', 'a'))
  await at.mesh.until('it is made', () => at.entry('a') !== undefined)
  at.split([one], at.others(one))
  at.mesh.network.fate = undefined
  await at.recovered(boot)
  await at.mesh.await(at.runtimes.get(zero)!.stop('Ledger', 'a'))
  const before = asked
  at.mesh.network.heal()
  await at.mesh.clock.run(10_000)
  expect(asked).toBeGreaterThan(before)
  expect(at.entry('a')).toMatchObject({ incarnation: 1, status: { kind: 'stopped' } })
  expect(await at.mesh.await(created)).toBe('MESH_UNAVAILABLE')
})

test.each([2, 3, 4])(
  'A5 what a peer asked for before it was given up is asked for again under its next boot, seed %i',
  async (seed) => {
    const at = await meshOf(5, { seed })
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('b', zero, 'b1')
    const boot = at.boot(one)
    let isCut = false
    let isBack = false
    at.mesh.network.fate = (from, to, message) => {
      // It hears that its command is void before it hears why.
      if (isBack && to === one && message.kind === 'records') return 400
      if (isCut || from !== one || message.kind !== 'cmd' || message.issued.command.kind !== 'stop') return 0
      isCut = true
      at.split([one], at.others(one))
      return 'lost'
    }
    const stopped = at.runtimes.get(one)!.stop('Ledger', 'b', 60_000)
    await at.mesh.until('it is cut off', () => isCut)
    await at.recovered(boot)
    isBack = true
    at.mesh.network.heal()
    await at.mesh.await(stopped, 90_000)
    expect(at.entry('b')!.status.kind).toBe('stopped')
  },
)

test('A1 delete while the host is cut off: the name is not free before the host is recovered', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'old')
  const boot = at.boot(one)
  at.split([one], at.others(one))
  const write = watch(at.send(one, 'a', 'add', ['lost']))
  await at.mesh.await(at.runtimes.get(zero)!.delete('Ledger', 'a', 60_000), 60_000)
  expect(at.registry(zero).boots.get(boot)?.status).toBe('dead')
  expect(write.settled).toBe(false)
  await at.mesh.until('two knows it', () => at.entry('a', two) === undefined)
  await at.call(two, 'a', 'add', 'new')
  at.mesh.network.heal()
  await at.mesh.until('the old host has a new boot', () => {
    const { driver } = at.mesh.peers.get(one)!
    return driver.boot !== boot && driver.admitted
  })
  expect(await at.tokens(one, 'a')).toEqual(['new'])
})

test.each([3, 5, 6])(
  'A7 C3 a caller that has not heard of a deletion calls neither what was deleted nor what came after it, seed %i',
  async (seed) => {
    const at = await meshOf(5, { seed })
    const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
    await at.place('a', one, 'old')
    await at.mesh.until('three knows where it is', () => at.entry('a', three)?.home === at.boot(one))
    at.mesh.network.fate = (_from, to, { kind }) => (to === three && kind === 'records' ? 'lost' : 0)
    await at.mesh.await(at.runtimes.get(zero)!.delete('Ledger', 'a'))
    const early = code(at.send(three, 'a', 'add', ['early']))
    await at.mesh.clock.run(500)
    // Made again where it was, so that nothing but the numbers of its life tells the two apart.
    await at.mesh.until('one knows it', () => at.entry('a', one) === undefined)
    await at.place('a', one, 'new')
    const late = code(at.send(three, 'a', 'add', ['late']))
    const read = code(at.send(three, 'a', 'all'))
    await at.mesh.clock.run(2000)
    expect(at.entry('a', three)!.incarnation).toBe(1)
    at.mesh.network.fate = undefined
    expect(await at.mesh.await(Promise.all([early, late, read]))).toEqual(Array(3).fill('ACTOR_DIED'))
    expect(await at.tokens(two, 'a')).toEqual(['new'])
    expect(await at.tokens(three, 'a')).toEqual(['new'])
  },
)

test('a call that waits for an actor while it is deleted is told so, and makes nothing', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'old')
  await at.place('b', two, 'b1')
  at.onFrame = ({ frame }) => !(frame.t === 'call' && frame.id.path !== '')
  const slow = at.send(zero, 'a', 'slowly', ['s1', 'Ledger', 'b', 1])
  await at.mesh.clock.run(500)
  const behind = at.send(two, 'a', 'add', ['late'])
  await at.mesh.clock.run(500)
  const deleting = at.runtimes.get(zero)!.delete('Ledger', 'a')
  deleting.catch(() => {})
  await at.mesh.until('it is being deleted', () => at.entry('a')?.status.kind === 'stopping')
  // A stop waits for the call that runs; a kill does not.
  await at.mesh.await(at.runtimes.get(two)!.kill('Ledger', 'a', false))
  await at.mesh.await(deleting)
  for (const call of [slow, behind]) expect(await code(at.mesh.await(call))).toBe('ACTOR_DIED')
  await at.mesh.clock.run(4000)
  expect(at.entry('a')).toBeUndefined()
})

test('a start that throws at every home is tried again, seen as waiting with its cause, and works once it is repaired', async () => {
  const at = await hookedMesh()
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  hooked.failing = 8
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  const read = at.call<{ tokens: string[] }>(zero, 'a', 'all')
  await at.mesh.until('its failures are known', () => (at.entry('a')?.failures?.count ?? 0) > 3)
  expect(at.entry('a')).toMatchObject({
    status: { kind: 'running' },
    failures: { cause: expect.stringContaining('not now') },
  })
  // The registry is on everybody's disk: a cause is told, and not all of it.
  expect(at.entry('a')!.failures!.cause.length).toBeLessThan(1100)
  expect((await read).tokens.filter((token) => token === 'back').length).toBeGreaterThan(0)
  expect(await at.tokens(two, 'a')).toContain('a1')
  await at.mesh.until('its cause is gone', () => at.entry('a')!.failures?.cause === '')
  await at.mesh.clock.run(100_000)
  expect(at.entry('a')!.failures).toBeUndefined()
})

test('R4 an actor is given up when its host has released it: a report of failed starts that comes after a start that worked', async () => {
  class Brittle extends Hooked {
    static override readonly options = { ...Ledger.options, maxRestarts: 0 }
  }
  const at = await meshOf(5, { idleMs: IDLE_MS, types: [Brittle, SyncedLedger] })
  Object.assign(hooked, { reasons: [], starts: 0, failing: 0, slow: false })
  const one = at.others(at.head)[0]!
  await at.place('a', one, 'a1')
  await asleep(at, 'a')
  const { head } = at
  const { network } = at.mesh
  const isReport = (message: MeshMessage): boolean =>
    message.kind === 'cmd' && message.issued.command.kind === 'failed'
  let reports = 0
  // The host gives the report up after 15 s. By then the only copy of it on the way has not arrived.
  network.fate = (_from, _to, message) => (!isReport(message) ? 0 : ++reports === 1 ? 16_000 : 'lost')
  network.onDelivery = (_from, _to, message) => {
    if (!isReport(message)) return
    network.cut(one, head, 'unnoticed')
    network.cut(head, one, 'unnoticed')
  }
  hooked.failing = 1
  await at.call(one, 'a', 'add', 'a2')
  expect(reports).toBeGreaterThan(0)
  await at.mesh.until('the report is counted', () => at.entry('a', head)!.status.kind !== 'running')
  const late = await code(at.mesh.await(at.send(one, 'a', 'add', ['a3'], 1000)))
  // Acknowledged or not: it is where the registry says that it may be.
  expect([late.startsWith('{'), at.entry('a', head)!.status.kind]).not.toEqual([true, 'dead'])
  network.heal()
  await at.mesh.until('it is given up', () => at.entry('a')!.status.kind === 'dead')
  expect(at.entry('a')!.status).toMatchObject({ cause: expect.stringContaining('not now') })
  expect(await code(at.mesh.await(at.send(one, 'a', 'add', ['a4'])))).toBe('ACTOR_DIED')
})

test('crash loop: an actor that takes its hosts down is slowed down, and dead after maxRestarts', async () => {
  const down: number[] = []
  let meltdown = (_peer: string): void => {}
  class Doomed extends Ledger {
    static readonly actorName = 'Ledger'
    static override readonly options = { ...Ledger.options, maxRestarts: 6 }
    override size(): never {
      meltdown(this.context.peer)
      throw new Error('its process is gone')
    }
  }
  const at = await meshOf(5, { types: [Doomed, SyncedLedger] })
  await at.place('a', at.ids[1]!, 'a1')
  meltdown = (peer) => {
    down.push(at.mesh.clock.now)
    at.mesh.kill(at.ids.find((id) => id === peer)!)
  }
  const entry = () => at.live[0]!.driver.registry?.actors.get(at.key('a'))
  for (let time = 0; time < 200 && entry()?.status.kind !== 'dead'; time++) {
    at.send(at.live[time % at.live.length]!.id, 'a', 'size', [], 900)
    await at.mesh.clock.run(1000)
    for (const id of at.ids) if (!at.mesh.peers.has(id)) await at.mesh.start(id)
  }
  expect(entry()?.status).toMatchObject({
    kind: 'dead',
    cause: expect.stringContaining('6 restart(s) are used up'),
  })
  expect(down.length).toBe(7)
  // Three in a row at once, then later: 0.5 s, and 1 s from then on, beyond what a recovery takes.
  const pauses = down.slice(1).map((at, index) => at - down[index]!)
  // A recovery takes half a second where whoever is asked first is gone as well.
  expect(Math.max(...pauses.slice(0, 2))).toBeLessThan(650)
  expect(pauses[3]).toBeGreaterThan(500)
  expect(Math.min(...pauses.slice(4))).toBeGreaterThan(1000)
  expect(await code(at.mesh.await(at.send(at.live[0]!.id, 'a', 'all')))).toBe('ACTOR_DIED')
})

test('a passive actor wakes for its alarm, and none rests before what it sent has arrived', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  await at.call(zero, 'a', 'arm', 'l1', 20_000)
  await asleep(at, 'a')
  expect(at.runtimes.get(one)!.agenda.alarms).toBe(1)
  await at.mesh.clock.run(20_000)
  await asleep(at, 'a')
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'l1', 'l1.rung'])
  // What it sends is not let through for a while.
  let blocked = true
  at.onFrame = ({ frame }) => !(blocked && frame.t === 'call' && frame.id.caller.startsWith('actor:'))
  await at.call(zero, 'a', 'post', 's1', 'Ledger', 'b')
  await at.mesh.clock.run(IDLE_MS * 3)
  expect(at.runtimes.get(one)!.live).toBe(1)
  blocked = false
  await asleep(at, 'a')
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 's1.sent'])
})

test('the alarm of a passive actor rings once although its host dies, or it moves, while it sleeps', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS })
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  for (const name of ['a', 'b']) {
    await at.place(name, one, `${name}1`)
    await at.call(zero, name, 'arm', 'l', 25_000)
  }
  await asleep(at, 'a')
  await at.move('b', two)
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  await at.mesh.clock.run(35_000)
  for (const name of ['a', 'b']) expect(await at.tokens(three, name)).toEqual([`${name}1`, 'l', 'l.rung'])
})

test('a journal is rolled below a passive actor with an alarm, which rings all the same', async () => {
  const at = await meshOf(5, { idleMs: IDLE_MS, settings: { journalMaxBlocks: 8 } })
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.call(zero, 'a', 'arm', 'l', 40_000)
  await at.place('busy', one, 'b0')
  await at.mesh.until('a is passive', () => at.runtimes.get(one)!.passive > 0)
  for (let n = 1; n <= 40; n++) await at.call(zero, 'busy', 'add', `b${n}`)
  await at.mesh.clock.run(45_000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'l', 'l.rung'])
})

test('A7 S5 what was sent to a name that was free is not sent to the next actor of that name', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const other = (name: string) => at.runtimes.get(zero)!.delete('Ledger', name)
  // A name that was used before, and whose numbers therefore begin higher.
  await at.call(zero, 'b', 'add', 'old')
  await at.mesh.await(other('b'))
  let lost = 0
  const lose = { answers: true }
  at.onFrame = ({ frame, to }) => {
    const isAnswer = lose.answers && frame.t === 'answer' && to === one && frame.answer.kind === 'result'
    if (isAnswer) lost++
    return !isAnswer
  }
  await at.mesh.until('one knows that it is free', () => at.entry('b', one) === undefined)
  await at.call(zero, 'a', 'post', 's', 'Ledger', 'b')
  await at.mesh.until(
    'it has arrived, and nobody knows',
    () => lost > 0 || at.entry('b')?.home === at.boot(one),
  )
  expect(await at.tokens(zero, 'b')).toEqual(['s.sent'])
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.mesh.await(other('b'), 60_000)
  await at.recovered(boot)
  lose.answers = false
  await at.call(zero, 'b', 'add', 'new')
  await at.mesh.clock.run(20_000)
  expect(await at.tokens(zero, 'b')).toEqual(['new'])
})
