// What becomes of the calls of a peer that the mesh has given up, before and after it hears of that.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { Answer } from '../../node/actors/frames.ts'
import type { ActorMesh, SentFrame } from './actor-mesh.ts'
import { meshOf, watch } from './actor-stage.ts'
import { Ledger, SyncedLedger } from './ledger.ts'

/** With a generator. */
class ReadLedger extends Ledger {
  static readonly actorName = 'Ledger'

  async *each(): AsyncGenerator<string> {
    yield* this.state.tokens
  }
}

/** Cut off, given up, and back: calls and answers pass, and nothing that tells it. Undone by the function it gives. */
async function giveUpUnheard(at: ActorMesh, peer: PeerId): Promise<() => void> {
  const boot = at.boot(peer)
  at.split([peer], at.others(peer))
  await at.recovered(boot)
  let told = false
  at.mesh.network.fate = (_from, to) => (to === peer && !told ? 'lost' : 0)
  at.mesh.network.heal()
  await at.mesh.clock.run(3000)
  expect(at.boot(peer)).toBe(boot)
  return () => {
    told = true
  }
}

/** What calls from there were answered with, as the answers are sent. */
function answersTo(at: ActorMesh, caller: PeerId): Answer[] {
  const answers: Answer[] = []
  at.onFrame = ({ frame, to }) => {
    if (frame.t === 'answer' && to === caller) answers.push(frame.answer)
    return true
  }
  return answers
}

test('C5 calls of a peer that does not know that it was given up are made once, under its next boot', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const tell = await giveUpUnheard(at, three)
  const answers = answersTo(at, three)
  const calls = ['a2', 'a3'].map((token) => at.send(three, 'a', 'add', [token]))
  const seen = calls.map(watch)
  await at.mesh.clock.run(1000)
  expect(answers.map(({ kind }) => kind)).toEqual(['expired', 'expired'])
  expect(seen).toEqual([{ settled: false }, { settled: false }])
  tell()
  await at.mesh.await(Promise.all(calls))
  expect((await at.tokens(zero, 'a')).toSorted()).toEqual(['a1', 'a2', 'a3'])
})

test('C5 a call whose time is up before this peer has its next boot was not executed, and says so', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const tell = await giveUpUnheard(at, three)
  await expect(at.mesh.await(at.send(three, 'a', 'add', ['a2'], 1000), 30_000)).rejects.toMatchObject({
    code: 'ACTOR_UNAVAILABLE',
    executed: 'no',
  })
  tell()
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('C5 a call that was sent twice to a host that had neither is made once', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let sent = 0
  at.onFrame = ({ from, frame }) => from !== three || frame.t !== 'call' || sent++ > 0
  const call = at.send(three, 'a', 'add', ['a2'])
  await at.mesh.until('it was sent', () => sent === 1)
  const tell = await giveUpUnheard(at, three)
  expect(sent).toBe(2)
  tell()
  expect(await at.mesh.await(call)).toMatchObject({ size: 2 })
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('C5 a call that was sent to two hosts is not made again, though neither may have had it', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let sent = 0
  at.onFrame = ({ from, frame }) => from !== three || frame.t !== 'call' || sent++ > 1
  const call = at.send(three, 'a', 'add', ['a2'])
  await at.mesh.until('it was sent', () => sent === 1)
  await at.move('a', two)
  await at.mesh.until('it was sent again', () => sent === 2)
  await giveUpUnheard(at, three)
  await expect(at.mesh.await(call)).rejects.toMatchObject({ code: 'CALL_EXPIRED', executed: 'unknown' })
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('C5 a host does not say of a call that it had before that nobody executed it', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let first: SentFrame | undefined
  at.onFrame = (sent) => {
    if (sent.from === three && sent.frame.t === 'call') first ??= sent
    return true
  }
  await at.call(three, 'a', 'add', 'a2')
  const boot = at.boot(three)
  at.split([three], at.others(three))
  await at.mesh.until('the host knows', () => at.registry(one).boots.get(boot)?.status === 'dead')
  const answers = answersTo(at, three)
  at.repeat(first!, one)
  const { frame } = first!
  if (frame.t === 'call')
    at.repeat(
      { ...first!, frame: { ...frame, token: 'another', id: { ...frame.id, n: frame.id.n + 1 } } },
      one,
    )
  await at.mesh.clock.run(100)
  expect(answers).toMatchObject([
    { kind: 'expired', executed: 'unknown' },
    { kind: 'expired', executed: 'no' },
  ])
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('C5 a generator whose peer was given up before its first item begins under the next boot', async () => {
  const at = await meshOf(5, { types: [ReadLedger, SyncedLedger] })
  const [, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const tell = await giveUpUnheard(at, three)
  const items = (async () => {
    const seen: unknown[] = []
    for await (const item of at.runtimes.get(three)!.iterate('Ledger', 'a', 'each', [])) seen.push(item)
    return seen
  })()
  const seen = watch(items)
  await at.mesh.clock.run(1000)
  expect(seen.settled).toBe(false)
  tell()
  expect(await at.mesh.await(items)).toEqual(['a1'])
})

test('a key-value read that its host may have had before its peer was given up is made again', async () => {
  const at = await meshOf(5)
  const [zero, , , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  const { kv } = at.runtimes.get(zero)!
  await at.mesh.await(kv.put('k', 7))
  let lost = 0
  at.onFrame = ({ to, frame }) => frame.t !== 'answer' || to !== three || lost++ > 0
  const read = at.runtimes.get(three)!.kv.get('k')
  await at.mesh.until('its answer is lost', () => lost === 1)
  const tell = await giveUpUnheard(at, three)
  tell()
  expect(await at.mesh.await(read)).toMatchObject({ value: 7 })
})
