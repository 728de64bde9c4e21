import { afterEach, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { UnknownMethodError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'
import type { ActorOptionsInput, DeactivateReason } from './types.ts'

const IDLE_MS = 1000
/** What hooks of the present test did, and how they behave. */
const seen: string[] = []
let failing = 0
let hang = false

class Hooked extends Actor<{ starts: string[]; ends: string[]; count: number }> {
  static readonly options: ActorOptionsInput = { idleMs: IDLE_MS, readOnly: ['all'], reads: 'local' }
  override state = { starts: [] as string[], ends: [] as string[], count: 0 }
  protected override async onActivate(restored: boolean): Promise<void> {
    seen.push(`start ${restored}`)
    this.state.starts.push(`${restored}`)
    if (this.context.name.startsWith('calling')) await this.context.actor(Counter, 'side').increment(1)
    if (failing-- > 0) throw new RangeError('not yet')
  }
  protected override async onDeactivate(reason: DeactivateReason): Promise<void> {
    seen.push(reason)
    this.state.ends.push(reason)
    if (hang) await new Promise(() => {})
  }
  add(): number {
    return ++this.state.count
  }
  all(): { starts: string[]; ends: string[]; count: number } {
    return { starts: [...this.state.starts], ends: [...this.state.ends], count: this.state.count }
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string): Promise<FakeMesh> {
  seen.length = 0
  failing = 0
  hang = false
  const mesh = new FakeMesh()
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Hooked, Counter])
  return mesh
}
const KEY = 'Hooked/x' as ActorKey
const move = async (mesh: FakeMesh, to: string): Promise<void> => {
  const { epoch } = mesh.registry.actors.get(KEY)!
  void mesh.node(to).peer.command({ kind: 'move', actor: KEY, epoch, to: mesh.node(to).peer.self })
  await mesh.clock.untilTrue(() => hostOf(mesh, KEY) === to)
}
const others = (mesh: FakeMesh): string[] =>
  [...mesh.nodes.keys()].filter((name) => name !== hostOf(mesh, KEY))

test('G5 onActivate runs before the first call, and what it changes is durable before an answer, a local read too', async () => {
  const mesh = await peers('abc')
  const ref = mesh.node('a').runtime.ref(Hooked, 'x')
  expect(await mesh.clock.until(ref.all())).toEqual({ starts: ['false'], ends: [], count: 0 })
  mesh.crash(hostOf(mesh, KEY))
  const left = [...mesh.nodes.keys()][0]!
  expect((await mesh.clock.until(mesh.node(left).runtime.ref(Hooked, 'x').all())).starts).toEqual([
    'false',
    'true',
  ])
})

test('every activation runs it: passivated, moved, recovered; and the end of each object but a crash is told', async () => {
  const mesh = await peers('abc')
  const { runtime } = mesh.node('a')
  await mesh.clock.until(runtime.ref(Hooked, 'x').add())
  await mesh.clock.run(2 * IDLE_MS)
  expect(seen).toEqual(['start false', 'passivated'])
  await mesh.clock.until(runtime.ref(Hooked, 'x').add())
  await move(mesh, others(mesh)[0]!)
  await mesh.clock.until(runtime.ref(Hooked, 'x').add())
  const host = mesh.node(hostOf(mesh, KEY))
  void host.peer.command({ kind: 'leaving', peer: host.peer.self, boot: host.peer.boot })
  await mesh.clock.untilTrue(() => mesh.registry.actors.get(KEY)?.home !== host.peer.boot)
  await mesh.clock.until(runtime.ref(Hooked, 'x').add())
  await mesh.clock.until(runtime.stop('Hooked', 'x'))
  expect(seen).toEqual([
    ...[
      'start false',
      'passivated',
      'start true',
      'moving',
      'start true',
      'leaving',
      'start true',
      'stopping',
    ],
  ])
})

test('what onDeactivate changes is in the last record, wherever the next object is made', async () => {
  const mesh = await peers('abc')
  const { runtime } = mesh.node('a')
  await mesh.clock.until(runtime.ref(Hooked, 'x').add())
  await mesh.clock.run(2 * IDLE_MS)
  expect((await mesh.clock.until(runtime.ref(Hooked, 'x').all())).ends).toEqual(['passivated'])
  await move(mesh, others(mesh)[0]!)
  expect((await mesh.clock.until(runtime.ref(Hooked, 'x').all())).ends).toEqual(['passivated', 'moving'])
})

test('a call that comes while onDeactivate runs waits for it, and is served by the next object', async () => {
  const mesh = await peers('abc')
  const { runtime } = mesh.node('a')
  await mesh.clock.until(runtime.ref(Hooked, 'x').add())
  hang = true
  await mesh.clock.untilTrue(() => seen.includes('passivated'))
  hang = false
  expect(await mesh.clock.until(runtime.ref(Hooked, 'x').add())).toBe(2)
  // It did not end in time: what it changed is dropped.
  expect(await mesh.clock.until(runtime.ref(Hooked, 'x').all())).toEqual({
    starts: ['false', 'true'],
    ends: [],
    count: 2,
  })
})

test('a host that dies during onDeactivate loses nothing but what that changed', async () => {
  const mesh = await peers('abc')
  await mesh.clock.until(mesh.node('a').runtime.ref(Hooked, 'x').add())
  hang = true
  await mesh.clock.untilTrue(() => seen.includes('passivated'))
  mesh.crash(hostOf(mesh, KEY))
  const left = [...mesh.nodes.keys()][0]!
  expect(await mesh.clock.until(mesh.node(left).runtime.ref(Hooked, 'x').all())).toMatchObject({
    ends: [],
    count: 1,
  })
})

test('a throw in onActivate is a failed start: tried again, its change dropped, its calls made', async () => {
  const mesh = await peers('abc')
  const { runtime } = mesh.node('a')
  failing = 3
  expect((await mesh.clock.until(runtime.ref(Hooked, 'calling').all())).starts.length).toBe(1)
  expect(seen.length).toBe(4)
  expect(await mesh.clock.until(runtime.ref(Counter, 'side').get())).toBe(4)
})

test('onActivate may schedule and send: carried out once its change is durable; onDeactivate may not', async () => {
  class Planner extends Actor<{ rung: number }> {
    static readonly options: ActorOptionsInput = { idleMs: IDLE_MS }
    override state = { rung: 0 }
    protected override async onActivate(restored: boolean): Promise<void> {
      if (restored) return
      this.schedule.after(3 * IDLE_MS, this.ring)
      await this.context.actor(Counter, 'sent').send.increment(1)
    }
    protected override onDeactivate(): void {
      try {
        this.schedule.after(1, this.ring)
      } catch (error) {
        seen.push((error as Error).name)
      }
    }
    ring(): void {
      this.state.rung++
    }
    rung(): number {
      return this.state.rung
    }
  }
  seen.length = 0
  const mesh = new FakeMesh()
  opened.push(mesh)
  for (const name of 'abc') await mesh.start(name, [Planner, Counter])
  const ref = mesh.node('a').runtime.ref(Planner, 'x')
  expect(await mesh.clock.until(ref.rung())).toBe(0)
  await mesh.clock.run(2 * IDLE_MS)
  expect(seen).toEqual(['StateError'])
  await mesh.clock.run(3 * IDLE_MS)
  expect(await mesh.clock.until(ref.rung())).toBe(1)
  expect(await mesh.clock.until(mesh.node('a').runtime.ref(Counter, 'sent').get())).toBe(1)
})

test('hooks are not methods', async () => {
  const mesh = await peers('a')
  const { runtime } = mesh.node('a')
  for (const hook of ['onActivate', 'onDeactivate'])
    await expect(mesh.clock.until(runtime.call('Hooked', 'x', hook, [true]))).rejects.toBeInstanceOf(
      UnknownMethodError,
    )
})
