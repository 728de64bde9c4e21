import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { decode, decodeUser, encodeUser } from '../../checkpoint/codec.ts'
import { type ActorError, ReentrantCallError } from '../errors.ts'
import { Actor } from './actor.ts'
import { makeRef } from './ref.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'
import type { ActorRef, AnyRef } from './types.ts'

interface Contacts {
  first: ActorRef<Counter> | null
  byName: Map<string, ActorRef<Counter>>
  others: { readonly refs: ActorRef<Book>[]; note: string }
  calls: number
}

class Book extends Actor<Contacts> {
  override state: Contacts = { first: null, byName: new Map(), others: { refs: [], note: '' }, calls: 0 }
  keep(name: string, counter: ActorRef<Counter>): ActorRef<Counter> {
    this.state.first ??= counter
    this.state.byName.set(name, counter)
    return counter
  }
  keepOwn(name: string): ActorRef<Counter> {
    return this.keep(name, this.context.actor(Counter, name, 100))
  }
  befriend(book: ActorRef<Book>): void {
    this.state.others.refs.push(book)
  }
  note(text: string): void {
    this.state.others.note = text
  }
  async incrementAll(): Promise<number[]> {
    const results: number[] = []
    for (const counter of this.state.byName.values()) results.push(await counter.increment())
    this.state.calls++
    return results
  }
  async askFriends(): Promise<number[][]> {
    return await Promise.all(this.state.others.refs.map((friend) => friend.incrementAll()))
  }
  find(name: string): { readonly found: ActorRef<Counter> | undefined } {
    return { found: this.state.byName.get(name) }
  }
  blame(counter: ActorRef<Counter>): never {
    throw Object.assign(new Error('it was this one'), { counter })
  }
}

const types = [Book, Counter]
const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

async function start(names = ['a', 'b', 'c']): Promise<FakeMesh> {
  const mesh = new FakeMesh(5)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, types)
  return mesh
}

const never = (): never => {
  throw new Error('nobody is asked')
}
const nobody = {
  call: () => Promise.resolve(),
  send: () => Promise.resolve(),
  status: () => undefined,
  history: never,
  restore: never,
  fork: never,
}

describe('references are values', () => {
  test('as argument, result, and in a state: each is a live reference where it arrives', async () => {
    const mesh = await start()
    const { runtime } = mesh.node('a')
    const book = runtime.ref(Book, 'b')
    const back = await mesh.clock.until(book.keep('one', runtime.ref(Counter, 'one', 10)))
    expect(`${back}`).toBe('[actor Counter/one]')
    expect(await mesh.clock.until(back.increment())).toBe(11) // made by this call, with the arguments it came with
    const own = await mesh.clock.until(book.keepOwn('two'))
    expect(await mesh.clock.until(own.with({ timeoutMs: 1000 }).get())).toBe(100)
    expect(await mesh.clock.until(book.incrementAll())).toEqual([12, 101])
    const { found } = await mesh.clock.until(mesh.node('b').runtime.ref(Book, 'b').find('two'))
    expect(await mesh.clock.until(found!.get())).toBe(101)
  })

  test('they survive the loss of their host, in snapshots and in changes', async () => {
    const mesh = await start(['a', 'b', 'c', 'd'])
    const first = mesh.node('a').runtime
    await mesh.clock.until(first.ref(Book, 'b').keepOwn('one'))
    for (let crash = 0; crash < 2; crash++) {
      const lost = hostOf(mesh, 'Book/b')
      mesh.crash(lost)
      const { runtime } = [...mesh.nodes.values()][0]!
      const book = runtime.ref(Book, 'b')
      expect(await mesh.clock.until(book.incrementAll())).toEqual([101 + crash])
      await mesh.clock.until(book.note(`after crash ${crash}`))
      await mesh.start(lost, types)
    }
  })

  test('an actor keeps a reference to itself, and calls through references keep their chain', async () => {
    const mesh = await start()
    const { runtime } = mesh.node('a')
    const [one, two] = [runtime.ref(Book, 'one'), runtime.ref(Book, 'two')]
    await mesh.clock.until(two.keepOwn('x'))
    await mesh.clock.until(one.befriend(two))
    expect(await mesh.clock.until(one.askFriends())).toEqual([[101]])
    await mesh.clock.until(one.befriend(one))
    const error: unknown = await mesh.clock.until(one.askFriends().catch((caught: unknown) => caught))
    expect(error).toBeInstanceOf(ReentrantCallError)
  })

  test('a peer that does not have the class passes a reference on, and calls through it', async () => {
    const mesh = await start()
    const { runtime } = await mesh.start('d', [])
    const counter = runtime.ref('Counter', 'far', 7)
    const back = (await mesh.clock.until(runtime.ref('Book', 'b')['keep']!('far', counter))) as AnyRef
    expect(await mesh.clock.until(back['increment']!(1))).toBe(8)
  })

  test('an error carries references as well', async () => {
    const mesh = await start()
    const { runtime } = mesh.node('a')
    const counter = runtime.ref(Counter, 'c')
    const error = await mesh.clock.until(
      runtime
        .ref(Book, 'b')
        .blame(counter)
        .catch((caught: unknown) => caught as ActorError),
    )
    const { counter: blamed } = (error as ActorError).data as { counter: ActorRef<Counter> }
    expect(await mesh.clock.until(blamed.increment(3))).toBe(3)
  })

  test('bytes name the actor alone: no options, and no reference where none belongs', () => {
    const referent = { type: 'Counter', name: 'x', init: new Uint8Array() }
    const ref = makeRef(referent, nobody).with({ timeoutMs: 5 })
    const bytes = encodeUser({ deep: [ref], key: new Map([[ref, new Set([ref])]]) }, 'value')
    const seen: unknown[] = []
    decodeUser(bytes, (value) => seen.push(value))
    expect(seen).toEqual([referent, referent, referent])
    expect(() => decode(bytes)).toThrow('a reference to Counter/x where none belongs')
    expect(() => decodeUser(bytes, undefined)).toThrow('a reference to Counter/x where none belongs')
    expect(inspect({ ref })).toBe('{ ref: [actor Counter/x] }')
  })

  test('bytes written by this release are read by every later one', () => {
    const bytes = Buffer.from('d9a8718267436f756e7465726178', 'hex')
    const referent = { type: 'Counter', name: 'x', init: new Uint8Array() }
    expect(Buffer.from(encodeUser(makeRef(referent, nobody), 'value')).toString('hex')).toBe(
      bytes.toString('hex'),
    )
    expect(decodeUser(bytes, (value) => value)).toEqual(referent)
  })
})
