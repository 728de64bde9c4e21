// Directed scenarios of agendas: sends and alarms whose host dies, sleeps, moves or is replaced at the worst moment.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { ActorMesh, SentFrame } from './actor-mesh.ts'
import { code, meshOf } from './actor-stage.ts'
import { Ledger as PlainLedger, SyncedLedger } from './ledger.ts'

const isDelivery = ({ frame }: SentFrame): boolean =>
  frame.t === 'call' && frame.id.caller.startsWith('actor:') && frame.id.path === ''

/** `a` at one, `b` at two. */
async function pair(peers = 5) {
  const at = await meshOf(peers)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  return { at, zero, one, two, three }
}
const post = (at: ActorMesh, from: PeerId, token: string) => at.call(from, 'a', 'post', token, 'Ledger', 'b')
const quiet = (at: ActorMesh) =>
  at.mesh.until('nothing is left to send', () =>
    at.live.every(({ id }) => (at.runtimes.get(id)?.agenda.sends ?? 0) === 0),
  )
/** Ends the peer when the frame comes along, which is lost with it. */
function endAt(at: ActorMesh, peer: PeerId, isIt: (sent: SentFrame) => boolean): { readonly dead: boolean } {
  const seen = { dead: false }
  at.onFrame = (sent) => {
    if (seen.dead || !isIt(sent)) return true
    seen.dead = true
    at.mesh.kill(peer)
    return false
  }
  return seen
}

test('S1 the host dies between the record and the delivery: the next one delivers, once, in order', async () => {
  const { at, zero, one } = await pair()
  const seen = endAt(at, one, isDelivery)
  const tokens = ['s1', 's2', 's3']
  const posts = tokens.map((token) => at.send(zero, 'a', 'post', [token, 'Ledger', 'b']))
  await at.mesh.await(Promise.all(posts), 90_000)
  await at.mesh.until('it died', () => seen.dead)
  await at.mesh.clock.run(10_000)
  await quiet(at)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 's1.sent', 's2.sent', 's3.sent'])
  expect(await at.tokens(zero, 'a')).toEqual(['a1', ...tokens])
  expect(at.failed).toEqual([])
})

test('S2 the host dies between the delivery and the removal: the target knows it again, at its next home too', async () => {
  const { at, zero, one, two, three } = await pair()
  const seen = endAt(
    at,
    one,
    ({ frame, from, to }) =>
      frame.t === 'answer' && frame.answer.kind === 'result' && from === two && to === one,
  )
  const boot = at.boot(one)
  await post(at, zero, 's')
  await at.mesh.until('it died', () => seen.dead)
  at.onFrame = (sent) => !isDelivery(sent) // the next home of `a` is not heard for now
  await at.recovered(boot)
  await at.move('b', three)
  await at.call(zero, 'b', 'add', 'b2')
  at.onFrame = () => true
  await at.mesh.clock.run(15_000)
  await quiet(at)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 's.sent', 'b2'])
  expect(at.failed).toEqual([])
})

test('S3 what is delivered again gets its first answer: no floor passed it before it was out for good', async () => {
  const { at, zero, one, two } = await pair()
  let answers = 0
  const seen = endAt(
    at,
    one,
    ({ frame, from, to }) =>
      frame.t === 'answer' && frame.answer.kind === 'result' && from === two && to === one && ++answers === 3,
  )
  const posts = ['s1', 's2', 's3'].map((token) => at.send(zero, 'a', 'post', [token, 'Ledger', 'b']))
  await at.mesh.await(Promise.all(posts), 90_000)
  await at.mesh.until('it died', () => seen.dead)
  await at.mesh.clock.run(10_000)
  await quiet(at)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 's1.sent', 's2.sent', 's3.sent'])
  expect(at.failed).toEqual([])
})

test('S3 an alarm that begins during a call passes no floor over what that call sends', async () => {
  class Ledger extends PlainLedger {
    async postAndWait(token: string): Promise<void> {
      await this.context.actor('Ledger', 'b').send.relay!(token, 'Ledger', 'c')
      await this.context.actor('Ledger', 'slow').size!()
    }
  }
  const at = await meshOf(5, { types: [Ledger, SyncedLedger] })
  const [zero, one, two, three, four] = at.ids as [PeerId, PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  await at.place('c', three, 'c1')
  await at.place('slow', four, 'slow1')
  const unheard = new Set([two, four])
  at.onFrame = ({ frame, from, to }) => !(from === one && frame.t === 'call' && unheard.has(to))
  await at.call(zero, 'a', 'armRelay', 'alarm', 500, 'Ledger', 'c')
  const posted = at.send(zero, 'a', 'postAndWait', ['sent'])
  await at.mesh.clock.run(3000)
  unheard.delete(four)
  await at.mesh.await(posted)
  await at.mesh.clock.run(3000)
  expect(await at.tokens(zero, 'c')).toEqual(['c1', 'alarm.other'])
  unheard.clear()
  await at.mesh.clock.run(15_000)
  expect(at.failed).toEqual([])
  expect(await at.tokens(zero, 'c')).toEqual(['c1', 'alarm.other', 'sent.other'])
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 'sent.a', 'sent.b'])
})

test('S1, G5 what a host has not acknowledged it does not send', async () => {
  const { at, zero, one, two } = await pair(7)
  const keepers = at.keepers('a').filter((id) => id !== one)
  if (keepers.includes(two)) await at.move('b', at.others(zero, one, ...keepers)[0]!)
  at.split([one], keepers) // its journal can't grow; all others still hear it
  at.send(one, 'a', 'post', ['lost', 'Ledger', 'b'])
  await at.mesh.clock.run(900)
  expect(await at.tokens(zero, 'b')).toEqual(['b1'])
  const boot = at.boot(one)
  at.split([one], at.others(one))
  await at.recovered(boot)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
  await at.mesh.clock.run(5000)
  expect(await at.tokens(zero, 'b')).toEqual(['b1'])
})

test('a frame of a send that comes again after its answer is refused, at every home', async () => {
  const { at, zero, one, two, three } = await pair()
  const frames: SentFrame[] = []
  at.onFrame = (sent) => {
    if (isDelivery(sent)) frames.push(sent)
    return true
  }
  await post(at, zero, 's1')
  await quiet(at)
  await post(at, zero, 's2')
  await quiet(at)
  await at.mesh.clock.run(1000)
  const all = ['b1', 's1.sent', 's2.sent']
  for (const home of [two, three, two]) {
    if (at.home('b') !== home) await at.move('b', home)
    for (const frame of frames.slice()) at.repeat(frame, home)
    await at.mesh.clock.run(3000)
    expect(await at.tokens(zero, 'b')).toEqual(all)
  }
  at.mesh.kill(one)
  await at.mesh.clock.run(10_000)
  for (const frame of frames.slice()) at.repeat(frame, two)
  await at.mesh.clock.run(3000)
  expect(await at.tokens(zero, 'b')).toEqual(all)
})

test('Y1 stopped and made again: neither its sends nor its alarms nor a late frame do anything', async () => {
  const { at, zero, one, two } = await pair()
  let late: SentFrame | undefined
  at.onFrame = (sent) => {
    if (!isDelivery(sent)) return true
    late ??= sent
    return false
  }
  await post(at, zero, 'old')
  await at.call(zero, 'a', 'arm', 'armed', 3000)
  await at.mesh.until('it was sent', () => late !== undefined)
  await at.mesh.await(at.runtimes.get(zero)!.stop('Ledger', 'a', 60_000))
  await at.mesh.await(at.runtimes.get(zero)!.create('Ledger', 'a'))
  at.onFrame = () => true
  at.repeat(late!, two)
  await at.call(zero, 'a', 'add', 'new')
  await at.mesh.clock.run(15_000)
  expect(await at.tokens(zero, 'a')).toEqual(['new'])
  expect(await at.tokens(zero, 'b')).toEqual(['b1'])
  expect(at.boot(one)).toBeDefined()
})

test('S5 a target that was made again gets nothing that was meant for the one before', async () => {
  const { at, zero, one, two } = await pair()
  const seen = endAt(
    at,
    one,
    ({ frame, from, to }) =>
      frame.t === 'answer' && frame.answer.kind === 'result' && from === two && to === one,
  )
  await post(at, zero, 's')
  await at.mesh.until('it died', () => seen.dead)
  at.onFrame = (sent) => !isDelivery(sent)
  await at.mesh.await(at.runtimes.get(zero)!.stop('Ledger', 'b', 60_000))
  await at.mesh.await(at.runtimes.get(zero)!.create('Ledger', 'b'))
  await at.call(zero, 'b', 'add', 'new')
  at.onFrame = () => true
  await at.mesh.clock.run(15_000)
  expect(await at.tokens(zero, 'b')).toEqual(['new'])
  expect(at.failed.map(({ error }) => (error as { code: string }).code)).toEqual(['ACTOR_DIED'])
})

test('S5 what was delivered to an actor that was deleted since does not make another one of that name', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const seen = endAt(
    at,
    one,
    ({ frame, from, to }) =>
      frame.t === 'answer' &&
      frame.answer.kind === 'result' &&
      to === one &&
      at.entry('c')?.home != null &&
      from === at.home('c'),
  )
  const boot = at.boot(one)
  await at.call(zero, 'a', 'post', 's', 'Ledger', 'c')
  await at.mesh.until('it died', () => seen.dead)
  await at.mesh.await(at.runtimes.get(zero)!.delete('Ledger', 'c'))
  expect(at.registry().boots.get(boot)?.status).toBe('live') // nobody delivers it at the moment
  await at.recovered(boot)
  await at.mesh.clock.run(15_000)
  expect(at.entry('c')).toBeUndefined()
  expect(at.failed.map(({ error }) => (error as { code: string }).code)).toEqual(['ACTOR_DIED'])
  await at.call(zero, 'a', 'post', 's2', 'Ledger', 'c')
  await quiet(at)
  expect(await at.tokens(zero, 'c')).toEqual(['s2.sent'])
})

test('a move takes what was not delivered along', async () => {
  const { at, zero, one, three } = await pair()
  at.onFrame = (sent) => !isDelivery(sent) || sent.from !== one
  await post(at, zero, 's')
  await at.call(zero, 'a', 'arm', 'armed', 4000)
  await at.move('a', three)
  await at.mesh.clock.run(10_000)
  await quiet(at)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 's.sent'])
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 's', 'armed', 'armed.rung'])
})

test('M2 the host dies during the method of an alarm: what it calls, and what it changes, happens once', async () => {
  const { at, zero, one, two } = await pair()
  const seen = endAt(
    at,
    one,
    ({ frame, from, to }) =>
      frame.t === 'answer' && frame.answer.kind === 'result' && from === two && to === one,
  )
  await at.call(zero, 'a', 'armRelay', 'r', 500, 'Ledger', 'b')
  await at.mesh.until('it died', () => seen.dead)
  await at.call(zero, 'b', 'add', 'b2')
  await at.mesh.clock.run(15_000)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 'r.other', 'b2'])
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'r', 'r.a', 'r.b'])
})

test('an alarm rings at the next home when its host is dead at its time, and once although the first one wakes up', async () => {
  const { at, zero, one } = await pair()
  await at.call(zero, 'a', 'arm', 'armed', 8000)
  await at.call(zero, 'a', 'every', 'tick', 3000)
  const boot = at.boot(one)
  at.mesh.freeze(one)
  await at.recovered(boot)
  await at.mesh.clock.run(15_000)
  at.mesh.thaw(one)
  await at.mesh.clock.run(10_000)
  await at.call(zero, 'a', 'cancel', 'tick')
  const tokens = await at.tokens(zero, 'a')
  expect(tokens.filter((token) => token === 'armed.rung')).toEqual(['armed.rung'])
  const ticks = tokens.filter((token) => token === 'tick').length
  expect(ticks).toBeGreaterThan(3)
  expect(ticks).toBeLessThan(12)
  await at.mesh.clock.run(6000)
  expect((await at.tokens(zero, 'a')).length).toBe(tokens.length)
})

test('whole-mesh-restart: what was to be sent is sent, and alarms of the time between ring once', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('synced-a', one, 'a1')
  await at.place('synced-b', two, 'b1')
  at.onFrame = (sent) => !isDelivery(sent)
  await at.call(zero, 'synced-a', 'post', 's', 'SyncedLedger', 'synced-b')
  await at.call(zero, 'synced-a', 'arm', 'armed', 1000)
  for (const id of at.ids) at.mesh.kill(id, true)
  at.onFrame = () => true
  await at.mesh.clock.run(20_000)
  for (const id of at.ids) await at.mesh.start(id)
  await at.mesh.until('everybody is admitted', () => at.live.every(({ driver }) => driver.admitted), 120_000)
  await at.mesh.clock.run(20_000)
  await quiet(at)
  expect(await at.tokens(zero, 'synced-b')).toEqual(['b1', 's.sent'])
  expect(await at.tokens(zero, 'synced-a')).toEqual(['a1', 's', 'armed', 'armed.rung'])
})

test('a clock that is wrong makes alarms early or late, and nothing else', async () => {
  const { at, zero, one } = await pair()
  await at.call(zero, 'a', 'arm', 'armed', 60_000)
  at.mesh.peers.get(one)!.clock.jump(100_000)
  await at.mesh.clock.run(40_000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'armed', 'armed.rung'])
  at.mesh.kill(one) // the next host has another idea of the time
  await at.mesh.clock.run(60_000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'armed', 'armed.rung'])
  expect(await code(at.mesh.await(at.send(zero, 'a', 'arm', ['late', -5])))).toContain('size')
  await at.mesh.clock.run(2000)
  expect(await at.tokens(zero, 'a')).toContain('late.rung')
})
