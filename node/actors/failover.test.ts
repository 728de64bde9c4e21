import { afterEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { ActorUnavailableError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, type FakeNode, hostOf } from './test-support/fake-mesh.ts'
import { Counter, Relay, Store } from './test-support/types.ts'

const types = [Counter, Store, Relay]
const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

async function peers(names: string, seed = 1): Promise<FakeMesh> {
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, types)
  return mesh
}
const other = (mesh: FakeMesh, not: string): FakeNode =>
  [...mesh.nodes.values()].find((node) => node.peer.self !== not)!
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`)
    },
    (error: unknown) => error,
  )

describe('failover', () => {
  test('G1: a host crashes; every acknowledged call is there, and the next call says restored', async () => {
    const mesh = await peers('abcd')
    const call = (name: string) => mesh.node(name).runtime.ref(Counter, 'x', 100)
    await mesh.clock.until(call('a').increment(1))
    await mesh.clock.until(call('a').note('before'))
    const host = hostOf(mesh, 'Counter/x')
    mesh.crash(host)
    const { runtime, peer } = other(mesh, host)
    const counter = runtime.ref(Counter, 'x', 100)
    expect(await mesh.clock.until(counter.increment(1))).toBe(102)
    expect(await mesh.clock.until(counter.note('after'))).toEqual(['before', 'after'])
    const where = await mesh.clock.until(counter.where())
    expect(where).toMatchObject({ restored: true, restarts: 1, epoch: 2 })
    const recovered = [...mesh.nodes.values()].flatMap((node) => node.recovered)
    expect(recovered).toEqual([expect.objectContaining({ actor: 'Counter/x', epoch: 2, sequence: 3 })])
    expect(peer.registry).toBeDefined()
  })

  test('an idle actor is restored, copied and trimmed in the background, and old journals are retired', async () => {
    const mesh = await peers('abcd')
    for (let index = 0; index < 30; index++) {
      await mesh.clock.until(mesh.node('a').runtime.ref(Counter, `n${index}`, index).increment(1))
    }
    mesh.crash('b')
    await mesh.clock.run(5000)
    const { actors, journals, boots } = mesh.registry
    for (const entry of actors.values())
      expect({ key: entry.key, sources: entry.sources }).toEqual({ key: entry.key, sources: [] })
    for (const journal of journals.values()) expect(boots.get(journal.boot)?.status).toBe('live')
    for (let index = 0; index < 30; index++) {
      expect(await mesh.clock.until(mesh.node('c').runtime.ref(Counter, `n${index}`).get())).toBe(index + 1)
    }
  })

  test('G3: a call whose answer was lost with its host returns its first result and has one effect', async () => {
    for (let seed = 1; seed < 20; seed++) {
      const mesh = await peers('abcd', seed)
      const { runtime } = mesh.node('a')
      await mesh.clock.until(runtime.ref(Counter, 'x').increment(1))
      const host = hostOf(mesh, 'Counter/x')
      if (host === 'a') continue
      const calls = Array.from({ length: 5 }, () => runtime.ref(Counter, 'x').increment(1))
      await mesh.clock.run(mesh.random() * 15)
      mesh.crash(host)
      expect(await mesh.clock.until(Promise.all(calls))).toEqual([2, 3, 4, 5, 6])
      expect(await mesh.clock.until(runtime.ref(Counter, 'x').get())).toBe(6)
    }
  })

  test('G2: a host that is cut off answers neither writes nor reads nor errors, and its successor goes on', async () => {
    const mesh = await peers('abcd')
    await mesh.clock.until(mesh.node('a').runtime.ref(Counter, 'x').increment(1))
    const host = hostOf(mesh, 'Counter/x')
    mesh.isolate(host)
    const cutOff = mesh.node(host).runtime
    const outcomes = [
      cutOff.ref(Counter, 'x').increment(100),
      cutOff.ref(Counter, 'x').get(),
      cutOff.ref(Counter, 'x').peek(),
      cutOff.ref(Counter, 'x').failAfter(1),
    ].map((call) =>
      call.then(
        () => 'answered',
        () => 'failed',
      ),
    )
    let settled = 0
    for (const outcome of outcomes) void outcome.then(() => settled++)
    expect(await mesh.clock.until(other(mesh, host).runtime.ref(Counter, 'x').increment(1))).toBe(2)
    expect(settled).toBe(0)
    mesh.heal()
    // The cut-off peer is deposed, and its calls, which have ids of its dead boot, are refused or time out.
    expect(await mesh.clock.until(Promise.all(outcomes))).toEqual(['failed', 'failed', 'failed', 'failed'])
    expect(await mesh.clock.until(mesh.node(host).runtime.ref(Counter, 'x').get())).toBe(2)
  })

  test('G5: nothing of an unacknowledged change is seen: not by a reader, a thrower or another actor', async () => {
    const mesh = await peers('abc')
    const { runtime } = mesh.node('a')
    await mesh.clock.until(runtime.ref(Counter, 'x').increment(1))
    await mesh.clock.until(runtime.ref(Relay, 'r').forward('y', 1))
    for (const log of mesh.logs.values()) for (const { peer } of log.keepers) log.slow.add(peer)
    const write = runtime.ref(Counter, 'x').increment(10)
    await mesh.clock.run(20)
    const seen: string[] = []
    const note = (what: string, promise: Promise<unknown>) => {
      promise.then(
        () => seen.push(what),
        () => seen.push(what),
      )
      return promise.catch(() => {})
    }
    const relay = runtime.ref(Relay, 'r')
    const all = [
      note('write', write),
      note('read', runtime.ref(Counter, 'x').get()),
      note('throw', runtime.ref(Counter, 'x').failAfter(1)),
      note('relay', relay.forward('y', 1)),
      note('relay again', relay.forward('y', 1)),
    ]
    await mesh.clock.run(500)
    expect(seen).toEqual([])
    for (const log of mesh.logs.values()) log.slow.clear()
    await mesh.clock.until(Promise.all(all))
    expect(seen.slice().sort()).toEqual(['read', 'relay', 'relay again', 'throw', 'write'])
    expect(await mesh.clock.until(runtime.ref(Counter, 'y').get())).toBe(3)
  })

  test('a false alarm: the host is deposed, takes a new boot, and the call goes on with its id', async () => {
    const mesh = await peers('abc')
    const { runtime } = mesh.node('a')
    for (let round = 0; round < 5; round++) {
      const call = runtime.ref(Counter, 'x').increment(1)
      await mesh.clock.run(mesh.random() * 10)
      const host = hostOf(mesh, 'Counter/x')
      if (host !== '' && host !== 'a') mesh.depose(host)
      expect(await mesh.clock.until(call)).toBe(round + 1)
    }
  })

  test('nested calls are executed once when their caller is executed again', async () => {
    for (let seed = 1; seed < 25; seed++) {
      const mesh = await peers('abcde', seed)
      const { runtime } = mesh.node('a')
      await mesh.clock.until(runtime.ref(Relay, 'r').twice('c', 1))
      const host = hostOf(mesh, 'Relay/r')
      if (host === 'a' || hostOf(mesh, 'Counter/c') === host) continue
      const call = runtime.ref(Relay, 'r').forward('c', 10)
      await mesh.clock.run(2 + mesh.random() * 25)
      mesh.crash(host)
      expect(await mesh.clock.until(call)).toBe(12)
      expect(await mesh.clock.until(runtime.ref(Counter, 'c').get())).toBe(12)
    }
  })

  test('a roll: the next write is a snapshot, idle actors are copied, the old journal goes', async () => {
    const mesh = await peers('abc')
    for (let index = 0; index < 10; index++)
      await mesh.clock.until(mesh.node('a').runtime.ref(Counter, `n${index}`).increment(1))
    const host = hostOf(mesh, 'Counter/n0')
    const [before] = mesh.journalsOf(host)
    await mesh.clock.until(mesh.roll(host))
    await mesh.clock.run(3000)
    expect(mesh.registry.journals.has(before!.key)).toBe(false)
    mesh.crash(host)
    for (let index = 0; index < 10; index++) {
      expect(await mesh.clock.until(other(mesh, host).runtime.ref(Counter, `n${index}`).increment(1))).toBe(2)
    }
  })

  test('retries: 0 fails a call whose host was lost instead of repeating it', async () => {
    const mesh = await peers('abcd')
    const { runtime } = mesh.node('a')
    await mesh.clock.until(runtime.ref(Counter, 'x').increment(1))
    const host = hostOf(mesh, 'Counter/x')
    expect(host).not.toBe('a')
    const call = runtime.ref(Counter, 'x').with({ retries: 0 }).slowly(1, 1_000_000)
    await mesh.clock.run(5)
    mesh.crash(host)
    const error = (await mesh.clock.until(failure(call))) as ActorUnavailableError
    expect(error).toBeInstanceOf(ActorUnavailableError)
    expect(error.executed).toBe('unknown')
  })

  test('L3, L4: a call sent again is neither started again while it runs nor after it threw', async () => {
    let runs = 0
    class Once extends Actor<{ runs: number }> {
      override state = { runs: 0 }
      async slow(): Promise<number> {
        runs++
        this.state.runs++
        for (let turn = 0; turn < 1000; turn++) await null
        return this.state.runs
      }
      fail(): never {
        runs++
        throw new Error(`run ${runs}`)
      }
    }
    const mesh = new FakeMesh()
    opened.push(mesh)
    for (const name of ['a', 'b', 'c']) await mesh.start(name, [Once])
    const caller = [...mesh.nodes.values()][0]!
    await mesh.clock.until(caller.runtime.ref(Once, 'x').slow())
    const host = hostOf(mesh, 'Once/x')
    const from = other(mesh, host)
    const frames: unknown[] = []
    const { sendService } = from.peer
    from.peer.sendService = (to, frame) => {
      const body = frame.body as { readonly t?: string }
      const copies = body.t === 'call' ? 3 : 1
      if (body.t === 'call') frames.push(body)
      for (let copy = 1; copy < copies; copy++) sendService.call(from.peer, to, frame)
      return sendService.call(from.peer, to, frame)
    }
    runs = 0
    expect(await mesh.clock.until(from.runtime.ref(Once, 'x').slow())).toBe(2)
    expect(runs).toBe(1)
    const error = (await mesh.clock.until(failure(from.runtime.ref(Once, 'x').fail()))) as Error
    sendService.call(from.peer, mesh.node(host).peer.self, { service: 'call', body: frames.at(-1) })
    await mesh.clock.run(100)
    expect({ runs, message: error.message, frames: frames.length }).toEqual({
      runs: 2,
      message: 'run 2',
      frames: 2,
    })
  })

  test('a state of many parts is restored, and a journal read by a peer that keeps none of it', async () => {
    const mesh = await peers('abcdef', 3)
    const { runtime } = mesh.node('a')
    const big = new Uint8Array(5 * 1024 * 1024).map((_, index) => index % 251)
    await mesh.clock.until(runtime.ref(Store, 's').put('big', big))
    await mesh.clock.until(runtime.ref(Store, 's').put('small', 'after'))
    for (let round = 0; round < 4; round++) {
      const { epoch } = mesh.registry.actors.get('Store/s' as ActorKey)!
      const keepers = new Set(
        [...mesh.logs.values()].flatMap((log) => log.keepers.map((keeper) => keeper.peer)),
      )
      const to = [...mesh.nodes.keys()].find((name) => !keepers.has(name)) ?? mesh.node('b').peer.self
      await mesh.clock.until(
        mesh.node('a').peer.command({ kind: 'move', actor: 'Store/s' as ActorKey, epoch, to }),
      )
      await mesh.clock.untilTrue(() => hostOf(mesh, 'Store/s') === to || round > 2)
      const back = await mesh.clock.until(runtime.ref(Store, 's').get('big'))
      expect(Buffer.compare(back as Uint8Array, big)).toBe(0)
      expect(await mesh.clock.until(runtime.ref(Store, 's').get('small'))).toBe('after')
    }
  })
})
