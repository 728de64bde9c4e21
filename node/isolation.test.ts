// Actors in real worker threads, on a real node.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Actor } from './actors/actor.ts'
import { Doomed, Fields, FieldsHere, Here, Hollow, Isolated, Plain } from './actors/test-support/isolated.ts'
import { Shape as NewerShape } from './actors/test-support/isolated-newer.ts'
import { Shape } from './actors/test-support/isolated-older.ts'
import type { MeshNode } from './api.ts'
import { createNode } from './create-node.ts'
import { ActorDiedError, ActorError, ActorUnavailableError, BadInputError, MeshError } from './errors.ts'

let node: MeshNode
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'isolation-'))
  node = await createNode({ dataDir, actors: [Isolated, Here, Plain, Doomed, Hollow, Fields, FieldsHere] })
})
afterAll(async () => {
  await node.close()
  await rm(dataDir, { recursive: true, force: true })
})

const failure = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    return `resolved with ${JSON.stringify(await promise)}`
  } catch (error) {
    return error
  }
}
const plain = (name: string) => node.actor(Plain, name)
const isolated = (name: string) => node.actor(Isolated, name)

/** Another actor of this peer answers all the while. */
async function answering<T>(work: Promise<T>): Promise<T> {
  let over = false
  let slowest = 0
  const probe = (async () => {
    while (!over) {
      const at = performance.now()
      await plain('bystander').add(1)
      slowest = Math.max(slowest, performance.now() - at)
      await sleep(10)
    }
  })()
  try {
    return await work
  } finally {
    over = true
    await probe
    expect(slowest).toBeLessThan(1500)
  }
}

describe.each([
  ['a worker', Isolated],
  ["the peer's thread", Here],
] as const)('what an actor has in %s', (_where, type) => {
  const isMainThread = type === Here
  const here = (name: string) => node.actor(type, name)

  test('state, errors, context, another thread', async () => {
    const actor = node.actor(type, 'state', 5)
    expect(await actor.thread()).toBe(isMainThread)
    expect(await actor.add(2)).toBe(7)
    expect(await actor.get()).toBe(7)
    const error = (await failure(actor.addAndFail(100))) as ActorError
    expect(error).toBeInstanceOf(ActorError)
    expect([error.name, error.message, error.code, error.data['limit']]).toEqual([
      'RangeError',
      'no 100',
      'NOPE',
      { most: 3 },
    ])
    expect(error.remoteStack).toContain('addAndFail')
    expect(await actor.add(1)).toBe(8)
    expect(await actor.where()).toMatchObject({ key: `${type.name}/state`, restored: false })
    for (const [call, text] of [
      [() => actor.sneak(), 'readOnly'],
      [() => actor.scribble(), 'changed in place'],
      [() => actor.putFunction(), "can't be stored"],
    ] as const) {
      const refused = await failure(call())
      expect(refused).toBeInstanceOf(MeshError)
      expect(String(refused)).toContain(text)
    }
    expect(await actor.get()).toBe(8)
  })

  test('nested calls, references in the state, generators, wait, cancelling', async () => {
    const actor = here('calls')
    expect(await actor.forward(`nested ${type.name}`, 3)).toBe(3)
    expect(await (await actor.keep(plain(`friend ${type.name}`))).add(1)).toBe(2)
    expect(await actor.callFriend()).toBe(3)
    expect(String(await failure(actor.loop()))).toContain(`${type.name}/calls → ${type.name}/calls`)
    expect(await actor.sum(`numbers ${type.name}`, 300)).toBe(44_850)
    expect(await actor.sum(`numbers ${type.name}`, 5000)).toBe(499_500)
    expect(await actor.first(`first ${type.name}`)).toBe('done')
    expect(await actor.giveUp(`given-up ${type.name}`)).toBe('CALL_CANCELLED: enough')
    const controller = new AbortController()
    const held = actor.with({ signal: controller.signal }).hold()
    await sleep(100)
    controller.abort()
    expect(await failure(held)).toMatchObject({ code: 'CALL_CANCELLED' })
  })

  test('its own generators: items, an end before the end, an error, no change', async () => {
    const actor = here('items')
    await actor.add(10)
    const got: number[] = []
    for await (const n of actor.items(200)) got.push(n)
    expect(got).toEqual(Array.from({ length: 200 }, (_, n) => n + 10))
    for await (const n of actor.items(1_000_000)) if (n === 15) break
    const seen: number[] = []
    const error = await failure(
      (async () => {
        for await (const n of actor.items(10, 3)) seen.push(n)
      })(),
    )
    expect(seen).toEqual([10, 11, 12])
    expect(error).toMatchObject({ name: 'RangeError', message: 'no 3' })
    const refused = await failure(
      (async () => {
        for await (const _ of actor.changing());
      })(),
    )
    expect(String(refused)).toContain('generator and changed the state')
  })

  test('sends and alarms are part of the call that makes them', async () => {
    const actor = here('agenda')
    await actor.sendTo(`sent ${type.name}`, 4)
    expect(await failure(actor.sendTo(`sent ${type.name}`, 100, true))).toBeInstanceOf(ActorError)
    await expect.poll(() => plain(`sent ${type.name}`).add(0)).toBe(4)
    expect(await actor.plan(50)).toEqual(['add 10', 'add 1'])
    await expect.poll(() => actor.get()).toBe(10)
    expect(await failure(actor.badPlan())).toMatchObject({ code: 'BAD_INPUT' })
  })

  test('receipts, checkpoint(), the key-value store and the past of others', async () => {
    const actor = here('reach')
    const name = `reached ${type.name}`
    const refused = { ok: false, current: { key: name, value: { value: 7 }, version: 1 } }
    expect(await actor.reach(name)).toEqual([7, 'replicated', refused, [name], true])
    expect(await actor.restoreTo(name, 1)).toBe(0)
    expect(await failure(actor.forkIt(name))).toMatchObject({ code: 'BAD_INPUT' })
  })

  test('its own past and copies; a read that may be old runs in its own thread', async () => {
    const actor = here('past')
    for (const by of [1, 2, 3]) await actor.add(by)
    const { records } = await actor.history()
    expect(records.filter(({ method }) => method === 'add')).toHaveLength(3)
    const [, second] = records
    await actor.restore({ record: second!.record })
    expect(await actor.add(10)).toBe(13)
    await actor.fork(`copy of ${type.name}`)
    expect(await here(`copy of ${type.name}`).add(1)).toBe(14)
    expect(await actor.with({ reads: { maxLagMs: 60_000 } }).thread()).toBe(isMainThread)
  })
})

describe.each([
  ['a worker', Fields],
  ["the peer's thread", FieldsHere],
] as const)('fields of its own in %s', (_where, type) => {
  const fields = (name: string) => node.actor(type, name)

  test('O2 G4 a call that throws leaves nothing behind: the next one gets another object', async () => {
    const actor = fields('fields')
    expect(await actor.add('a', 1)).toBe(1)
    expect(await failure(actor.addAndFail('b', 100))).toMatchObject({ message: 'after that' })
    expect(await actor.look()).toEqual({ total: 1, seen: [['a', 1]], starts: [true] })
    expect(await actor.add('c', 2)).toBe(3)
    const { records } = await actor.history()
    await actor.restore({ record: records[1]!.record })
    expect(await actor.look()).toMatchObject({ total: 1, seen: [['a', 1]] })
  })

  test('a state that it does not take: it waits and says why, with the state as it was', async () => {
    const actor = fields('unlucky')
    await actor.add('a', 13)
    expect(await failure(actor.addAndFail('b', 1))).toMatchObject({ message: 'after that' })
    const error = await failure(actor.with({ timeoutMs: 1000 }).add('c', 1))
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT' })
    expect(String(actor.status()?.cause)).toContain(
      `${type.name}.loadState failed: RangeError: not with thirteen`,
    )
  })
})

test('fields of its own outlive the thread', async () => {
  const actor = node.actor(Fields, 'lost')
  await actor.add('a', 5)
  await failure(actor.with({ retries: 0 }).exit())
  expect(await actor.look()).toEqual({ total: 5, seen: [['a', 5]], starts: [true] })
})

test('a migrated state, also where everything is encrypted, and what is told of a crash then', async () => {
  const encryption = { key: 'ab'.repeat(32) }
  const before = await createNode({ dataDir: join(dataDir, 'shapes'), actors: [Shape], encryption })
  expect(await before.actor(Shape, 'x').grow(3)).toBe(3)
  await before.actor(Shape, 'x').crash('a secret')
  expect(await before.actor(Shape, 'x').grow(1)).toBe(4)
  expect(JSON.stringify([before.actors(), before.reports()])).not.toContain('a secret')
  await before.close()
  const after = await createNode({ dataDir: join(dataDir, 'shapes'), actors: [NewerShape], encryption })
  expect(await after.actor(NewerShape, 'x').grow(1)).toEqual([4, 1])
  await after.close()
})

describe('what ends a worker ends that actor only, and it goes on from its log', () => {
  test('an endless loop is noticed; the call is tried again as often as it may', async () => {
    const actor = isolated('loop')
    await actor.add(5)
    const error = await answering(failure(actor.with({ retries: 0 }).spin()))
    expect(error).toBeInstanceOf(ActorUnavailableError)
    expect((error as ActorUnavailableError).message).toContain('did not answer for 500 ms')
    expect((error as ActorUnavailableError).executed).toBe('unknown')
    expect(await answering(actor.add(1))).toBe(6)
    expect(await actor.starts()).toBe(2)
    expect((await actor.where()).restored).toBe(true)
  })

  test.each([
    ['exit', 'exit code 3'],
    ['throw', 'TypeError: outside'],
    ['reject', 'nobody waits for me'],
    ['memory', 'ran out of memory (64 MB of heap)'],
  ] as const)('%s', async (how, cause) => {
    const actor = isolated(`crash-${how}`)
    await actor.add(5)
    const error = await answering(failure(actor.with({ retries: 0 }).crash(how)))
    expect(String(error)).toContain(cause)
    expect(error).toBeInstanceOf(ActorUnavailableError)
    expect(await actor.add(1)).toBe(6)
  })

  test('G3 a call that is tried again gets the first results of what it called', async () => {
    const actor = isolated('once')
    expect(await actor.crashOnce('once-nested')).toBe(101)
    expect(await plain('once-nested').add(0)).toBe(1)
    expect(await plain('once-nested-runs').add(0)).toBe(1)
    expect(await actor.get()).toBe(1)
  })

  test('G1 what was acknowledged stays, of calls on end beside a crash', async () => {
    const actor = isolated('load')
    await actor.add(0)
    const calls = Array.from({ length: 50 }, () => actor.add(1))
    await actor.crashLater()
    const more: Promise<number>[] = []
    for (let n = 0; n < 50; n++) {
      more.push(actor.add(1))
      await sleep(2)
    }
    const answers = await Promise.all([...calls, ...more])
    expect(new Set(answers).size).toBe(100)
    expect(await actor.get()).toBe(100)
    expect(await actor.starts()).toBe(2)
  })

  test('a series that was begun ends with an error, and an alarm goes on', async () => {
    const actor = isolated('series')
    await actor.plan(300)
    let seen = 0
    const error = await failure(
      (async () => {
        for await (const _ of actor.items(1_000_000)) if (++seen === 10) void failure(actor.crashLater())
      })(),
    )
    expect(error).toBeInstanceOf(ActorUnavailableError)
    await expect.poll(() => actor.get(), { timeout: 10_000 }).toBe(10)
  })

  test('one that ends at every start is given up with the cause', async () => {
    const error = await failure(node.actor(Doomed, 'x').with({ timeoutMs: 30_000 }).get())
    expect(error).toBeInstanceOf(ActorDiedError)
    expect(String(error)).toContain('2 restart(s) are used up')
    expect(String(error)).toContain('exit code 7')
  })
})

test('passivated and stopped actors leave no thread behind, and onDeactivate may call', async () => {
  const threads = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
  const before = threads()
  await isolated('short').add(1)
  expect(threads()).toBeGreaterThan(before)
  const ends = await plain('ends').add(0)
  await node.stopActor('Isolated', 'short')
  await expect.poll(threads).toBe(before)
  expect(await plain('ends').add(0)).toBe(ends + 1)
})

test('a class that its module does not have, and one of no module', async () => {
  const error = await failure(node.actor(Hollow, 'x').get())
  expect(String(error)).toContain('has no actor class Hollow for its worker: it exports Counter')
  class Homeless extends Actor {
    static readonly options = { isolation: 'worker' } as const
  }
  await expect(createNode({ dataDir: join(dataDir, 'other'), actors: [Homeless] })).rejects.toThrow(
    BadInputError,
  )
  class Odd extends Actor {
    static readonly options = { isolation: { worker: 'actors.js' } }
  }
  await expect(createNode({ dataDir: join(dataDir, 'other'), actors: [Odd] })).rejects.toThrow(
    'import.meta.url',
  )
})

test('in a worker the package has the names that it has elsewhere', async () => {
  const [entry, index] = await Promise.all([import('./actors/worker/entry.ts'), import('./index.ts')])
  expect(Object.keys(entry).sort()).toEqual(Object.keys(index).sort())
  await expect(entry.createNode()).rejects.toThrow('in the worker of an actor')
})
