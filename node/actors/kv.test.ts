import { afterEach, expect, test } from 'vitest'
import type { MeshError } from '../errors.ts'
import { Actor } from './actor.ts'
import { KV_KEY_BYTES, KV_VALUE_BYTES, shardNames, shardOf } from './kv-limits.ts'
import type { KeyValueStore, KvChange } from './kv-types.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string, types = [Counter] as const): Promise<FakeMesh> {
  const mesh = new FakeMesh(3)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, types)
  return mesh
}
const kvAt = (mesh: FakeMesh, name: string): KeyValueStore => mesh.node(name).runtime.kv
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: MeshError) => error.code,
  )
const homeOf = (mesh: FakeMesh, key: string): string => hostOf(mesh, `mesh:kv/${shardOf(key)}`)

/** Reads a watch to the side; ends with the test's mesh, or by its signal. */
function collect(changes: AsyncIterable<KvChange>) {
  const seen: KvChange[] = []
  const state = { seen, error: undefined as MeshError | undefined }
  const read = async (): Promise<void> => {
    for await (const change of changes) seen.push(change)
  }
  read().catch((error: MeshError) => {
    state.error = error
  })
  return state
}
const brief = (changes: readonly KvChange[]): string[] =>
  changes.map((change) =>
    change.kind === 'put' ? `${change.key}=${String(change.value)}` : `-${change.key}`,
  )

test('what one peer puts every peer gets, with its version; values of all kinds come back as they were', async () => {
  const mesh = await peers('abc')
  const value = { at: new Date(5), map: new Map([[1n, new Uint8Array([1, 2])]]), none: undefined }
  const version = await mesh.clock.until(kvAt(mesh, 'a').put('config/x', value))
  expect(await mesh.clock.until(kvAt(mesh, 'b').get('config/x'))).toEqual({ key: 'config/x', value, version })
  expect(await mesh.clock.until(kvAt(mesh, 'c').get('config/y'))).toBeUndefined()
})

test('K1 a version is never had twice: a swap that knows the one before a deletion fails', async () => {
  const mesh = await peers('abc')
  const kv = kvAt(mesh, 'a')
  const run = <T>(work: Promise<T>) => mesh.clock.until(work)
  const first = await run(kv.compareAndSet('lock', undefined, 'a'))
  expect(first).toMatchObject({ ok: true })
  if (!first.ok) return
  const taken = { ok: false, current: { key: 'lock', value: 'a', version: first.version } }
  expect(await run(kv.compareAndSet('lock', undefined, 'b'))).toEqual(taken)
  expect(await run(kv.delete('lock', { ifVersion: first.version + 1 }))).toBe(false)
  expect(await run(kv.delete('lock', { ifVersion: first.version }))).toBe(true)
  expect(await run(kv.delete('lock'))).toBe(false)
  const again = await run(kv.put('lock', 'c'))
  expect(again).toBeGreaterThan(first.version)
  expect(await run(kv.compareAndSet('lock', first.version, 'd'))).toMatchObject({
    ok: false,
    current: { value: 'c' },
  })
  expect(await run(kv.compareAndSet('lock', again, 'd'))).toMatchObject({ ok: true })
})

test('keys of all shards are listed by prefix, sorted', async () => {
  const mesh = await peers('abc')
  const kv = kvAt(mesh, 'b')
  const names = Array.from({ length: 40 }, (_, index) => `a/${String(index).padStart(2, '0')}`)
  expect(new Set(names.map(shardOf)).size).toBeGreaterThan(8)
  await mesh.clock.until(Promise.all([...names, 'b/1'].map((key) => kv.put(key, key))))
  expect(await mesh.clock.until(kvAt(mesh, 'c').keys('a/'))).toEqual(names)
  expect(await mesh.clock.until(kv.keys())).toHaveLength(41)
  expect(new Set([...mesh.registry.actors.keys()])).toEqual(
    new Set(shardNames.map((name) => `mesh:kv/${name}`)),
  )
})

test.each<[string, (kv: KeyValueStore) => Promise<unknown>, string]>([
  ['an empty key', (kv) => kv.get(''), 'BAD_INPUT'],
  ['no text', (kv) => kv.put(5 as never, 1), 'BAD_INPUT'],
  ['a long key', (kv) => kv.put('é'.repeat(KV_KEY_BYTES / 2 + 1), 1), 'BAD_INPUT'],
  ['half a character', (kv) => kv.put('\ud800', 1), 'BAD_INPUT'],
  ['a large value', (kv) => kv.put('k', new Uint8Array(KV_VALUE_BYTES)), 'TOO_LARGE'],
  ['a function', (kv) => kv.put('k', { f: () => 1 }), 'UNSERIALISABLE_STATE'],
  ['a version that is none', (kv) => kv.compareAndSet('k', -1, 1), 'BAD_INPUT'],
  ['a prefix with a version', async (kv) => kv.watch({ prefix: '' }, { after: 1 }), 'BAD_INPUT'],
])('refused before anything is sent: %s', async (_, act, code) => {
  const mesh = await peers('a')
  expect(await codeOf(act(kvAt(mesh, 'a')))).toBe(code)
  expect(mesh.registry.actors.size).toBe(0)
})

test('limits are the largest that fit: a key of 512 bytes, a value of a megabyte', async () => {
  const mesh = await peers('a')
  const key = 'é'.repeat(KV_KEY_BYTES / 2)
  const value = new Uint8Array(KV_VALUE_BYTES - 16).fill(7)
  await mesh.clock.until(kvAt(mesh, 'a').put(key, value))
  expect((await mesh.clock.until(kvAt(mesh, 'a').get(key)))?.value).toEqual(value)
})

test('a shard that is full says so, and takes changes that make it smaller', async () => {
  const mesh = await peers('a')
  const kv = kvAt(mesh, 'a')
  const shard = shardOf('0')
  const keys = Array.from({ length: 2000 }, (_, index) => String(index)).filter(
    (key) => shardOf(key) === shard,
  )
  const value = new Uint8Array(KV_VALUE_BYTES - 16)
  for (const key of keys.slice(0, 15)) await mesh.clock.until(kv.put(key, value))
  await mesh.clock.until(kv.put(keys[15]!, value))
  expect(await codeOf(mesh.clock.until(kv.put(keys[16]!, value)))).toBe('KV_FULL')
  await mesh.clock.until(kv.put(keys[3]!, 'small'))
  await mesh.clock.until(kv.put(keys[16]!, value))
})

test('nobody takes the reserved name, or reaches the shards by it', async () => {
  class Taker extends Actor {
    static readonly actorName = 'mesh:kv'
  }
  await expect(peers('a', [Taker] as never)).rejects.toThrow(/a name of the mesh's own/)
  const mesh = await peers('b')
  const { runtime } = mesh.node('b')
  await mesh.clock.until(runtime.kv.put('x', 1))
  expect(() => runtime.ref('mesh:kv', '00')).toThrow(/use node.kv/)
  const shard = shardOf('x')
  for (const act of [
    runtime.call('mesh:kv', shard, 'delete', ['x']),
    runtime.create('mesh:kv', '99'),
    runtime.stop('mesh:kv', shard),
    runtime.delete('mesh:kv', shard),
    runtime.kill('mesh:kv', shard, false),
  ])
    expect(await codeOf(act)).toBe('BAD_INPUT')
})

test('a watch tells what is there, then each change; from a version on only what is later', async () => {
  const mesh = await peers('abc')
  const version = await mesh.clock.until(kvAt(mesh, 'a').put('k', 1))
  const whole = collect(kvAt(mesh, 'b').watch('k'))
  const later = collect(kvAt(mesh, 'c').watch('k', { after: version }))
  await mesh.clock.untilTrue(() => whole.seen.length === 1)
  await mesh.clock.until(kvAt(mesh, 'a').put('k', 2))
  await mesh.clock.untilTrue(() => whole.seen.length === 2 && later.seen.length === 1)
  await mesh.clock.until(kvAt(mesh, 'a').delete('k'))
  await mesh.clock.untilTrue(() => whole.seen.length === 3 && later.seen.length === 2)
  expect(brief(whole.seen)).toEqual(['k=1', 'k=2', '-k'])
  expect(brief(later.seen)).toEqual(['k=2', '-k'])
  // Nothing else happened, however long nothing happens.
  await mesh.clock.run(60_000)
  expect([whole.seen.length, later.seen.length, whole.error]).toEqual([3, 2, undefined])
})

test('a change is told at once', async () => {
  const mesh = await peers('abc')
  await mesh.clock.until(kvAt(mesh, 'a').put('k', 0))
  const one = collect(kvAt(mesh, 'b').watch('k'))
  const all = collect(kvAt(mesh, 'c').watch({ prefix: 'k' }))
  await mesh.clock.untilTrue(() => one.seen.length === 1 && all.seen.length === 1)
  await mesh.clock.run(1000)
  await mesh.clock.until(kvAt(mesh, 'a').put('k', 1))
  await mesh.clock.run(100)
  expect([one.seen.length, all.seen.length]).toEqual([2, 2])
})

test('a watch of a version that was deleted since tells the deletion; of a key that never was, nothing', async () => {
  const mesh = await peers('abc')
  const kv = kvAt(mesh, 'a')
  const version = await mesh.clock.until(kv.put('k', 1))
  await mesh.clock.until(kv.delete('k'))
  const known = collect(kv.watch('k', { after: version }))
  const unknown = collect(kv.watch('k'))
  await mesh.clock.untilTrue(() => known.seen.length === 1)
  expect(known.seen).toEqual([{ kind: 'delete', key: 'k', version: version + 1 }])
  expect(unknown.seen).toEqual([])
})

test('K2 deletions that the shard forgot are found by the names of all keys', async () => {
  const mesh = await peers('a')
  const kv = kvAt(mesh, 'a')
  const own = Array.from({ length: 40_000 }, (_, index) => `k${index}`).filter((key) => shardOf(key) === '03')
  const [first, ...others] = own
  const version = await mesh.clock.until(kv.put(first!, 1))
  await mesh.clock.until(kv.delete(first!))
  for (const key of others.slice(0, 1100)) {
    await mesh.clock.until(kv.put(key, 1))
    await mesh.clock.until(kv.delete(key))
  }
  const known = collect(kv.watch(first!, { after: version }))
  await mesh.clock.untilTrue(() => known.seen.length === 1)
  expect(known.seen[0]).toMatchObject({ kind: 'delete', key: first })
})

test('W2 a slow reader of many keys is told the newest of each, once', async () => {
  const mesh = await peers('abc')
  const kv = kvAt(mesh, 'a')
  const changes = kvAt(mesh, 'b').watch({ prefix: 'p/' })[Symbol.asyncIterator]()
  await mesh.clock.until(kv.put('p/0', 'first'))
  expect((await mesh.clock.until(changes.next())).value).toMatchObject({ value: 'first' })
  for (let round = 0; round < 20; round++)
    await mesh.clock.until(Promise.all(['p/0', 'p/1', 'q/2'].map((key) => kv.put(key, round))))
  await mesh.clock.run(500)
  const told = [await mesh.clock.until(changes.next()), await mesh.clock.until(changes.next())]
  expect(brief(told.map(({ value }) => value as KvChange)).sort()).toEqual(['p/0=19', 'p/1=19'])
  const next = changes.next()
  await mesh.clock.until(kv.put('p/2', 'last'))
  expect((await mesh.clock.until(next)).value).toMatchObject({ key: 'p/2', value: 'last' })
  void changes.return?.()
})

test('pages: more than one answer takes comes whole and in order', async () => {
  const mesh = await peers('ab')
  const kv = kvAt(mesh, 'a')
  const own = Array.from({ length: 400 }, (_, index) => `w/${index}`).filter((key) => shardOf(key) === '05')
  const value = new Uint8Array(400 * 1024)
  for (const key of own.slice(0, 9)) await mesh.clock.until(kv.put(key, value))
  const all = collect(kvAt(mesh, 'b').watch({ prefix: 'w/' }))
  await mesh.clock.untilTrue(() => all.seen.length === 9)
  await mesh.clock.run(1000)
  expect(all.seen.map(({ key }) => key)).toEqual(own.slice(0, 9))
})

test('W1 a watch goes on through the loss of its host, and a change made meanwhile is told', async () => {
  const mesh = await peers('abcd')
  const key = 'k'
  await mesh.clock.until(kvAt(mesh, 'a').put(key, 0))
  const home = homeOf(mesh, key)
  const [watcher, writer] = ['a', 'b', 'c', 'd'].filter((name) => name !== home)
  const seen = collect(kvAt(mesh, watcher!).watch(key))
  await mesh.clock.untilTrue(() => seen.seen.length === 1)
  mesh.crash(home)
  await mesh.clock.until(kvAt(mesh, writer!).put(key, 1))
  expect(homeOf(mesh, key)).not.toBe(home)
  await mesh.clock.untilTrue(() => seen.seen.length === 2)
  expect(brief(seen.seen)).toEqual([`${key}=0`, `${key}=1`])
})

test('a watched shard moves at once: who waits there does not hold it', async () => {
  const mesh = await peers('abc')
  await mesh.clock.until(kvAt(mesh, 'a').put('k', 0))
  const seen = collect(kvAt(mesh, 'a').watch('k'))
  await mesh.clock.untilTrue(() => seen.seen.length === 1)
  const actor = [...mesh.registry.actors.values()].find(({ key }) => key === `mesh:kv/${shardOf('k')}`)!
  const began = mesh.clock.now()
  await mesh.clock.until(mesh.node('a').peer.command({ kind: 'move', actor: actor.key, epoch: actor.epoch }))
  await mesh.clock.untilTrue(() => mesh.registry.actors.get(actor.key)!.epoch > actor.epoch)
  expect(mesh.clock.now() - began).toBeLessThan(2000)
  await mesh.clock.until(kvAt(mesh, 'b').put('k', 1))
  await mesh.clock.untilTrue(() => seen.seen.length === 2)
})

test('what a method of an actor puts is put once, also when the method is executed again elsewhere', async () => {
  let at: FakeMesh | undefined
  class Tally extends Actor<{ count: number }> {
    override state = { count: 0 }
    async bump(): Promise<number> {
      const kv = kvAt(at!, this.context.peer)
      const version = await kv.put('tally', ++this.state.count)
      for (let n = 0; n < 5; n++) await kv.get('slow') // the host is killed in here
      return version
    }
  }
  at = new FakeMesh(5)
  opened.push(at)
  for (const name of 'abcd') await at.start(name, [Tally, Counter])
  const mesh = at
  await mesh.clock.until(mesh.node('a').runtime.ref(Tally, 't').bump())
  const host = hostOf(mesh, 'Tally/t')
  const caller = [...'abcd'].find((name) => name !== host && name !== homeOf(mesh, 'tally'))!
  const seen = collect(kvAt(mesh, caller).watch('tally'))
  await mesh.clock.untilTrue(() => seen.seen.length === 1)
  const running = mesh.node(caller).runtime.ref(Tally, 't').bump()
  await mesh.clock.untilTrue(() => brief(seen.seen).includes('tally=2'))
  mesh.crash(host)
  const version = await mesh.clock.until(running)
  expect(await mesh.clock.until(kvAt(mesh, caller).get('tally'))).toEqual({ key: 'tally', value: 2, version })
  expect(brief(seen.seen)).toEqual(['tally=1', 'tally=2'])
})

test('a watch that is ended while it waits is over at once, and leaves no call behind', async () => {
  const mesh = await peers('ab')
  const { runtime } = mesh.node('a')
  const changes = runtime.kv.watch({ prefix: '' })[Symbol.asyncIterator]()
  const waiting = changes.next()
  await mesh.clock.run(500)
  expect(runtime.pending).toBeGreaterThan(0)
  await changes.return?.()
  expect(await mesh.clock.until(waiting)).toEqual({ done: true, value: undefined })
  await mesh.clock.run(100)
  expect(runtime.pending).toBe(0)
})

test('a watch ends by its signal, and with its node', async () => {
  const mesh = await peers('ab')
  const controller = new AbortController()
  const cancelled = collect(kvAt(mesh, 'a').watch('k', { signal: controller.signal }))
  const closed = collect(kvAt(mesh, 'b').watch('k'))
  await mesh.clock.run(100)
  controller.abort()
  mesh.node('b').runtime.close()
  await mesh.clock.untilTrue(() => cancelled.error !== undefined && closed.error !== undefined)
  expect([cancelled.error?.code, closed.error?.code]).toEqual(['CALL_CANCELLED', 'MESH_UNAVAILABLE'])
  expect(mesh.node('a').runtime.pending).toBe(0)
})
