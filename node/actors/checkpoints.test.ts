import { afterEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'
import { describeType } from './type-info.ts'
import type { ActorOptionsInput, CheckpointPolicy } from './types.ts'

const IDLE_MS = 5000
const EVERY_MS = 1000
const EVERY_CALLS = 5

class Notes extends Actor<{ tokens: string[] }> {
  static readonly options: ActorOptionsInput = {
    checkpoint: { everyMs: EVERY_MS, everyCalls: EVERY_CALLS },
    checkpointPerMethod: { pay: 'every-call', timed: { everyMs: EVERY_MS } },
    readOnly: ['all'],
    idleMs: IDLE_MS,
  }
  override state = { tokens: [] as string[] }
  add(token: string): number {
    return this.state.tokens.push(token)
  }
  timed(token: string): number {
    return this.state.tokens.push(token)
  }
  pay(token: string): number {
    return this.state.tokens.push(token)
  }
  all(): string[] {
    return [...this.state.tokens]
  }
  size(): number {
    return this.state.tokens.length
  }
  fail(): never {
    throw new RangeError(`at ${this.state.tokens.length}`)
  }
  async tell(token: string): Promise<number> {
    this.state.tokens.push(token)
    return this.context.actor(Counter, 'told').increment(1)
  }
  async post(token: string): Promise<void> {
    this.state.tokens.push(token)
    await this.context.actor(Counter, 'told').send.increment(1)
  }
  later(token: string, ms: number): void {
    this.schedule.after(ms, this.add, token)
  }
  async save(): Promise<number> {
    await this.checkpoint()
    return this.state.tokens.length
  }
}
class ManualNotes extends Notes {
  static override readonly options: ActorOptionsInput = {
    checkpoint: 'manual',
    readOnly: ['all'],
    idleMs: IDLE_MS,
  }
}
/** Sends to notes. */
class Sender extends Actor<{ sent: number }> {
  override state = { sent: 0 }
  async send(token: string): Promise<void> {
    this.state.sent++
    await this.context.actor(ManualNotes, 'x').send.add(token)
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string, seed = 1): Promise<FakeMesh> {
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Notes, ManualNotes, Counter, Sender])
  return mesh
}

/** An actor in use, with one durable token, and what the test asks about it. */
async function stage(type: typeof Notes | typeof ManualNotes, seed = 1) {
  const mesh = await peers('abcd', seed)
  const key = `${type.name}/x` as ActorKey
  const ref = mesh.node('a').runtime.ref(type, 'x')
  await mesh.clock.until(ref.add('first'))
  await mesh.clock.until(mesh.node('a').runtime.ref(Counter, 'told').increment(0))
  const host = () => hostOf(mesh, key)
  const saved = () => mesh.node(host()).runtime.savedOf(key)!
  if (type === Notes) await mesh.clock.untilTrue(() => saved().unsaved === 0)
  /** Blocks that keepers do not acknowledge from now on, though they confirm. */
  const hold = (): void => {
    for (const log of mesh.logs.values()) for (const { peer } of log.keepers) log.slow.add(peer)
  }
  const letGo = (): void => {
    for (const log of mesh.logs.values()) log.slow.clear()
  }
  const settled = async (promise: Promise<unknown>, ms = 300): Promise<boolean> => {
    let is = false
    const done = (): void => {
      is = true
    }
    promise.then(done, done)
    await mesh.clock.run(ms)
    return is
  }
  /** From a peer that is not the host, so that it outlives it. */
  const other = () => [...mesh.nodes.keys()].find((name) => name !== host())!
  const outside = mesh.node(other()).runtime.ref(type, 'x')
  return { mesh, key, ref: outside, host, saved, hold, letGo, settled, other }
}

describe('checkpoint: { everyMs, everyCalls }', () => {
  test('W1 the calls of a checkpoint are answered at once, and written together', async () => {
    const { mesh, ref, saved, hold, letGo, settled } = await stage(Notes)
    hold()
    for (let n = 1; n < EVERY_CALLS; n++) await mesh.clock.until(ref.add(`t${n}`))
    expect(saved()).toMatchObject({ unsaved: EVERY_CALLS - 1 })
    letGo()
    await mesh.clock.run(100)
    expect(saved().unsaved).toBe(EVERY_CALLS - 1)
    await mesh.clock.until(ref.add('the one that makes a checkpoint'))
    await mesh.clock.run(100)
    expect(saved().unsaved).toBe(0)
    expect(await settled(ref.add('alone'), EVERY_MS / 2)).toBe(true)
    expect(saved().unsaved).toBe(1)
    await mesh.clock.run(EVERY_MS)
    expect(saved().unsaved).toBe(0)
  })

  test('W2 no more than twice its calls are answered and not durable: then callers wait', async () => {
    const { mesh, ref, saved, hold, letGo, settled } = await stage(Notes)
    hold()
    for (let n = 0; n < 2 * EVERY_CALLS; n++) expect(await settled(ref.add(`t${n}`), 20)).toBe(true)
    const late = ref.add('late')
    expect(await settled(late, 500)).toBe(false)
    letGo()
    await mesh.clock.until(late)
    await mesh.clock.run(100)
    expect(saved().unsaved).toBeLessThanOrEqual(2 * EVERY_CALLS)
  })

  test('W2 no answered call stays unsaved for longer than twice its time: then callers wait', async () => {
    const { mesh, ref, hold, letGo, settled } = await stage(Notes)
    hold()
    expect(await settled(ref.timed('t0'), 0.9 * EVERY_MS)).toBe(true)
    expect(await settled(ref.timed('t1'), 0.9 * EVERY_MS)).toBe(true)
    expect(await settled(ref.timed('t2'), 0.3 * EVERY_MS)).toBe(true)
    const late = ref.timed('t3')
    expect(await settled(late, 500)).toBe(false)
    letGo()
    await mesh.clock.until(late)
  })

  test('the host dies: what is lost is the end of what was answered, and no more than that', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const { mesh, key, ref, host } = await stage(Notes, seed)
      const answered = ['first']
      const before = 3 + Math.floor(mesh.random() * 25)
      for (let n = 0; n < before; n++) {
        await mesh.clock.until(ref.add(`t${n}`))
        answered.push(`t${n}`)
      }
      const old = host()
      mesh.crash(old)
      await mesh.clock.untilTrue(() => hostOf(mesh, key) !== old && hostOf(mesh, key) !== '')
      const kept = await mesh.clock.until(ref.all())
      expect(kept).toEqual(answered.slice(0, kept.length))
      expect(kept.length).toBeGreaterThanOrEqual(answered.length - 2 * EVERY_CALLS)
    }
  })

  test('a host that is cut off stops answering when its window is full, and its successor has all that is durable', async () => {
    const { mesh, key, host, saved } = await stage(Notes)
    const old = host()
    const here = mesh.node(old).runtime.ref(Notes, 'x')
    const durable = saved().durable
    mesh.isolate(old)
    let answered = 0
    for (let n = 0; n < 4 * EVERY_CALLS; n++)
      here.add(`lost${n}`).then(
        () => answered++,
        () => {},
      )
    let read = false
    here.all().then(
      () => {
        read = true
      },
      () => {},
    )
    await mesh.clock.untilTrue(() => hostOf(mesh, key) !== old && hostOf(mesh, key) !== '')
    await mesh.clock.run(3 * EVERY_MS)
    expect(answered).toBeLessThanOrEqual(2 * EVERY_CALLS)
    expect(read).toBe(false) // a read needs to know that this is still the host
    const now = hostOf(mesh, key)
    const kept = await mesh.clock.until(mesh.node(now).runtime.ref(Notes, 'x').all())
    expect(kept).toEqual(['first'])
    expect(durable).toBeGreaterThanOrEqual(1)
  })

  test('readers, and methods that throw, see what is not durable yet; they make nothing durable', async () => {
    const { mesh, ref, saved, hold } = await stage(Notes)
    hold()
    await mesh.clock.until(ref.add('t1'))
    expect(await mesh.clock.until(ref.all())).toEqual(['first', 't1'])
    expect(await mesh.clock.until(ref.size())).toBe(2)
    await expect(mesh.clock.until(ref.fail())).rejects.toMatchObject({ message: 'at 2' })
    expect(saved().unsaved).toBe(1)
  })

  test('a method with every-call is answered when it and all before it are durable', async () => {
    const { mesh, ref, saved, hold, letGo, settled } = await stage(Notes)
    hold()
    await mesh.clock.until(ref.add('t1'))
    const paid = ref.pay('t2')
    expect(await settled(paid)).toBe(false)
    letGo()
    expect(await mesh.clock.until(paid)).toBe(3)
    expect(saved().unsaved).toBe(0)
  })

  test('L6 G5 what others hear of waits for everything before it, and makes the call itself durable', async () => {
    const { mesh, ref, saved, hold, letGo, settled } = await stage(Notes)
    const told = mesh.node('a').runtime.ref(Counter, 'told')
    for (const method of ['tell', 'post'] as const) {
      const before = await mesh.clock.until(told.peek())
      await mesh.clock.until(ref.add(`before ${method}`))
      hold()
      const call: Promise<unknown> = ref[method](`by ${method}`)
      expect(await settled(call)).toBe(false)
      // Nobody was called yet: that would be under way there, and a read would wait for it.
      const peek = told.peek()
      expect(await settled(peek)).toBe(true)
      expect(await peek).toBe(before)
      letGo()
      await mesh.clock.until(call)
      expect(saved().unsaved).toBe(0)
      await mesh.clock.run(200)
      expect(await mesh.clock.until(told.peek())).toBe(before + 1)
    }
    hold()
    const later = ref.later('rung', 10)
    expect(await settled(later)).toBe(false)
    letGo()
    await mesh.clock.until(later)
    await mesh.clock.run(1000)
    expect(saved().unsaved).toBe(0)
    expect(await mesh.clock.until(ref.all())).toContain('rung')
  })

  test('H2 the very first call is answered when the actor is durable, and not before', async () => {
    const { mesh, host, hold, letGo } = await stage(Notes)
    hold()
    const answered = new Set<string>()
    const calls = Array.from({ length: 40 }, (_, n) => {
      const call = mesh.node('a').runtime.ref(Notes, `y${n}`).add('first')
      call.then(
        () => answered.add(`y${n}`),
        () => {},
      )
      return call
    })
    await mesh.clock.run(500)
    const held = calls.flatMap((_, n) => (hostOf(mesh, `Notes/y${n}`) === host() ? `y${n}` : []))
    expect(held.length).toBeGreaterThan(0)
    expect(held.filter((name) => answered.has(name))).toEqual([])
    letGo()
    await mesh.clock.until(Promise.all(calls))
  })

  test('a copy of a call that was answered before it was written gets the same answer, and changes nothing', async () => {
    const { mesh, ref, host, other, hold } = await stage(Notes)
    const { peer } = mesh.node(other())
    const frames: { to: string; frame: Parameters<typeof peer.sendService>[1] }[] = []
    const send = peer.sendService.bind(peer)
    peer.sendService = (to, frame) => {
      if ((frame.body as { t?: string }).t === 'call') frames.push({ to, frame })
      return send(to, frame)
    }
    hold()
    expect(await mesh.clock.until(ref.add('once'))).toBe(2)
    expect(host()).toBe(frames[0]!.to)
    for (const { to, frame } of frames) send(to as never, frame)
    await mesh.clock.run(200)
    expect(await mesh.clock.until(ref.all())).toEqual(['first', 'once'])
  })
})

describe("checkpoint: 'manual'", () => {
  test('nothing is written before the class says so, and then everything', async () => {
    const { mesh, ref, saved } = await stage(ManualNotes)
    for (let n = 0; n < 300; n++) await mesh.clock.until(ref.add(`t${n}`))
    expect(saved().unsaved).toBeGreaterThanOrEqual(300)
    expect(await mesh.clock.until(ref.save())).toBe(301)
    expect(saved().unsaved).toBe(0)
    await mesh.clock.until(ref.add('after'))
    expect(saved().unsaved).toBe(1)
  })

  test('the host dies: what is there is the last checkpoint', async () => {
    const { mesh, ref, host, key } = await stage(ManualNotes)
    await mesh.clock.until(ref.add('saved'))
    await mesh.clock.until(ref.save())
    await mesh.clock.until(ref.add('lost'))
    const old = host()
    mesh.crash(old)
    await mesh.clock.untilTrue(() => hostOf(mesh, key) !== old && hostOf(mesh, key) !== '')
    expect(await mesh.clock.until(ref.all())).toEqual(['first', 'saved'])
  })

  test('an actor that rests, moves or is killed is written first', async () => {
    const { mesh, ref, host, key, saved } = await stage(ManualNotes)
    await mesh.clock.until(ref.add('before a rest'))
    await mesh.clock.untilTrue(() => mesh.node(host()).runtime.passive === 1)
    expect(saved().unsaved).toBe(0)
    await mesh.clock.until(ref.add('before a move'))
    const { epoch } = mesh.registry.actors.get(key)!
    const to = [...mesh.nodes.keys()].find((name) => name !== host())!
    void mesh.node(to).peer.command({ kind: 'move', actor: key, epoch, to: mesh.node(to).peer.self })
    await mesh.clock.untilTrue(() => host() === to)
    expect(await mesh.clock.until(ref.add('before a kill'))).toBe(4)
    await mesh.clock.until(mesh.node('a').runtime.kill('ManualNotes', 'x', true))
    expect(await mesh.clock.until(ref.all())).toEqual([
      'first',
      'before a rest',
      'before a move',
      'before a kill',
    ])
  })

  test('a send that arrived is durable before its sender forgets it', async () => {
    const { mesh, ref, host, key, saved } = await stage(ManualNotes)
    const sender = mesh.node('a').runtime.ref(Sender, 's')
    await mesh.clock.until(ref.add('before'))
    await mesh.clock.until(sender.send('sent'))
    await mesh.clock.run(500)
    expect(saved().unsaved).toBe(0)
    const old = host()
    mesh.crash(old)
    await mesh.clock.untilTrue(() => hostOf(mesh, key) !== old && hostOf(mesh, key) !== '')
    expect(await mesh.clock.until(ref.all())).toEqual(['first', 'before', 'sent'])
  })
})

test('what a type may not ask for is said at once', () => {
  const of = (options: ActorOptionsInput) => () => {
    class Odd extends Actor {
      static readonly options = options
      go(): void {}
    }
    return describeType(Odd)
  }
  for (const checkpoint of [{}, { everyMs: 0 }, { everyCalls: 1.5 }, { every: 5 }, 'never', null, 5])
    expect(of({ checkpoint: checkpoint as CheckpointPolicy })).toThrow(
      /Odd.options.checkpoint is .*'every-call', 'manual'/,
    )
  expect(of({ checkpointPerMethod: { gone: 'manual' } })).toThrow(
    'Odd.options.checkpointPerMethod names gone, which is not a method of Odd',
  )
  expect(of({ checkpointPerMethod: { go: { everyMs: -1 } } })).toThrow(
    'checkpointPerMethod.go is {"everyMs":-1}',
  )
})
