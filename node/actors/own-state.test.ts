import { afterEach, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { ActorError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'
import { describeType } from './type-info.ts'
import type { ActorClass, ActorOptionsInput, OwnState } from './types.ts'

interface Saved {
  readonly total: number
  readonly seen: Map<string, number>
  readonly weights: Float64Array
}
let made = 0
let started: string[] = []
let broken = false

/** Ray's worker: its state is where it likes. */
class Worker extends Actor implements OwnState<Saved> {
  static readonly options: ActorOptionsInput = { readOnly: ['look'], idleMs: 2000 }
  #total = 0
  readonly #seen = new Map<string, number>()
  #weights: Float64Array = new Float64Array(3)
  #object = ++made

  protected override async onActivate(restored: boolean): Promise<void> {
    started.push(`${restored} ${this.#total}`)
  }
  getState(): Saved {
    return { total: this.#total, seen: this.#seen, weights: this.#weights }
  }
  loadState({ total, seen, weights }: Saved): void {
    if (broken) throw new RangeError('broken')
    this.#total = total
    for (const [name, times] of seen) this.#seen.set(name, times)
    this.#weights = weights
  }
  perform(task: string, by: number): number {
    this.#total += by
    this.#seen.set(task, (this.#seen.get(task) ?? 0) + 1)
    this.#weights[1]! += by // in place: it is nobody else's
    return this.#total
  }
  async slowly(by: number, turns: number): Promise<number> {
    this.#total += by
    for (let turn = 0; turn < turns; turn++) await this.context.actor(Counter, 'side').peek()
    this.#total += by
    return this.#total
  }
  failHalfway(): never {
    this.perform('half', 1000)
    throw new RangeError('halfway')
  }
  unspeakable(): unknown {
    this.#total += 1000
    return () => {}
  }
  look(): { total: number; seen: [string, number][]; weight: number } {
    return { total: this.#total, seen: [...this.#seen], weight: this.#weights[1]! }
  }
  sneak(): void {
    this.#total++
  }
  objectNumber(): number {
    return this.#object
  }
}
class Sneaky extends Worker {
  static override readonly options: ActorOptionsInput = { readOnly: ['look', 'sneak'] }
}
/** As on Ray's page: the state is called `state`. */
class Page extends Actor<{ tasks: number }> implements OwnState<{ tasks: number }> {
  override state = { tasks: 0 }
  performTask(): number {
    return ++this.state.tasks
  }
  getState(): { tasks: number } {
    return this.state
  }
  loadState(state: { tasks: number }): void {
    this.state = state
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names = 'abcd', seed = 1): Promise<FakeMesh> {
  made = 0
  started = []
  broken = false
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Worker, Sneaky, Page, Counter])
  return mesh
}
const crash = async (mesh: FakeMesh, key: string): Promise<string> => {
  const old = hostOf(mesh, key)
  mesh.crash(old)
  await mesh.clock.untilTrue(() => hostOf(mesh, key) !== old && hostOf(mesh, key) !== '')
  return [...mesh.nodes.keys()][0]!
}

test('O1 what getState gives is what the next home gets, binary data that was changed in place too', async () => {
  const mesh = await peers()
  const worker = mesh.node('a').runtime.ref(Worker, 'x')
  expect(await mesh.clock.until(worker.perform('one', 5))).toBe(5)
  expect(await mesh.clock.until(worker.perform('two', 7))).toBe(12)
  const there = await crash(mesh, 'Worker/x')
  const again = mesh.node(there).runtime.ref(Worker, 'x')
  expect(await mesh.clock.until(again.look())).toEqual({
    total: 12,
    seen: [
      ['one', 1],
      ['two', 1],
    ],
    weight: 12,
  })
  expect(await mesh.clock.until(again.perform('one', 1))).toBe(13)
  expect(started).toEqual(['false 0', 'true 12'])
})

test('O2 G4 a call that throws leaves nothing behind: the next one gets another object, from before it', async () => {
  const mesh = await peers()
  const worker = mesh.node('a').runtime.ref(Worker, 'x')
  await mesh.clock.until(worker.perform('one', 5))
  const before = await mesh.clock.until(worker.objectNumber())
  await expect(mesh.clock.until(worker.failHalfway())).rejects.toBeInstanceOf(ActorError)
  expect(await mesh.clock.until(worker.look())).toEqual({ total: 5, seen: [['one', 1]], weight: 5 })
  expect(await mesh.clock.until(worker.objectNumber())).toBe(before + 1)
  await expect(mesh.clock.until(worker.unspeakable())).rejects.toMatchObject({ code: 'UNSERIALISABLE_STATE' })
  expect(await mesh.clock.until(worker.perform('one', 1))).toBe(6)
  expect(started).toEqual(['false 0', 'true 5', 'true 5'])
})

test('O2 calls that wait behind one that throws run on the new object, in their order', async () => {
  const mesh = await peers()
  const worker = mesh.node('a').runtime.ref(Worker, 'x')
  await mesh.clock.until(worker.perform('one', 5))
  const calls = [
    worker.perform('a', 1),
    worker.failHalfway().catch(() => -1),
    worker.perform('b', 1),
    worker.failHalfway().catch(() => -1),
    worker.perform('c', 1),
  ]
  expect(await mesh.clock.until(Promise.all(calls))).toEqual([6, -1, 7, -1, 8])
})

test('O2 a new object that can not be made is tried again: the calls wait, and status says why', async () => {
  const mesh = await peers()
  const worker = mesh.node('a').runtime.ref(Worker, 'x')
  await mesh.clock.until(worker.perform('one', 5))
  broken = true
  await expect(mesh.clock.until(worker.failHalfway())).rejects.toBeInstanceOf(ActorError)
  const waiting = worker.perform('one', 1)
  await mesh.clock.run(500)
  const { runtime } = mesh.node(hostOf(mesh, 'Worker/x'))
  expect(runtime.problemOf('Worker/x' as ActorKey)).toContain('Worker.loadState failed: RangeError: broken')
  broken = false
  expect(await mesh.clock.until(waiting)).toBe(6)
  expect(runtime.problemOf('Worker/x' as ActorKey)).toBe('')
})

test('O3 a read waits for the write under way, and one that changes fields fails and leaves nothing behind', async () => {
  const mesh = await peers()
  const worker = mesh.node('a').runtime.ref(Sneaky, 'x')
  const slow = worker.slowly(1, 5)
  const look = worker.look()
  expect(await mesh.clock.until(slow)).toBe(2)
  expect(await mesh.clock.until(look)).toMatchObject({ total: 2 })
  await expect(mesh.clock.until(worker.sneak())).rejects.toMatchObject({ code: 'BAD_STATE_CHANGE' })
  expect(await mesh.clock.until(worker.look())).toMatchObject({ total: 2 })
})

test('Ray’s page, as it stands: a state named state, and both methods called from elsewhere', async () => {
  const mesh = await peers('abcde')
  const page = mesh.node('a').runtime.ref(Page, 'x')
  await mesh.clock.until(page.performTask())
  const saved = await mesh.clock.until(page.getState())
  await mesh.clock.until(page.performTask())
  await mesh.clock.until(page.loadState(saved))
  expect(await mesh.clock.until(page.performTask())).toBe(2)
  const there = await crash(mesh, 'Page/x')
  expect(await mesh.clock.until(mesh.node(there).runtime.ref(Page, 'x').performTask())).toBe(3)
  await mesh.clock.run(2000)
  const then = await crash(mesh, 'Page/x')
  expect(await mesh.clock.until(mesh.node(then).runtime.ref(Page, 'x').performTask())).toBe(4)
})

test('it rests and moves as any other', async () => {
  const mesh = await peers()
  const worker = mesh.node('a').runtime.ref(Worker, 'x')
  await mesh.clock.until(worker.perform('one', 5))
  await expect(mesh.clock.until(worker.failHalfway())).rejects.toBeInstanceOf(ActorError)
  const host = () => mesh.node(hostOf(mesh, 'Worker/x')).runtime
  await mesh.clock.untilTrue(() => host().passive === 1)
  expect(await mesh.clock.until(worker.perform('one', 1))).toBe(6)
  const { epoch } = mesh.registry.actors.get('Worker/x' as ActorKey)!
  const to = [...mesh.nodes.keys()].find((name) => name !== hostOf(mesh, 'Worker/x'))!
  void mesh
    .node('a')
    .peer.command({ kind: 'move', actor: 'Worker/x' as ActorKey, epoch, to: mesh.node(to).peer.self })
  await mesh.clock.untilTrue(() => hostOf(mesh, 'Worker/x') === to)
  expect(await mesh.clock.until(worker.look())).toMatchObject({ total: 6 })
})

test('G3, G4: hosts die in the middle of calls, some of which throw: each that was answered happened once', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const mesh = await peers('abcde', seed)
    const caller = 'a'
    const worker = mesh.node(caller).runtime.ref(Worker, 'x')
    let sum = 0
    for (let round = 0; round < 12; round++) {
      const fails = mesh.random() < 0.3
      const by = 1 + Math.floor(mesh.random() * 9)
      const call = fails ? worker.failHalfway().catch(() => undefined) : worker.perform('task', by)
      await mesh.clock.run(mesh.random() * 12)
      const host = hostOf(mesh, 'Worker/x')
      if (mesh.random() < 0.25 && host !== caller && host !== '' && mesh.nodes.size > 3) mesh.crash(host)
      if (!fails) sum += by
      const result = await mesh.clock.until<unknown>(call)
      if (!fails) expect(result).toBe(sum)
    }
    expect(await mesh.clock.until(worker.look())).toMatchObject({ total: sum, weight: sum })
  }
})

test('half of it, generators and local reads are mistakes, and say what to do', () => {
  class Half extends Actor {
    getState(): object {
      return {}
    }
  }
  class Generator extends Page {
    async *items(): AsyncGenerator<number> {}
  }
  class Local extends Page {
    static readonly options: ActorOptionsInput = { reads: 'local' }
  }
  const says = (type: ActorClass, text: string) => expect(() => describeType(type)).toThrow(text)
  says(
    Half,
    'Half has getState and no loadState: a class with both keeps its state in its own fields; rename getState',
  )
  says(Generator, 'Generator.items is a generator, and Generator keeps its state in its own fields')
  says(Local, 'Local.options.reads is "local", and Local keeps its state in its own fields')
})

test('a getState that gives no plain object fails the call, and says so', async () => {
  let gives: unknown = {}
  class Odd extends Actor implements OwnState<unknown> {
    getState(): unknown {
      return gives
    }
    loadState(): void {}
    go(): void {}
  }
  const mesh = new FakeMesh(1)
  opened.push(mesh)
  for (const name of 'abc') await mesh.start(name, [Odd])
  const odd = mesh.node('a').runtime.ref(Odd, 'x')
  await mesh.clock.until(odd.go())
  for (const [wrong, message] of [
    [5, 'Odd.getState() gave 5: return the state, an object, at once'],
    [Promise.resolve({}), 'Odd.getState() gave a promise'],
    [{ socket: () => {} }, 'Odd.go: state.socket is the function'],
  ] as const) {
    gives = wrong
    const failed = odd.go()
    failed.catch(() => {})
    await mesh.clock.run(200)
    gives = {}
    await expect(mesh.clock.until(failed)).rejects.toMatchObject({
      message: expect.stringContaining(message),
    })
  }
})
