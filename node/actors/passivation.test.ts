import { afterEach, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { ActorError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'
import type { ActorOptionsInput } from './types.ts'

const IDLE_MS = 1000
let made = 0
/** Says how often an object of it was made. */
class Sleeper extends Actor<{ count: number; text: string }> {
  static readonly options: ActorOptionsInput = { idleMs: IDLE_MS, readOnly: ['peek'] }
  override state = { count: 0, text: '' }
  constructor() {
    super()
    made++
  }
  increment(by = 1): number {
    this.state.count += by
    return this.state.count
  }
  write(text: string): number {
    this.state.text = text
    return text.length
  }
  length(): number {
    return this.state.text.length
  }
  fail(): void {
    throw new RangeError(`at ${this.state.count++}`)
  }
  peek(): number {
    return this.state.count
  }
  async slowly(other: string, times: number): Promise<number> {
    for (let time = 0; time < times; time++) await this.context.actor(Counter, other).increment(1)
    return ++this.state.count
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string, seed = 1): Promise<FakeMesh> {
  made = 0
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Sleeper, Counter])
  return mesh
}
const host = (mesh: FakeMesh, name: string) => mesh.node(hostOf(mesh, `Sleeper/${name}`)).runtime
const asleep = (mesh: FakeMesh, name: string): Promise<void> =>
  mesh.clock.untilTrue(() => host(mesh, name).passive === 1 && host(mesh, name).live === 0)

test('P1 an idle actor leaves memory; the next call finds everything, from this very disk', async () => {
  const mesh = await peers('abc')
  const ref = mesh.node('a').runtime.ref(Sleeper, 'x')
  await mesh.clock.until(ref.increment(5))
  await mesh.clock.until(ref.increment(2))
  await asleep(mesh, 'x')
  expect(made).toBe(1)
  const { epoch } = mesh.registry.actors.get('Sleeper/x' as ActorKey)!
  expect(await mesh.clock.until(ref.peek())).toBe(7)
  await asleep(mesh, 'x')
  expect(await mesh.clock.until(ref.increment(1))).toBe(8)
  expect(made).toBe(3)
  expect(mesh.registry.actors.get('Sleeper/x' as ActorKey)).toMatchObject({ epoch, restarts: 0 })
})

test('P1 no actor rests while a call runs', async () => {
  const mesh = await peers('abc')
  const ref = mesh.node('a').runtime.ref(Sleeper, 'x')
  await mesh.clock.until(ref.increment(1))
  mesh.latencyMs = 400
  const slow = ref.slowly('c', 10)
  await mesh.clock.run(3 * IDLE_MS)
  expect(host(mesh, 'x').passive).toBe(0)
  expect(await mesh.clock.until(slow)).toBe(2)
  expect(made).toBe(1)
})

test('P2 what a method threw before it is still its answer to a retry after it; what was answered stays answered', async () => {
  const mesh = await peers('abc')
  await mesh.clock.until(mesh.node('a').runtime.ref(Sleeper, 'x').increment(1))
  const { peer, runtime } = mesh.node(['b', 'c'].find((each) => each !== hostOf(mesh, 'Sleeper/x'))!)
  const ref = runtime.ref(Sleeper, 'x')
  const frames: { to: string; frame: Parameters<typeof peer.sendService>[1] }[] = []
  const send = peer.sendService.bind(peer)
  peer.sendService = (to, frame) => {
    if ((frame.body as { t?: string }).t === 'call') frames.push({ to, frame })
    return send(to, frame)
  }
  await expect(mesh.clock.until(ref.fail())).rejects.toBeInstanceOf(ActorError)
  await asleep(mesh, 'x')
  for (const { to, frame } of frames) send(to as never, frame)
  await mesh.clock.run(100)
  expect(made).toBe(2)
  expect(await mesh.clock.until(ref.increment(0))).toBe(1)
  await asleep(mesh, 'x')
  // Its floor is past them by now: refused, in every life of the object.
  for (const { to, frame } of frames) send(to as never, frame)
  await mesh.clock.run(100)
  expect(await mesh.clock.until(ref.peek())).toBe(1)
})

test('a passive actor is recovered when its host dies', async () => {
  const mesh = await peers('abcd')
  await mesh.clock.until(mesh.node('a').runtime.ref(Sleeper, 'x').increment(3))
  await asleep(mesh, 'x')
  const victim = hostOf(mesh, 'Sleeper/x')
  mesh.crash(victim)
  const other = ['a', 'b', 'c', 'd'].find((name) => name !== victim)!
  expect(await mesh.clock.until(mesh.node(other).runtime.ref(Sleeper, 'x').increment(1))).toBe(4)
})

test('a passive actor moves, and stops, as any other', async () => {
  const mesh = await peers('abc')
  const { runtime, peer } = mesh.node('a')
  await mesh.clock.until(runtime.ref(Sleeper, 'x').increment(3))
  await asleep(mesh, 'x')
  const from = hostOf(mesh, 'Sleeper/x')
  const to = ['a', 'b', 'c'].find((name) => name !== from)!
  const { epoch } = mesh.registry.actors.get('Sleeper/x' as ActorKey)!
  void peer.command({ kind: 'move', actor: 'Sleeper/x' as ActorKey, epoch, to: mesh.node(to).peer.self })
  await mesh.clock.untilTrue(() => hostOf(mesh, 'Sleeper/x') === to)
  expect(made).toBe(1)
  expect(await mesh.clock.until(runtime.ref(Sleeper, 'x').increment(1))).toBe(4)
  await asleep(mesh, 'x')
  expect(mesh.node(from).runtime.passive).toBe(0)
  await mesh.clock.until(runtime.stop('Sleeper', 'x'))
  await mesh.clock.run(100)
  expect(mesh.node(to).runtime.passive).toBe(0)
})

test('a roll copies a passive actor on, without an object; old journals can be retired', async () => {
  const mesh = await peers('abc')
  const { runtime } = mesh.node('a')
  for (let index = 0; index < 20; index++)
    await mesh.clock.until(runtime.ref(Sleeper, `x${index}`).increment(index))
  await mesh.clock.run(3 * IDLE_MS)
  for (const name of 'abc') expect(mesh.node(name).runtime.live).toBe(0)
  const before = made
  for (const name of 'abc') await mesh.clock.until(mesh.roll(name))
  await mesh.clock.run(3 * IDLE_MS)
  expect(made).toBe(before)
  const open = [...mesh.registry.journals.values()].filter(({ status }) => status.kind === 'open')
  expect([...mesh.registry.actors.values()].flatMap(({ sources }) => sources)).toEqual([])
  expect(mesh.registry.journals.size).toBe(open.length)
  for (const name of 'abc') expect(mesh.node(name).runtime.live).toBe(0)
  for (let index = 0; index < 20; index++)
    expect(await mesh.clock.until(runtime.ref(Sleeper, `x${index}`).peek())).toBe(index)
})

test('a state of many parts is read back, and a change to it is a delta', async () => {
  const mesh = await peers('abc')
  const ref = mesh.node('a').runtime.ref(Sleeper, 'x')
  const size = 3_000_000
  await mesh.clock.until(ref.write('x'.repeat(size)))
  await asleep(mesh, 'x')
  expect(await mesh.clock.until(ref.length())).toBe(size)
  await asleep(mesh, 'x')
  const log = mesh.journalsOf(hostOf(mesh, 'Sleeper/x'))[0]!
  const before = log.acknowledged
  await mesh.clock.until(ref.increment())
  expect(log.acknowledged - before).toBe(1)
  mesh.crash(hostOf(mesh, 'Sleeper/x'))
  const left = [...mesh.nodes.keys()][0]!
  expect(await mesh.clock.until(mesh.node(left).runtime.ref(Sleeper, 'x').length())).toBe(size)
})

test('random calls around the moment of rest: every one once, in order', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const mesh = await peers('abc', seed)
    const refs = ['a', 'b', 'c'].map((name) => mesh.node(name).runtime.ref(Sleeper, 'x'))
    let sum = 0
    for (let round = 0; round < 12; round++) {
      const calls = Array.from({ length: 1 + Math.floor(mesh.random() * 3) }, () =>
        refs[Math.floor(mesh.random() * 3)]!.increment(1),
      )
      sum += calls.length
      const results = await mesh.clock.until(Promise.all(calls))
      expect(Math.max(...results)).toBe(sum)
      if (mesh.random() < 0.3) await mesh.clock.until(mesh.roll(hostOf(mesh, 'Sleeper/x')))
      // Around the time at which it is found idle, a snapshot written, the object dropped.
      await mesh.clock.run(IDLE_MS * (0.98 + 0.3 * mesh.random()))
    }
    expect(made).toBeGreaterThan(1)
    for (const node of mesh.nodes.values()) node.runtime.close()
  }
})
