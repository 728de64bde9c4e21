import { afterEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { ActorDiedError, ActorUnavailableError, CallTimeoutError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
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
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`)
    },
    (error: unknown) => error,
  )

describe('lifecycle', () => {
  test('move: the actor drains, is released, and serves elsewhere without losing a call', async () => {
    const mesh = await peers('abc')
    const { runtime, peer } = mesh.node('a')
    const counter = runtime.ref(Counter, 'x')
    await mesh.clock.until(counter.increment(1))
    for (let round = 0; round < 6; round++) {
      const calls = Array.from({ length: 10 }, () => counter.slowly(1, 5))
      const { epoch } = mesh.registry.actors.get('Counter/x' as ActorKey)!
      const to = [...mesh.nodes.keys()].find((name) => name !== hostOf(mesh, 'Counter/x'))!
      void peer.command({ kind: 'move', actor: 'Counter/x' as ActorKey, epoch, to })
      await mesh.clock.until(Promise.all(calls))
      await mesh.clock.untilTrue(() => hostOf(mesh, 'Counter/x') === to)
    }
    expect(await mesh.clock.until(counter.get())).toBe(61)
    expect((await mesh.clock.until(counter.where())).restarts).toBe(0)
  })

  test('move away and back without a write keeps the state', async () => {
    const mesh = await peers('abc')
    const { runtime, peer } = mesh.node('a')
    await mesh.clock.until(runtime.ref(Counter, 'x').increment(7))
    const home = hostOf(mesh, 'Counter/x')
    for (const to of ['a', 'b', 'c'].filter((name) => name !== home).concat(home)) {
      const { epoch } = mesh.registry.actors.get('Counter/x' as ActorKey)!
      void peer.command({ kind: 'move', actor: 'Counter/x' as ActorKey, epoch, to: mesh.node(to).peer.self })
      await mesh.clock.untilTrue(() => hostOf(mesh, 'Counter/x') === to)
    }
    expect(await mesh.clock.until(runtime.ref(Counter, 'x').get())).toBe(7)
  })

  test('leaving: every actor moves away, then nothing is left here', async () => {
    const mesh = await peers('abc')
    const { runtime } = mesh.node('a')
    for (let index = 0; index < 12; index++)
      await mesh.clock.until(runtime.ref(Counter, `n${index}`).increment(1))
    const b = mesh.node('b')
    void b.peer.command({ kind: 'leaving', peer: b.peer.self, boot: b.peer.boot })
    await mesh.clock.run(20)
    expect(await mesh.clock.until(b.runtime.drained(10_000))).toBe(true)
    mesh.crash('b')
    for (let index = 0; index < 12; index++)
      expect(await mesh.clock.until(runtime.ref(Counter, `n${index}`).increment(1))).toBe(2)
  })

  test('stop: calls fail with ActorDied, confirmed; create makes a new one under the name', async () => {
    const mesh = await peers('abc')
    const { runtime } = mesh.node('a')
    await mesh.clock.until(runtime.ref(Counter, 'x').increment(1))
    await mesh.clock.until(runtime.stop('Counter', 'x'))
    expect(await mesh.clock.until(failure(mesh.node('b').runtime.ref(Counter, 'x').get()))).toBeInstanceOf(
      ActorDiedError,
    )
    await mesh.clock.until(runtime.create(Counter, 'x', { init: [50] }))
    expect(await mesh.clock.until(mesh.node('b').runtime.ref(Counter, 'x').increment(1))).toBe(51)
    const error = await mesh.clock.until(failure(runtime.create(Counter, 'x')))
    expect(String(error)).toContain('Counter/x exists')
  })

  test('a fresh actor whose constructor fails is dead, with the cause', async () => {
    class Broken extends Actor {
      constructor() {
        super()
        throw new Error('no database')
      }
      get(): number {
        return 1
      }
    }
    const mesh = new FakeMesh()
    opened.push(mesh)
    for (const name of ['a', 'b']) await mesh.start(name, [Broken])
    const error = await mesh.clock.until(failure(mesh.node('a').runtime.ref(Broken, 'x').get()))
    expect(error).toBeInstanceOf(ActorDiedError)
    expect((error as Error).message).toContain('no database')
  })

  test('no home: the call fails when its time is up, says why and since when, and that nothing was executed', async () => {
    const mesh = new FakeMesh()
    opened.push(mesh)
    await mesh.start('a', [Counter])
    for (const name of ['b', 'c', 'd']) await mesh.start(name, [])
    await mesh.clock.until(mesh.node('b').runtime.ref('Counter', 'x').increment!(1))
    mesh.crash('a')
    await mesh.clock.run(500)
    const error = (await mesh.clock.until(
      failure(mesh.node('b').runtime.ref('Counter', 'x').with({ timeoutMs: 2000 }).get!()),
    )) as ActorUnavailableError
    expect(error).toBeInstanceOf(ActorUnavailableError)
    expect(error.executed).toBe('no')
    expect(error.why).toContain('no home')
    expect(error.since).toBeGreaterThan(1900)
    await mesh.start('a', [Counter])
    expect(await mesh.clock.until(mesh.node('b').runtime.ref('Counter', 'x').get!())).toBe(1)
  })

  test('a method that takes too long: CallTimeout, and the outcome is said to be unknown', async () => {
    class Slow extends Actor {
      async wait(): Promise<void> {
        await new Promise(() => {})
      }
    }
    const mesh = new FakeMesh()
    opened.push(mesh)
    await mesh.start('a', [Slow])
    const error = (await mesh.clock.until(
      failure(mesh.node('a').runtime.ref(Slow, 'x').with({ timeoutMs: 1000 }).wait()),
    )) as CallTimeoutError
    expect(error).toBeInstanceOf(CallTimeoutError)
    expect(error.executed).toBe('unknown')
  })

  test('a restored actor whose constructor fails here waits and says so, and is not given up', async () => {
    let broken = false
    class Picky extends Actor<{ n: number }> {
      override state = { n: 0 }
      constructor() {
        super()
        if (broken) throw new Error('no licence')
      }
      bump(): number {
        return ++this.state.n
      }
    }
    const mesh = new FakeMesh(2)
    opened.push(mesh)
    for (const name of ['a', 'b', 'c']) await mesh.start(name, [Picky])
    const caller = () => [...mesh.nodes.values()][0]!.runtime.ref(Picky, 'x')
    await mesh.clock.until(caller().bump())
    broken = true
    mesh.crash(hostOf(mesh, 'Picky/x'))
    const error = (await mesh.clock.until(
      failure(caller().with({ timeoutMs: 3000 }).bump()),
    )) as ActorUnavailableError
    expect(error).toBeInstanceOf(ActorUnavailableError)
    expect(error.why).toContain('no licence')
    broken = false
    expect(await mesh.clock.until(caller().bump())).toBe(2)
  })
})
