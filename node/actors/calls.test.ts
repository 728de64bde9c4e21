import { afterEach, describe, expect, test } from 'vitest'
import {
  ActorError,
  MailboxFullError,
  ReentrantCallError,
  StateError,
  TooLargeError,
  UnknownMethodError,
  UnknownTypeError,
  UnserialisableStateError,
} from '../errors.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter, Relay, Store } from './test-support/types.ts'

const types = [Counter, Store, Relay]

async function threePeers(seed = 1): Promise<FakeMesh> {
  const mesh = new FakeMesh(seed)
  for (const name of ['a', 'b', 'c']) await mesh.start(name, types)
  opened.push(mesh)
  return mesh
}
const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`)
    },
    (error: unknown) => error,
  )

describe('calls', () => {
  test('an actor is made by its first call, with its arguments, and found from every peer', async () => {
    const mesh = await threePeers()
    const first = mesh.node('a').runtime.ref(Counter, 'x', 10)
    expect(await mesh.clock.until(first.increment(2))).toBe(12)
    for (const name of ['a', 'b', 'c']) {
      const counter = mesh.node(name).runtime.ref(Counter, 'x', 1000)
      await mesh.clock.until(counter.increment(1))
    }
    expect(await mesh.clock.until(mesh.node('b').runtime.call('Counter', 'x', 'get', []))).toBe(15)
    expect(mesh.registry.actors.size).toBe(1)
  })

  test('two peers that create the same actor at once get the same one', async () => {
    const mesh = await threePeers()
    const calls = ['a', 'b', 'c'].map((name) => mesh.node(name).runtime.ref(Counter, 'x').increment(1))
    expect((await mesh.clock.until(Promise.all(calls))).sort()).toEqual([1, 2, 3])
  })

  test('calls of one actor run one after the other, in the order they came, also asynchronous ones', async () => {
    const mesh = await threePeers()
    const counter = mesh.node('a').runtime.ref(Counter, 'x')
    await mesh.clock.until(counter.get())
    const results = Array.from({ length: 20 }, (_, index) => counter.slowly(1, 20 - index))
    expect(await mesh.clock.until(Promise.all(results))).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
  })

  test('G4: a method that throws leaves the state as it was, and its error arrives with class, code, data and stack', async () => {
    const mesh = await threePeers()
    const counter = mesh.node('a').runtime.ref(Counter, 'x')
    const error = (await mesh.clock.until(failure(counter.failAfter(5)))) as ActorError
    expect(error).toBeInstanceOf(ActorError)
    expect({ name: error.name, message: error.message, code: error.code, data: error.data }).toEqual({
      name: 'RangeError',
      message: 'no 5',
      code: 'NOPE',
      data: { code: 'NOPE', limit: { most: 3 } },
    })
    expect(error.remoteStack).toContain('failAfter')
    expect(await mesh.clock.until(counter.get())).toBe(0)
  })

  test('state can be replaced as a whole, and results may be parts of the draft', async () => {
    const mesh = await threePeers()
    const counter = mesh.node('a').runtime.ref(Counter, 'x')
    expect(await mesh.clock.until(counter.note('one'))).toEqual(['one'])
    await mesh.clock.until(counter.replace(7))
    expect(await mesh.clock.until(counter.note('two'))).toEqual(['one', 'two'])
    expect(await mesh.clock.until(counter.get())).toBe(7)
  })

  test('what a reference offers is public methods only, and the error lists them', async () => {
    const mesh = await threePeers()
    const { runtime } = mesh.node('a')
    for (const method of ['_private', 'constructor', 'nothing', 'hasOwnProperty', 'state', 'context']) {
      const error = await failure(runtime.call('Counter', 'x', method, []))
      expect(error).toBeInstanceOf(UnknownMethodError)
      expect((error as Error).message).toContain('bad, failAfter, get')
    }
    const ref = runtime.ref('Counter', 'x')
    expect(await ref).toBe(ref)
    expect(`${ref}`).toBe('[actor Counter/x]')
  })

  test('a type that no peer knows is named, with those that are known', async () => {
    const mesh = await threePeers()
    const error = await mesh.clock.until(failure(mesh.node('a').runtime.call('Nope', 'x', 'get', [])))
    expect(error).toBeInstanceOf(UnknownTypeError)
    expect((error as Error).message).toContain('Counter, Relay, Store')
  })

  test('a peer without the class calls by name: a peer that has the class creates the actor', async () => {
    const mesh = await threePeers()
    const { runtime } = await mesh.start('d', [])
    expect(await mesh.clock.until(runtime.ref('Counter', 'y', 5).increment!(1))).toBe(6)
    const error = await mesh.clock.until(failure(runtime.ref('Counter', 'y').nothing!()))
    expect(error).toBeInstanceOf(UnknownMethodError)
  })

  test('state, arguments and results that cannot be stored are refused with their path, and nothing changed', async () => {
    const mesh = await threePeers()
    const store = mesh.node('a').runtime.ref(Store, 's')
    await mesh.clock.until(store.put('a', 1))
    const cases: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => store.putFunction(), 'state.items[1].socket'],
      [() => store.returnFunction(), 'result.a[0]'],
      [() => store.put('x', { deep: [Symbol('s')] }), 'arguments[1].deep[0]'],
      [() => store.put('x', new URL('http://localhost')), 'arguments[1]'],
    ]
    for (const [call, path] of cases) {
      const error = (await mesh.clock.until(failure(call()))) as UnserialisableStateError
      expect(error).toBeInstanceOf(UnserialisableStateError)
      expect(error.path).toBe(path)
      expect(error.message).toContain(path)
    }
    expect(await mesh.clock.until(store.get('items'))).toBe(undefined)
  })

  test('values arrive as they were sent, and as copies, also on the same peer', async () => {
    const mesh = await threePeers()
    const value = {
      map: new Map<unknown, unknown>([['k', new Set([1, 'two'])]]),
      when: new Date(5),
      big: 2n ** 70n,
      bytes: new Uint8Array([1, 2, 3]),
      floats: new Float64Array([1.5]),
      nothing: undefined,
      null: null,
    }
    for (const name of ['a', 'b', 'c']) {
      const store = mesh.node(name).runtime.ref(Store, 's')
      await mesh.clock.until(store.put('v', value))
      const back = (await mesh.clock.until(store.get('v'))) as typeof value
      expect(back).toEqual(value)
      expect(back).not.toBe(value)
      expect(back.bytes.constructor).toBe(Uint8Array)
      back.bytes[0] = 7
      expect(((await mesh.clock.until(store.get('v'))) as typeof value).bytes[0]).toBe(1)
    }
  })

  test('a Date or typed array changed in place fails the call, and is undone', async () => {
    const mesh = await threePeers()
    const store = mesh.node('a').runtime.ref(Store, 's')
    await mesh.clock.until(store.put('bytes', new Uint8Array([1, 2])))
    await mesh.clock.until(store.put('when', new Date(77)))
    for (const key of ['bytes', 'when']) {
      expect(await mesh.clock.until(failure(store.scribble(key)))).toBeInstanceOf(StateError)
    }
    expect(await mesh.clock.until(store.get('bytes'))).toEqual(new Uint8Array([1, 2]))
    expect(await mesh.clock.until(store.get('when'))).toEqual(new Date(77))
  })

  test('a read-only method that changes the state fails', async () => {
    const mesh = await threePeers()
    const counter = mesh.node('a').runtime.ref(Counter, 'x')
    expect(await mesh.clock.until(failure(counter.bad()))).toBeInstanceOf(StateError)
    expect(await mesh.clock.until(counter.peek())).toBe(0)
  })

  test('limits: the mailbox and the size of arguments', async () => {
    const mesh = new FakeMesh()
    opened.push(mesh)
    await mesh.start('a', types, { limits: { mailboxLimit: 5, maxBytes: 1000 } })
    const { runtime } = mesh.node('a')
    const counter = runtime.ref(Counter, 'x')
    await mesh.clock.until(counter.get())
    const calls = Array.from({ length: 8 }, () => counter.slowly(1, 50).catch((error: unknown) => error))
    const results = await mesh.clock.until(Promise.all(calls))
    expect(results.filter((result) => result instanceof MailboxFullError)).toHaveLength(3)
    expect(
      await mesh.clock.until(failure(runtime.ref(Store, 's').put('k', 'x'.repeat(2000)))),
    ).toBeInstanceOf(TooLargeError)
  })

  test('a call chain that comes back to a waiting actor is refused at once, with the chain', async () => {
    const mesh = await threePeers()
    const error = (await mesh.clock.until(
      failure(mesh.node('a').runtime.ref(Relay, 'one').loop('two')),
    )) as Error
    expect(error).toBeInstanceOf(ReentrantCallError)
    expect(error.message).toContain('Relay/one → Relay/two → Relay/one')
  })

  test('calls from inside an actor take effect once each, also equal ones', async () => {
    const mesh = await threePeers()
    const { runtime } = mesh.node('a')
    expect(await mesh.clock.until(runtime.ref(Relay, 'r').forward('c', 5))).toBe(5)
    expect(await mesh.clock.until(runtime.ref(Relay, 'r').twice('c', 5))).toBe(15)
    expect(await mesh.clock.until(runtime.ref(Relay, 'r').twice('c', 5))).toBe(25)
    expect(hostOf(mesh, 'Relay/r')).not.toBe('')
  })

  test('a large answer that is still on its way is not sent a second time', async () => {
    const mesh = await threePeers()
    const { runtime } = mesh.node('a')
    await mesh.clock.until(runtime.ref(Store, 's').put('large', new Uint8Array(5_000_000)))
    const host = mesh.node(hostOf(mesh, 'Store/s')).peer
    const caller = mesh.node(['a', 'b', 'c'].find((name) => name !== host.self)!)
    const send = host.sendService.bind(host)
    const answers: unknown[] = []
    host.sendService = (to, frame) => {
      if ((frame.body as { readonly t: string }).t !== 'answer') return send(to, frame)
      answers.push(frame.body)
      return true // and then the link is lost
    }
    host.queued = () => 1
    const result = caller.runtime.ref(Store, 's').with({ timeoutMs: 60_000 }).get('large')
    await mesh.clock.run(20_000) // asked for several times meanwhile
    expect(answers).toHaveLength(1)
    host.queued = () => 0
    host.sendService = send
    expect(((await mesh.clock.until(result)) as Uint8Array).length).toBe(5_000_000)
  })
})
