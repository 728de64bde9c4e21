import { afterEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import {
  ActorError,
  ActorUnavailableError,
  CallCancelledError,
  CallTimeoutError,
  MailboxFullError,
  ReentrantCallError,
  StateError,
  UnknownMethodError,
} from '../errors.ts'
import type { ServiceFrame } from '../ports.ts'
import { Actor } from './actor.ts'
import { SERIES_BYTES, SERIES_ITEMS, SERIES_SILENT_MS } from './series-limits.ts'
import { FakeMesh, hostOf, type NodeInit } from './test-support/fake-mesh.ts'

interface Numbers {
  items: Map<string, { n: number }>
  when: Date
}

/** How far generators came, and which of them were ended, beside the state. */
const produced: number[] = []
const ended: string[] = []
let open = Promise.withResolvers<void>()
let broken = false

class Numbered extends Actor<Numbers> {
  override state: Numbers = { items: new Map(), when: new Date(1) }
  constructor() {
    super()
    if (broken) throw new Error('not ready')
  }
  put(name: string, n: number): number {
    this.state.items.set(name, { n })
    return this.state.items.size
  }
  async *all(): AsyncGenerator<{ readonly n: number }> {
    for (const item of this.state.items.values()) yield item
  }
  async *count(to: number, bytes = 0): AsyncGenerator<number | Uint8Array> {
    try {
      for (let n = 0; n < to; n++) {
        produced.push(n)
        yield bytes === 0 ? n : new Uint8Array(bytes).fill(n)
      }
    } finally {
      ended.push('count')
    }
  }
  async *thenFail(after: number): AsyncGenerator<number> {
    for (let n = 0; n < after; n++) yield n
    throw Object.assign(new RangeError('no more'), { code: 'NO_MORE' })
  }
  async *change(how: 'assign' | 'replace' | 'date' | 'late'): AsyncGenerator<number> {
    yield 1
    if (how === 'assign') this.state.items.get('a')!.n = 7
    if (how === 'replace') this.state = { items: new Map(), when: new Date() }
    if (how === 'date') this.state.when.setTime(99)
    if (how !== 'late') yield this.state.items.get('a')?.n ?? 0
    if (how === 'late') this.state.items.clear()
  }
  async *slow(): AsyncGenerator<string> {
    yield 'first'
    await open.promise
    yield 'second'
  }
  async *heed(): AsyncGenerator<string> {
    const { signal } = this.context
    try {
      yield 'begun'
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      signal.throwIfAborted()
    } finally {
      ended.push('heed')
    }
  }
  async *relay(name: string): AsyncGenerator<number> {
    const other = this.context.actor(Numbered, name)
    await other.put('made by a generator', 5)
    for await (const { n } of other.all()) yield n * 10
  }
  async sum(name: string): Promise<number> {
    let sum = 0
    for await (const n of this.context.actor(Numbered, name).count(5)) sum += Number(n)
    return this.put('sum', sum) + sum
  }
  async *itself(): AsyncGenerator<number> {
    yield await this.context.actor(Numbered, this.context.name).put('x', 1)
  }
  size(): number {
    return this.state.items.size
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  produced.length = 0
  ended.length = 0
  open = Promise.withResolvers()
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

/** The actor lives on one of `hosts`; `a` only calls. */
async function start(hosts = ['b', 'c', 'd'], init: NodeInit = {}): Promise<FakeMesh> {
  const mesh = new FakeMesh(4)
  opened.push(mesh)
  await mesh.start('a', [])
  for (const name of hosts) await mesh.start(name, [Numbered], init)
  return mesh
}
const from = (mesh: FakeMesh, caller = 'a') => mesh.node(caller).runtime.ref(Numbered, 'x')

async function collect<T>(items: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const item of items) into.push(item)
  return into
}
const failure = async (items: AsyncIterable<unknown>, into: unknown[] = []): Promise<unknown> =>
  collect(items, into).then(
    () => new Error('it came to an end'),
    (error: unknown) => error,
  )
const range = (to: number): number[] => Array.from({ length: to }, (_, n) => n)

function tap(mesh: FakeMesh, name: string): ServiceFrame[] {
  const { peer } = mesh.node(name)
  const sent: ServiceFrame[] = []
  const send = peer.sendService.bind(peer)
  peer.sendService = (to, frame) => {
    sent.push(frame)
    return send(to, frame)
  }
  return sent
}

describe('generators', () => {
  test('I1 items come in order, from every peer, and from one that does not know the class', async () => {
    const mesh = await start()
    for (const caller of ['a', 'b', 'c'])
      expect(await mesh.clock.until(collect(from(mesh, caller).count(500)))).toEqual(range(500))
    const untyped = mesh.node('a').runtime.iterate('Numbered', 'x', 'count', [3])
    expect(await mesh.clock.until(collect(untyped))).toEqual([0, 1, 2])
    expect(await mesh.clock.until(collect(from(mesh).count(0)))).toEqual([])
  })

  test('S1 it reads the state as it was at its start, and holds nobody up', async () => {
    const mesh = await start()
    const x = from(mesh)
    for (const [name, n] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const)
      await mesh.clock.until(x.put(name, n))
    const items = x.all()[Symbol.asyncIterator]()
    expect((await mesh.clock.until(items.next())).value).toEqual({ n: 1 })
    const slow = x.slow()[Symbol.asyncIterator]()
    await mesh.clock.until(slow.next())
    expect(await mesh.clock.until(x.put('d', 4))).toBe(4) // runs beside both
    expect((await mesh.clock.until(items.next())).value).toEqual({ n: 2 })
    expect((await mesh.clock.until(items.next())).value).toEqual({ n: 3 })
    expect((await mesh.clock.until(items.next())).done).toBe(true)
    open.resolve()
    expect((await mesh.clock.until(slow.next())).value).toBe('second')
  })

  test('S1 one that changes the state fails before an item that comes after the change leaves', async () => {
    const mesh = await start()
    const x = from(mesh)
    await mesh.clock.until(x.put('a', 1))
    for (const how of ['assign', 'replace', 'date', 'late'] as const) {
      const items: unknown[] = []
      expect(await mesh.clock.until(failure(x.change(how), items))).toBeInstanceOf(StateError)
      expect(items).toEqual([1])
    }
    expect(await mesh.clock.until(collect(x.all()))).toEqual([{ n: 1 }])
  })

  test('S2 no item leaves before what the state depends on is acknowledged', async () => {
    const mesh = await start()
    const x = from(mesh)
    await mesh.clock.until(x.put('a', 1))
    const host = hostOf(mesh, 'Numbered/x')
    const logs = mesh.journalsOf(host)
    for (const log of logs) for (const { peer } of log.keepers) if (peer !== host) log.slow.add(peer)
    const writing = x.put('b', 2)
    await mesh.clock.run(50)
    const items: unknown[] = []
    const reading = collect(x.all(), items)
    await mesh.clock.run(500)
    expect(items).toEqual([]) // {n: 2} is in memory there, and may still be lost
    for (const log of logs) log.slow.clear()
    await mesh.clock.until(Promise.all([writing, reading]))
    expect(items).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('S3 a consumer that does not go on stops the generator: a bounded number of items is under way', async () => {
    const mesh = await start()
    const items = from(mesh).count(10_000)[Symbol.asyncIterator]()
    await mesh.clock.until(items.next())
    await mesh.clock.run(5 * SERIES_SILENT_MS) // it is silent, and not gone
    expect(produced.length).toBeLessThanOrEqual(SERIES_ITEMS + 1)
    for (let n = 1; n < 100; n++) expect((await mesh.clock.until(items.next())).value).toBe(n)
    expect(produced.length).toBeLessThanOrEqual(100 + SERIES_ITEMS)
    await mesh.clock.until(items.return!())
  })

  test('S3 the bytes under way are bounded as well, and one item may be larger', async () => {
    const mesh = await start()
    const bytes = SERIES_BYTES / 4
    const items = from(mesh).count(100, bytes)[Symbol.asyncIterator]()
    await mesh.clock.until(items.next())
    await mesh.clock.run(1000)
    expect(produced.length).toBeLessThanOrEqual(6)
    await mesh.clock.until(items.return!())
    const large = await mesh.clock.until(collect(from(mesh).count(5, 3 * SERIES_BYTES)))
    expect(large.map((item) => [(item as Uint8Array).length, (item as Uint8Array)[0]])).toEqual(
      range(5).map((n) => [3 * SERIES_BYTES, n]),
    )
  })

  test('S4 leaving the loop ends the generator at its host, finally blocks and all', async () => {
    const mesh = await start()
    for await (const n of untilDone(mesh, from(mesh).count(1_000_000))) if (n === 200) break
    await mesh.clock.run(1000) // at once, not when the host finds its caller silent
    expect(ended).toEqual(['count'])
    const far = produced.length
    await mesh.clock.run(1000)
    expect(produced.length).toBe(far)
  })

  test('S4 cancelling reaches a generator that waits, and rejects at once', async () => {
    const mesh = await start()
    const giveUp = new AbortController()
    const items = from(mesh).with({ signal: giveUp.signal }).heed()[Symbol.asyncIterator]()
    await mesh.clock.until(items.next())
    const next = items.next().catch((error: unknown) => error)
    await mesh.clock.run(100)
    const before = mesh.clock.now()
    giveUp.abort()
    expect(await next).toBeInstanceOf(CallCancelledError)
    expect(mesh.clock.now()).toBe(before)
    await mesh.clock.untilTrue(() => ended.includes('heed'))
  })

  test('S4 a generator whose caller is gone ends', async () => {
    const mesh = await start()
    const items = from(mesh).heed()[Symbol.asyncIterator]()
    await mesh.clock.until(items.next())
    mesh.crash('a')
    await mesh.clock.run(2 * SERIES_SILENT_MS)
    expect(ended).toEqual(['heed'])
  })

  test('an error comes after the items before it, with class, code and message', async () => {
    const mesh = await start()
    const items: unknown[] = []
    const error = (await mesh.clock.until(failure(from(mesh).thenFail(100), items))) as ActorError
    expect(error).toBeInstanceOf(ActorError)
    expect([error.name, error.code, error.message]).toEqual(['RangeError', 'NO_MORE', 'no more'])
    expect(items).toEqual(range(100))
  })

  test('a wait that takes too long ends it; slow items that come in time do not', async () => {
    const mesh = await start()
    const items: unknown[] = []
    const error = await mesh.clock.until(failure(from(mesh).with({ timeoutMs: 1000 }).slow(), items))
    expect(error).toBeInstanceOf(CallTimeoutError)
    expect(items).toEqual(['first'])
    const patient = from(mesh).with({ timeoutMs: 1000 }).count(5)[Symbol.asyncIterator]()
    for (const n of range(5)) {
      expect((await mesh.clock.until(patient.next())).value).toBe(n)
      await mesh.clock.run(5000) // the time is the generator's, not the consumer's
    }
  })

  test('calls of a generator, generators of a method, and chains that come back', async () => {
    const mesh = await start()
    expect(await mesh.clock.until(collect(from(mesh).relay('y')))).toEqual([50])
    expect(await mesh.clock.until(from(mesh).sum('y'))).toBe(11)
    expect(await mesh.clock.until(failure(from(mesh).itself()))).toBeInstanceOf(ReentrantCallError)
  })

  test('a generator is iterated over and nothing else is, whoever knows the class', async () => {
    const mesh = await start()
    for (const caller of ['a', 'b']) {
      const { runtime } = mesh.node(caller)
      const called = runtime.call('Numbered', 'x', 'count', [1]).catch((error: unknown) => error)
      expect(await mesh.clock.until(called)).toBeInstanceOf(UnknownMethodError)
      for (const method of ['put', 'nothing'])
        expect(
          await mesh.clock.until(failure(runtime.iterate('Numbered', 'x', method, ['a', 1]))),
        ).toBeInstanceOf(UnknownMethodError)
    }
  })

  test('generators count as calls of the mailbox', async () => {
    const mesh = await start(['b'], { limits: { mailboxLimit: 3 } })
    const held = range(3).map(() => from(mesh).heed()[Symbol.asyncIterator]())
    for (const items of held) await mesh.clock.until(items.next())
    expect(await mesh.clock.until(failure(from(mesh).count(1)))).toBeInstanceOf(MailboxFullError)
    await held[0]!.return!()
    await mesh.clock.run(100)
    expect(await mesh.clock.until(collect(from(mesh).count(1)))).toEqual([0])
  })
})

describe('generators under failover', () => {
  test('I2 the host is lost in the middle: what has arrived is handed over, then it fails and says how many', async () => {
    const mesh = await start()
    const items: unknown[] = []
    const iterator = from(mesh).count(100_000)[Symbol.asyncIterator]()
    for (const n of range(10)) items.push((await mesh.clock.until(iterator.next())).value ?? n)
    mesh.crash(hostOf(mesh, 'Numbered/x'))
    const error = (await mesh.clock.until(
      failure({ [Symbol.asyncIterator]: () => iterator }, items),
    )) as ActorUnavailableError
    expect(error).toBeInstanceOf(ActorUnavailableError)
    expect([error.code, error.executed, error.items]).toEqual(['ACTOR_UNAVAILABLE', 'unknown', items.length])
    expect(items).toEqual(range(items.length))
    expect(items.length).toBeGreaterThanOrEqual(10)
    expect(await mesh.clock.until(collect(from(mesh).count(3)))).toEqual(range(3))
  })

  test('I2 the same when it is replaced while it lives, and when it moves', async () => {
    for (const how of ['depose', 'isolate', 'move'] as const) {
      const mesh = await start()
      const iterator = from(mesh).count(100_000)[Symbol.asyncIterator]()
      await mesh.clock.until(iterator.next())
      const host = hostOf(mesh, 'Numbered/x')
      if (how === 'depose') mesh.depose(host)
      else if (how === 'isolate') mesh.isolate(host)
      else {
        const { key, epoch } = mesh.registry.actors.get('Numbered/x' as ActorKey)!
        void mesh.node('a').peer.command({ kind: 'move', actor: key, epoch })
      }
      const error = await mesh.clock.until(failure({ [Symbol.asyncIterator]: () => iterator }))
      expect(error, how).toBeInstanceOf(ActorUnavailableError)
    }
  })

  test('I2 lost before the first item was handed over it starts again elsewhere, and the caller notices nothing', async () => {
    const mesh = await start()
    await mesh.clock.until(from(mesh).put('a', 1))
    const host = hostOf(mesh, 'Numbered/x')
    for (const log of mesh.journalsOf(host)) for (const { peer } of log.keepers) log.mute.add(peer) // nothing is confirmed
    const all = collect(from(mesh).all())
    await mesh.clock.run(100)
    mesh.crash(host)
    expect(await mesh.clock.until(all)).toEqual([{ n: 1 }])
  })

  test('I1, S3 items that are lost, doubled or late with their link come once and in order', async () => {
    const mesh = await start()
    await mesh.clock.until(from(mesh).size())
    const host = hostOf(mesh, 'Numbered/x')
    const { peer } = mesh.node(host)
    const send = peer.sendService.bind(peer)
    peer.sendService = (to, frame) => {
      const { answer } = frame.body as { readonly answer?: { readonly kind: string } }
      if (answer === undefined || !['items', 'end'].includes(answer.kind)) return send(to, frame)
      const chance = mesh.random()
      if (chance < 0.2) return false
      if (chance < 0.4) send(to, frame)
      if (chance < 0.5) mesh.later(50, () => void send(to, frame))
      return send(to, frame)
    }
    expect(await mesh.clock.until(collect(from(mesh).count(1000)))).toEqual(range(1000))
    const items: unknown[] = []
    expect(await mesh.clock.until(failure(from(mesh).thenFail(300), items))).toBeInstanceOf(ActorError)
    expect(items).toEqual(range(300))
  })

  test('a link that breaks and comes back loses nothing', async () => {
    const mesh = await start()
    const items: unknown[] = []
    const iterator = from(mesh).count(2000)[Symbol.asyncIterator]()
    await mesh.clock.until(iterator.next())
    const reading = collect({ [Symbol.asyncIterator]: () => iterator }, items)
    for (let cut = 0; cut < 5; cut++) {
      await mesh.clock.run(10)
      mesh.isolate('a', false)
      await mesh.clock.run(300)
      mesh.heal()
    }
    await mesh.clock.until(reading)
    expect(items).toEqual(range(2000).slice(1))
  })

  test('S4 one that is given up while its actor is not ready is never begun', async () => {
    const mesh = await start()
    await mesh.clock.until(from(mesh).size())
    const host = hostOf(mesh, 'Numbered/x')
    for (const log of mesh.journalsOf(host)) for (const { peer } of log.keepers) log.mute.add(peer)
    const giveUp = new AbortController()
    broken = true
    mesh.crash(host)
    const call = failure(from(mesh).with({ signal: giveUp.signal }).count(3))
    await mesh.clock.run(500)
    expect(hostOf(mesh, 'Numbered/x')).not.toBe('')
    giveUp.abort()
    expect(await mesh.clock.until(call)).toBeInstanceOf(CallCancelledError)
    await mesh.clock.run(100)
    broken = false
    await mesh.clock.run(10_000)
    expect(await mesh.clock.until(from(mesh).size())).toBe(0)
    expect(produced).toEqual([])
  })

  test('S4 a late copy of an opening frame starts nothing', async () => {
    const mesh = await start()
    await mesh.clock.until(from(mesh).size())
    const sent = tap(mesh, 'a')
    expect(await mesh.clock.until(collect(from(mesh).count(3)))).toEqual(range(3))
    const far = produced.length
    mesh.node('a').peer.sendService(mesh.node(hostOf(mesh, 'Numbered/x')).peer.self, sent[0]!)
    await mesh.clock.run(1000)
    expect(produced.length).toBe(far)
  })
})

/** Lets virtual time pass while each next item is waited for. */
async function* untilDone<T>(mesh: FakeMesh, items: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await mesh.clock.until(iterator.next())
      if (step.done === true) return
      yield step.value
    }
  } finally {
    await iterator.return?.()
  }
}
