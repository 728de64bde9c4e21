// Directed scenarios of actors (PROTOCOL.md section 9), each on the real core, driver and runtime in virtual time.

import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { ActorMesh, type SentFrame } from './actor-mesh.ts'
import { code, meshOf, watch } from './actor-stage.ts'
import type { Listed, Relayed, Seen } from './ledger.ts'

test('move-to-a-host-with-an-older-journal: the newest epoch wins, not the newest journal', async () => {
  const at = await meshOf(5)
  const [, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('old', two, 'o1') // two has the older journal
  await at.place('a', one, 'a1')
  await at.call(three, 'a', 'add', 'a2')
  await at.move('a', two)
  await at.call(three, 'a', 'add', 'a3')
  const boot = at.boot(two)
  at.mesh.kill(two)
  await at.recovered(boot)
  expect(await at.tokens(three, 'a')).toEqual(['a1', 'a2', 'a3'])
  expect(await at.tokens(three, 'old')).toEqual(['o1'])
})

test('move-away-and-back-without-a-write keeps the state through three homes', async () => {
  const at = await meshOf(5)
  const [, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.move('a', two)
  await at.move('a', one)
  await at.move('a', two)
  await at.move('a', one)
  expect(await at.tokens(three, 'a')).toEqual(['a1'])
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  expect(await at.tokens(three, 'a')).toEqual(['a1'])
})

test('host-dies-before-its-first-snapshot, three times, and nothing is lost', async () => {
  const at = await meshOf(5)
  const [zero] = at.ids as [PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  await at.call(zero, 'a', 'add', 'a2')
  if (at.home('a') === zero) await at.move('a', at.ids[1]!)
  for (let time = 0; time < 3; time++) {
    const victim = at.home('a', zero)
    const boot = at.boot(victim)
    at.mesh.kill(victim)
    await at.mesh.until('the next host is chosen', () => {
      const { home } = at.entry('a', zero)!
      return home !== null && home !== boot
    })
    if (at.home('a', zero) === zero) break
    await at.mesh.start(victim)
  }
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('idle-actor-two-segments-back: it is copied on, old journals are retired, nothing is lost', async () => {
  const at = await meshOf(5, { settings: { journalMaxBlocks: 8 } })
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('idle', one, 'i1')
  await at.place('busy', one, 'b0')
  for (let n = 1; n <= 60; n++) await at.call(zero, 'busy', 'add', `b${n}`)
  await at.mesh.clock.run(8000)
  expect(at.journals('idle').length).toBeLessThanOrEqual(2)
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.recovered(boot)
  expect(await at.tokens(two, 'idle')).toEqual(['i1'])
  expect((await at.tokens(two, 'busy')).length).toBe(61)
  await at.mesh.clock.run(8000)
  const left = [...at.registry().journals.values()].filter(({ boot: of }) => of === boot)
  expect(left).toEqual([])
})

test('stop-then-recreate-while-the-host-is-cut-off: the old host answers nothing of the new actor', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'old')
  const boot = at.boot(one)
  at.split([one], at.others(one))
  const stopping = at.runtimes.get(zero)!.stop('Ledger', 'a', 60_000)
  const read = at.send(one, 'a', 'all')
  const write = at.send(one, 'a', 'add', ['lost'])
  const seen = [watch(read), watch(write)]
  await at.mesh.await(stopping, 60_000)
  expect(at.registry(zero).boots.get(boot)?.status).toBe('dead')
  expect(await code(at.mesh.await(at.send(two, 'a', 'all')))).toBe('ACTOR_DIED')
  await at.mesh.await(at.runtimes.get(zero)!.create('Ledger', 'a'))
  await at.call(two, 'a', 'add', 'new')
  expect(seen.map(({ settled }) => settled)).toEqual([false, false])
  at.mesh.network.heal()
  for (const answer of [await code(at.mesh.await(read)), await code(at.mesh.await(write))])
    expect(['ACTOR_DIED', 'CALL_EXPIRED']).toContain(answer)
  expect(await at.tokens(one, 'a')).toEqual(['new'])
})

test('a stop that meets the recovery of the host ends the actor; its name is free and starts empty', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'old')
  at.mesh.kill(one)
  const stopping = at.runtimes.get(zero)!.stop('Ledger', 'a', 60_000)
  await at.mesh.await(stopping, 60_000)
  expect(at.entry('a')?.status.kind).toBe('stopped')
  expect(at.entry('a')?.home).toBe(null)
  await at.mesh.start(one)
  await at.mesh.clock.run(5000)
  expect(at.entry('a')?.status.kind).toBe('stopped')
  await at.mesh.await(at.runtimes.get(two)!.create('Ledger', 'a'))
  expect(await at.tokens(two, 'a')).toEqual([])
})

test('a host that is stopping an actor and dies does not bring it back', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  // A method that runs keeps the host from releasing.
  at.onFrame = ({ frame }) => !(frame.t === 'call' && frame.id.path !== '')
  at.send(zero, 'a', 'slowly', ['a2', 'Ledger', 'b', 1])
  await at.mesh.clock.run(500)
  const stopping = at.runtimes.get(zero)!.stop('Ledger', 'a', 60_000)
  await at.mesh.until('it is stopping', () => at.entry('a')?.status.kind === 'stopping')
  await at.mesh.clock.run(1000)
  expect(at.entry('a')?.status.kind).toBe('stopping')
  at.mesh.kill(one)
  await at.mesh.await(stopping, 60_000)
  expect(at.entry('a')?.status.kind).toBe('stopped')
  expect(await code(at.mesh.await(at.send(two, 'a', 'all')))).toBe('ACTOR_DIED')
})

test('release-acknowledged-then-head-dies: the actor is moved by the next head, with everything', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { epoch } = at.entry('a')!
  let dead = false
  at.mesh.network.trace = (from, _to, message) => {
    if (dead || from !== one || message.kind !== 'cmd' || message.issued.command.kind !== 'released') return
    dead = true
    at.mesh.kill(zero)
  }
  expect(at.head).toBe(zero)
  const { driver } = at.mesh.peers.get(zero)!
  await at.mesh.await(driver.command({ kind: 'move', actor: at.key('a'), epoch, to: two }))
  await at.mesh.until('the head is dead', () => dead)
  expect(await at.tokens(three, 'a')).toEqual(['a1'])
  await at.mesh.until('it moved', () => at.entry('a', three)!.epoch > epoch && at.home('a', three) === two)
  await at.call(three, 'a', 'add', 'a2')
  expect(await at.tokens(three, 'a')).toEqual(['a1', 'a2'])
})

test('release-acknowledged-then-its-host-dies: recovery reads the release', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { epoch } = at.entry('a')!
  let dead = false
  at.mesh.network.trace = (from, _to, message) => {
    if (dead || from !== one || message.kind !== 'cmd' || message.issued.command.kind !== 'released') return
    dead = true
    at.mesh.kill(one)
  }
  const { driver } = at.mesh.peers.get(zero)!
  await at.mesh.await(driver.command({ kind: 'move', actor: at.key('a'), epoch, to: two }))
  await at.mesh.until('the host is dead', () => dead)
  expect(await at.tokens(three, 'a')).toEqual(['a1'])
})

test('a move waits for the call that runs, and the call happens once', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', three, 'b1')
  const calls = Array.from({ length: 5 }, (_, n) => at.send(zero, 'a', 'slowly', [`s${n}`, 'Ledger', 'b', 8]))
  await at.mesh.clock.run(30)
  await at.move('a', two)
  const places = (await at.mesh.await(Promise.all(calls))) as Seen[]
  const tokens = await at.tokens(three, 'a')
  expect([...tokens].sort()).toEqual(['a1', 's0', 's1', 's2', 's3', 's4'])
  places.forEach(({ size }, n) => {
    expect(tokens[size - 1]).toBe(`s${n}`)
  })
})

test('leave → its actors move, the peer goes clean, and comes back', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  // Its boot is not its first, which the registry remembers.
  const first = at.boot(one)
  at.mesh.kill(one)
  await at.mesh.start(one)
  await at.recovered(first)
  for (const name of ['a', 'b', 'c']) await at.place(name, one, `${name}1`)
  const peer = at.mesh.peers.get(one)!
  const adding = at.send(zero, 'a', 'add', ['a2'])
  expect(await at.mesh.await(peer.driver.leave())).toBe(true)
  at.mesh.kill(one)
  await at.mesh.await(adding)
  for (const name of ['a', 'b', 'c']) expect((await at.tokens(zero, name))[0]).toBe(`${name}1`)
  await at.mesh.start(one)
  await at.mesh.until('it is admitted again', () => at.mesh.peers.get(one)!.driver.admitted)
  expect(await at.tokens(one, 'a')).toEqual(['a1', 'a2'])
})

/** A caller whose first answer got lost, so that the host has a call that its caller still asks for. */
async function withLostAnswer(at: ActorMesh, from: PeerId, name: string, token: string) {
  const frames: SentFrame[] = []
  let lost = false
  at.onFrame = (sent) => {
    if (sent.frame.t === 'call' && sent.from === from) frames.push(sent)
    const isAnswer = sent.frame.t === 'answer' && sent.to === from && sent.frame.answer.kind === 'result'
    if (!isAnswer || lost) return true
    lost = true
    return false
  }
  const call = at.send(from, name, 'add', [token])
  await at.mesh.until('the answer is lost', () => lost)
  return { call, frame: frames.at(-1)!, frames }
}

test('G3 a retry after the answer was lost gets the first result, here and at the next home', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { call } = await withLostAnswer(at, three, 'a', 'a2')
  await at.call(zero, 'a', 'add', 'a3')
  await at.move('a', two)
  expect(await at.mesh.await(call)).toMatchObject({ size: 2 })
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2', 'a3'])
})

test('G3 a retry after the host died gets the first result', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { call } = await withLostAnswer(at, three, 'a', 'a2')
  await at.call(zero, 'a', 'add', 'a3')
  at.mesh.kill(one)
  expect(await at.mesh.await(call)).toMatchObject({ size: 2 })
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2', 'a3'])
})

test('G3 a retry that comes long after gets the first result: results go by floors, never by time', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let lost = 0
  at.onFrame = ({ frame, to }) => {
    const isAnswer = frame.t === 'answer' && to === three && frame.answer.kind === 'result'
    if (isAnswer) lost++
    return !isAnswer || at.mesh.clock.now > stop
  }
  const stop = at.mesh.clock.now + 200_000
  const call = at.send(three, 'a', 'add', ['a2'], 400_000)
  await at.mesh.clock.run(100_000)
  for (let n = 0; n < 80; n++) await at.call(zero, 'a', 'add', `x${n}`)
  await at.move('a', two)
  await at.mesh.clock.run(120_000)
  expect(lost).toBeGreaterThan(1)
  expect(await at.mesh.await(call)).toMatchObject({ size: 2 })
  expect((await at.tokens(zero, 'a')).filter((token) => token === 'a2')).toEqual(['a2'])
})

test('duplicate-after-prune: a frame that comes again after its answer is refused, at every home', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const frames: SentFrame[] = []
  at.onFrame = (sent) => {
    if (sent.frame.t === 'call' && sent.from === three) frames.push(sent)
    return true
  }
  await at.call(three, 'a', 'add', 'a2')
  await at.call(three, 'a', 'add', 'a3')
  const [first, second] = frames as [SentFrame, SentFrame]
  const repeat = async (to: PeerId) => {
    at.repeat(first, to)
    at.repeat(second, to)
    await at.mesh.clock.run(3000)
    expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2', 'a3'])
  }
  await repeat(one)
  await at.move('a', two)
  await repeat(two)
  await at.move('a', one)
  await repeat(one)
  const boot = at.boot(three)
  at.mesh.kill(three)
  await at.recovered(boot)
  await repeat(one)
  await at.call(zero, 'a', 'add', 'a4') // writes a snapshot without the dead caller
  await at.move('a', two)
  at.repeat(first, two)
  await at.mesh.clock.run(3000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2', 'a3', 'a4'])
})

test('a call that waited at the new home while its caller died is not executed a second time', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const [caller, next] = at.others(zero, one, ...at.keepers('a')) as [PeerId, PeerId]
  watch((await withLostAnswer(at, caller, 'a', 'a2')).call)
  // The next host has to fetch the journal, and nobody answers it for now: the caller's retry waits there.
  let held = true
  at.onRestore = (asker) => !held || asker !== next
  await at.move('a', next)
  await at.mesh.clock.run(1000)
  const boot = at.boot(caller)
  at.mesh.kill(caller)
  await at.recovered(boot)
  await at.mesh.until('the host knows', () => at.registry(next).boots.get(boot)?.status === 'dead')
  held = false
  await at.mesh.clock.run(8000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('L4 a call whose caller was told that it changed nothing changes nothing when it comes again', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let late: SentFrame | undefined
  at.onFrame = (sent) => {
    if (sent.from === three && sent.frame.t === 'call') late ??= sent
    return true
  }
  expect(await at.call(three, 'a', 'addAfter', 'a3', 'a2')).toBe(false)
  await at.call(zero, 'a', 'add', 'a2')
  at.repeat(late!, one)
  await at.mesh.clock.run(3000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('a frame that was sent to an older epoch of the actor is not executed in a later one', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  let late: SentFrame | undefined
  at.onFrame = (sent) => {
    if (sent.from === three && sent.frame.t === 'call') late ??= sent
    return true
  }
  // It throws, its caller is told; nothing of it is in any record.
  expect(await code(at.mesh.await(at.send(three, 'a', 'addThenThrow', ['never'])))).toBe('ACTOR_ERROR')
  await at.move('a', two)
  await at.move('a', one)
  const frame = { ...late!.frame, method: 'add' } as SentFrame['frame']
  at.repeat({ ...late!, frame }, one)
  await at.mesh.clock.run(3000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('nested-call-retried-after-a-crash: the called actor runs it once, the caller gets the first result', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  let dead = false
  at.onFrame = ({ frame, from, to }) => {
    if (dead || frame.t !== 'answer' || frame.answer.kind !== 'result' || from !== two || to !== one)
      return true
    dead = true
    at.mesh.kill(one) // b's record is acknowledged, a has not heard of it
    return false
  }
  const relayed = at.send(three, 'a', 'relay', ['r', 'Ledger', 'b'])
  await at.mesh.until('the host is dead', () => dead)
  await at.call(zero, 'b', 'add', 'b2')
  const result = (await at.mesh.await(relayed, 90_000)) as Relayed
  expect(result.other.size).toBe(2)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 'r.other', 'b2'])
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'r.a', 'r.b'])
})

test('nested call: the called host dies after its record, the retry finds it in the next one', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  let dead = false
  at.onFrame = ({ frame, from, to }) => {
    if (dead || frame.t !== 'answer' || frame.answer.kind !== 'result' || from !== two || to !== one)
      return true
    dead = true
    at.mesh.kill(two)
    return false
  }
  expect(await at.call<Relayed>(three, 'a', 'relay', 'r', 'Ledger', 'b')).toMatchObject({ size: 3 })
  expect(dead).toBe(true)
  expect(await at.tokens(zero, 'b')).toEqual(['b1', 'r.other'])
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'r.a', 'r.b'])
})

test('a-calls-b-calls-a is refused at once and changes neither', async () => {
  const at = await meshOf(3)
  const [zero] = at.ids as [PeerId]
  await at.call(zero, 'a', 'add', 'a1')
  await at.call(zero, 'b', 'add', 'b1')
  const began = at.mesh.clock.now
  expect(await code(at.mesh.await(at.send(zero, 'a', 'through', ['x', 'Ledger', 'b', 'a'])))).toBe(
    'REENTRANT_CALL',
  )
  expect(at.mesh.clock.now - began).toBeLessThan(1000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
  expect(await at.tokens(zero, 'b')).toEqual(['b1'])
})

test('frozen-host-wakes-and-answers-a-read: a client that knows nothing newer never hears the old state', async () => {
  const at = await meshOf(7)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const client = at.others(zero, one, two, ...at.keepers('a'))[0]!
  expect(await at.tokens(client, 'a')).toEqual(['a1'])
  const boot = at.boot(one)
  const rest = at.others(one, client)
  at.mesh.freeze(one)
  at.mesh.freeze(client)
  at.split([one, client], rest)
  await at.recovered(boot)
  await at.call(rest[0]!, 'a', 'add', 'a2')
  at.mesh.thaw(one)
  at.mesh.thaw(client)
  await at.mesh.clock.run(1500)
  const reads = ['all', 'size', 'watch', 'addThenThrow', 'add'].map((method) => {
    const args = method === 'watch' ? ['w', 'Ledger', 'b'] : ['late']
    const promise = at.send(client, 'a', method, method === 'all' || method === 'size' ? [] : args)
    return { promise, seen: watch(promise) }
  })
  await at.mesh.clock.run(15_000)
  expect(reads.map(({ seen }) => seen.settled)).toEqual(reads.map(() => false))
  at.mesh.network.heal()
  const answer = await code(at.mesh.await(reads[0]!.promise, 90_000))
  if (answer !== 'CALL_EXPIRED')
    expect((JSON.parse(answer) as Listed).tokens.slice(0, 2)).toEqual(['a1', 'a2'])
  expect((await at.tokens(client, 'a')).slice(0, 2)).toEqual(['a1', 'a2'])
})

test('G5 what a host has not acknowledged is seen by nobody: no read, no throw, no call to another actor', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const keepers = at.keepers('a')
  const outside = at.others(one, ...keepers)
  const far = outside.find((id) => id !== zero)!
  await at.place('b', far, 'b1')
  at.split([one], keepers) // its journal can't grow; all others still hear it
  const lost = at.send(one, 'a', 'add', ['a2'])
  await at.mesh.clock.run(20)
  const calls = [
    at.send(one, 'a', 'all'),
    at.send(far, 'a', 'all'),
    at.send(one, 'a', 'size'),
    at.send(one, 'a', 'addThenThrow', ['never']),
    at.send(one, 'a', 'mirror', ['m', 'Ledger', 'b']),
    at.send(one, 'a', 'watch', ['w', 'Ledger', 'b']),
    lost,
  ].map((promise) => ({ promise, seen: watch(promise) }))
  await at.mesh.clock.run(900)
  expect(calls.map(({ seen }) => seen.settled)).toEqual(calls.map(() => false))
  expect(await at.tokens(far, 'b')).toEqual(['b1'])
  const boot = at.boot(one)
  at.split([one], at.others(one))
  await at.recovered(boot)
  const after = await at.tokens(far, 'a')
  expect(after).toEqual(['a1'])
  expect(await at.tokens(far, 'b')).toEqual(['b1'])
})

test('G5 a fresh actor answers nothing before its first record is acknowledged', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('x', one, 'x1') // opens the journal
  const keepers = at.keepers('x')
  const far = at.others(zero, one, ...keepers)[0]!
  const reads: { name: string; seen: { settled: boolean } }[] = []
  const isHere = ({ name }: { name: string }) => at.entry(name, one)?.home === at.boot(one)
  for (let n = 0; n < 30 && !reads.some(isHere); n++) {
    reads.push({ name: `f${n}`, seen: watch(at.send(far, `f${n}`, 'all')) })
    await at.mesh.clock.run(200, () => reads.some(isHere))
  }
  at.split([one], keepers)
  await at.mesh.clock.run(900)
  const here = reads.filter(isHere)
  expect(here.length).toBeGreaterThan(0)
  expect(here.filter(({ seen }) => seen.settled)).toEqual([])
})

test('power-loss-of-a-keeper-then-host-dies: no acknowledged call is lost, in both classes', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  for (const name of ['a', 'synced-a']) {
    await at.place(name, one, `${name}1`)
    await at.call(zero, name, 'add', `${name}2`)
  }
  const keeper = at.keepers('a').find((id) => id !== one && id !== zero)!
  at.mesh.kill(keeper, true)
  await at.mesh.start(keeper)
  const boot = at.boot(one)
  at.mesh.kill(one)
  await at.mesh.start(one)
  await at.recovered(boot)
  for (const name of ['a', 'synced-a']) expect(await at.tokens(zero, name)).toEqual([`${name}1`, `${name}2`])
})

test('whole-mesh-restart after the power failed everywhere: synced actors have every acknowledged call', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('synced-a', one, 's1')
  await at.place('synced-b', two, 't1')
  for (let n = 2; n < 9; n++) await at.call(zero, 'synced-a', 'add', `s${n}`)
  for (const id of at.ids) at.mesh.kill(id, true)
  for (const id of at.ids) await at.mesh.start(id)
  await at.mesh.until('everybody is admitted', () => at.live.every(({ driver }) => driver.admitted), 120_000)
  expect((await at.tokens(zero, 'synced-a')).length).toBe(8)
  expect(await at.tokens(zero, 'synced-b')).toEqual(['t1'])
})

test('a frozen caller is given up: what it had begun happens at most once', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('mine', three, 'm1') // so that its boot has a journal
  const { call } = await withLostAnswer(at, three, 'a', 'a2')
  const boot = at.boot(three)
  at.mesh.freeze(three)
  await at.recovered(boot)
  await at.call(zero, 'a', 'add', 'a3') // the dead caller's results go
  at.mesh.thaw(three)
  expect(['CALL_EXPIRED', '{"life":1,"size":2}']).toContain(await code(at.mesh.await(call, 90_000)))
  await at.mesh.clock.run(5000)
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2', 'a3'])
  await at.call(three, 'a', 'add', 'a4')
  expect((await at.tokens(three, 'mine'))[0]).toBe('m1')
})

test('roll-opens-a-journal-during-recovery: what the rolled host acknowledged is found', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const at = await meshOf(5, { seed, settings: { journalMaxBlocks: 6 } })
    const [zero, one] = at.ids as [PeerId, PeerId]
    await at.place('a', one, 't0')
    const acknowledged = new Map<string, number>()
    let next = 1
    const write = (): void => {
      const token = `t${next++}`
      at.send(zero, 'a', 'add', [token]).then(
        (seen) => acknowledged.set(token, (seen as Seen).size),
        () => {},
      )
      if (at.mesh.clock.now < until) at.mesh.clock.set(4, write)
    }
    const until = at.mesh.clock.now + 400
    const boot = at.boot(one)
    write()
    await at.mesh.clock.run(100 + at.mesh.random() * 300)
    at.mesh.kill(one)
    await at.recovered(boot)
    await at.mesh.clock.run(5000)
    const tokens = await at.tokens(zero, 'a')
    for (const [token, size] of acknowledged) expect(tokens[size - 1]).toBe(token)
    expect(new Set(tokens).size).toBe(tokens.length)
  }
})

test('move away, write there, and back to a host that dies before its first snapshot: the write is not lost', async () => {
  const at = await meshOf(5)
  const [zero, one, two] = at.ids as [PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.move('a', two)
  await at.call(zero, 'a', 'add', 'a2')
  const { key: actor, epoch } = at.entry('a')!
  const { driver } = at.mesh.peers.get(zero)!
  await at.mesh.await(driver.command({ kind: 'move', actor, epoch, to: one }))
  await at.mesh.until('it is back', () => at.entry('a', zero)!.home === at.boot(one))
  at.mesh.kill(one) // its journal has the state of the first stay only
  expect(await at.tokens(zero, 'a')).toEqual(['a1', 'a2'])
})

test('what lies beyond the sealed length is never read, not even where it is at hand', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const [journal] = at.journals('a')
  at.split([one], at.others(one))
  at.send(one, 'a', 'add', ['lost'])
  const boot = at.boot(one)
  const isOld = (source: { journal: string }) => source.journal === journal!.key
  await at.mesh.until('its host is given up', () => at.entry('a', zero)!.home !== boot)
  const { store } = at.mesh.peers.get(one)!
  const sealed = at.registry(zero).journals.get(journal!.key)!.status
  const held = await at.mesh.await(store.length(journal!.key))
  expect(held).toBeGreaterThan(sealed.kind === 'open' ? held : sealed.length)
  // The new homes die as soon as they are chosen, until the store that holds too much is the only one left to read.
  at.mesh.kill(one)
  at.mesh.network.heal()
  await at.mesh.start(one)
  for (let time = 0; time < 2; time++) {
    await at.mesh.until('it has a home', () => at.entry('a', zero)!.home !== null)
    const home = at.home('a', zero)
    if (home === one || home === zero || !at.entry('a', zero)!.sources.some(isOld)) break
    const dead = at.entry('a', zero)!.home!
    at.mesh.kill(home)
    await at.mesh.until('its home is lost', () => at.entry('a', zero)!.home !== dead)
  }
  expect(at.entry('a', zero)!.sources.some(isOld)).toBe(true)
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('missOneJournal: a recovery that does not name every open journal of the boot is refused', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('synced-a', one, 's1')
  const boot = at.boot(one)
  const { driver } = at.mesh.peers.get(zero)!
  const open = at.journals('a').filter(({ status }) => status.kind === 'open')
  expect(open.length).toBe(2)
  for (const named of [[], open.slice(0, 1), open.slice(1)]) {
    const journals = Object.fromEntries(named.map(({ key }) => [key, { length: 0, hash: '' }]))
    const command = { kind: 'recover', boot, journals, cause: 'a test', at: 0, homes: {} } as const
    expect(await at.mesh.await(driver.command(command))).toMatchObject({ ok: false, why: 'journals-changed' })
  }
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('G5 a read of a synced actor waits for the sync that its base needs', async () => {
  const at = await meshOf(5)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('synced-a', one, 's1')
  const never = () => new Promise<void>(() => {})
  for (const id of at.keepers('synced-a')) at.mesh.peers.get(id)!.store.sync = never
  const lost = at.send(one, 'synced-a', 'add', ['s2'])
  await at.mesh.clock.run(50)
  const calls = [
    lost,
    at.send(one, 'synced-a', 'all'),
    at.send(zero, 'synced-a', 'size'),
    at.send(one, 'synced-a', 'addThenThrow', ['never']),
  ].map(watch)
  await at.mesh.clock.run(1000)
  expect(calls.map(({ settled }) => settled)).toEqual(calls.map(() => false))
})

test('H2 what a fresh actor was at its first answer, it is after its host died', async () => {
  const at = await meshOf(5)
  const [zero] = at.ids as [PeerId]
  for (const name of ['a', 'b', 'c']) {
    const { life } = await at.call<Listed>(zero, name, 'all')
    const home = at.home(name)
    if (home === zero) continue
    at.mesh.kill(home)
    expect((await at.call<Listed>(zero, name, 'all')).life).toBe(life)
    await at.mesh.start(home)
  }
})

test("a dead caller's call is refused after its results were dropped, in the very epoch it was executed in", async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { call, frame } = await withLostAnswer(at, three, 'a', 'a2')
  watch(call)
  const boot = at.boot(three)
  at.mesh.kill(three)
  await at.recovered(boot)
  for (let n = 0; n < 80; n++) await at.call(zero, 'a', 'add', `${n}`) // a snapshot without its results is due
  at.repeat(frame, one)
  await at.mesh.clock.run(3000)
  expect((await at.tokens(zero, 'a')).filter((token) => token === 'a2')).toEqual(['a2'])
})

test('C3 a call that was sent to one incarnation is never executed by the next', async () => {
  const at = await meshOf(5)
  const [zero, one, , three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  const { call } = await withLostAnswer(at, three, 'a', 'a2')
  const runtime = at.runtimes.get(zero)!
  at.split([three], at.others(three))
  await at.mesh.await(runtime.stop('Ledger', 'a'))
  await at.mesh.await(runtime.create('Ledger', 'a'))
  at.mesh.network.heal()
  expect(['ACTOR_DIED', 'CALL_EXPIRED']).toContain(await code(at.mesh.await(call, 90_000)))
  expect(await at.tokens(zero, 'a')).toEqual([])
})

test('moveWithoutDrain: a release waits for the method that runs, so nothing is acknowledged behind it', async () => {
  const at = await meshOf(5)
  const [zero, one, two, three] = at.ids as [PeerId, PeerId, PeerId, PeerId]
  await at.place('a', one, 'a1')
  await at.place('b', two, 'b1')
  let nested: SentFrame | undefined
  at.onFrame = (sent) => {
    if (nested || sent.frame.t !== 'call' || sent.from !== one || sent.to !== two) return true
    nested = sent
    return false
  }
  const call = at.send(three, 'a', 'slowly', ['s', 'Ledger', 'b', 1])
  await at.mesh.until('it runs', () => nested !== undefined)
  const { key: actor, epoch } = at.entry('a')!
  const { driver } = at.mesh.peers.get(zero)!
  let released = false
  at.mesh.network.trace = (_from, _to, message) => {
    if (message.kind === 'cmd' && message.issued.command.kind === 'released') released = true
  }
  await at.mesh.await(driver.command({ kind: 'move', actor, epoch, to: three }))
  await at.mesh.until('the host knows', () => at.entry('a', one)?.status.kind === 'moving')
  await at.mesh.clock.run(1000)
  expect(released).toBe(false)
  at.repeat(nested!, two)
  const { size } = (await at.mesh.await(call, 90_000)) as Seen
  expect(size).toBe(2)
  await at.mesh.until(
    'it moved',
    () => at.entry('a', two)!.epoch > epoch && at.entry('a', two)!.home !== null,
  )
  expect(await at.tokens(two, 'a')).toEqual(['a1', 's'])
})

test('retireEarly: an older journal stays a source until the copy of its actor is acknowledged', async () => {
  const at = await meshOf(7)
  const [zero, one] = at.ids as [PeerId, PeerId]
  await at.place('a', one, 'a1')
  const next: PeerId[] = []
  for (const id of at.others(zero, one)) {
    await at.place(`at-${id}`, id, 'x') // opens a journal there
    if (!at.keepers(`at-${id}`).includes(zero)) next.push(id)
  }
  const host = next[0]!
  at.split([host], at.keepers(`at-${host}`)) // it reaches the head, and nothing it writes is acknowledged
  const { key: actor, epoch } = at.entry('a')!
  const { driver } = at.mesh.peers.get(zero)!
  await at.mesh.await(driver.command({ kind: 'move', actor, epoch, to: host }))
  await at.mesh.until('it is there', () => at.entry('a')!.home === at.boot(host))
  await at.mesh.clock.run(800)
  expect(at.entry('a')).toMatchObject({ base: 0, epoch: epoch + 1 })
  expect(at.entry('a')!.sources.length).toBeGreaterThan(0)
  at.mesh.kill(host)
  at.mesh.network.heal()
  expect(await at.tokens(zero, 'a')).toEqual(['a1'])
})

test('an actor stops although its journal loses its majority just then: the release is written into the next one', async () => {
  const at = await ActorMesh.of(5, { seed: 21 })
  const host = at.others(at.head)[0]!
  await at.place('a', host, 'first')
  const [one, two] = at.keepers('a').filter((peer) => peer !== host) as [PeerId, PeerId]
  const write = at.send(host, 'a', 'add', ['second'], 20_000)
  for (const keeper of [one, two]) at.mesh.kill(keeper)
  const stopping = at.runtimes.get(host)!.stop('Ledger', 'a', 60_000)
  await at.mesh.await(stopping, 60_000)
  await write.catch(() => {})
  expect(at.mesh.peers.has(one) || at.mesh.peers.has(two)).toBe(false)
  expect(at.entry('a', host)?.status.kind).toBe('stopped')
  at.end()
})
