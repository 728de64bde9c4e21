// Random calls from several peers while hosts crash, come back, are cut off, deposed and rolled, and actors move; compared
// with a plain model. A call that was answered has its effect once; one that failed has it once or never.

import { afterEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { Actor } from './actor.ts'
import { FakeMesh } from './test-support/fake-mesh.ts'
import { seeded } from './test-support/seeded.ts'
import { Trouble } from './test-support/trouble.ts'

interface LedgerState {
  readonly entries: Map<string, { count: number }>
  order: string[]
}

/** Remembers each entry and how often it was made. */
class Ledger extends Actor<LedgerState> {
  override state: LedgerState = { entries: new Map(), order: [] }
  async add(id: string, pauses: number): Promise<number> {
    const known = this.state.entries.get(id)
    if (known === undefined) this.state.entries.set(id, { count: 1 })
    else known.count++
    for (let pause = 0; pause < pauses; pause++) await null
    this.state.order.push(id)
    return this.state.order.length
  }
  addThenThrow(id: string): never {
    this.state.order.push(id)
    throw new Error('changed its mind')
  }
  async pass(to: string, id: string): Promise<number> {
    this.state.order.push(`passed ${id}`)
    return await this.context.actor(Ledger, to).add(id, 0)
  }
  read(): { readonly counts: ReadonlyMap<string, { count: number }>; readonly order: readonly string[] } {
    return { counts: this.state.entries, order: this.state.order }
  }
}

const NAMES = ['a', 'b', 'c', 'd', 'e']
const ACTORS = ['one', 'two', 'three']
const CALLERS = ['a', 'b']

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

interface Made {
  readonly id: string
  readonly target: string
  readonly passedBy: string | undefined
  readonly startedAt: number
  outcome: 'open' | 'done' | 'failed'
  endedAt: number
  position: number
}

async function run(seed: number): Promise<void> {
  const random = seeded(seed * 7919)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of NAMES) await mesh.start(name, [Ledger])
  const made: Made[] = []
  const running: Promise<void>[] = []
  const thrown: string[] = []

  const call = (): void => {
    const caller = pick(CALLERS)
    const { runtime } = mesh.node(caller)
    const target = pick(ACTORS)
    const id = `${seed}-${made.length + thrown.length}`
    const kind = random()
    if (kind < 0.1) {
      thrown.push(id)
      running.push(
        runtime
          .ref(Ledger, target)
          .addThenThrow(id)
          .then(
            () => {},
            () => {},
          ),
      )
      return
    }
    const passedBy = kind < 0.3 ? ACTORS[(ACTORS.indexOf(target) + 1) % ACTORS.length] : undefined
    const one: Made = {
      id,
      target,
      passedBy,
      startedAt: mesh.clock.now(),
      outcome: 'open',
      endedAt: Infinity,
      position: 0,
    }
    made.push(one)
    const promise =
      passedBy === undefined
        ? runtime.ref(Ledger, target).add(id, Math.floor(random() * 10))
        : // Calls go round in a circle, so they may wait for each other until their time is up.
          runtime.ref(Ledger, passedBy).with({ timeoutMs: 5000 }).pass(target, id)
    running.push(
      promise.then(
        (position) => {
          one.outcome = 'done'
          one.position = position
          one.endedAt = mesh.clock.now()
        },
        () => {
          one.outcome = 'failed'
        },
      ),
    )
  }

  const actors = ACTORS.map((name) => `Ledger/${name}` as ActorKey)
  const trouble = new Trouble({ mesh, random, peers: NAMES, callers: CALLERS, actors, types: [Ledger] })

  for (let step = 0; step < 120; step++) {
    if (random() < 0.8) call()
    if (random() < 0.12) await trouble.next()
    await mesh.clock.run(random() * 12)
  }
  await trouble.end()
  await mesh.clock.until(Promise.all(running))

  const state = new Map<string, Awaited<ReturnType<Ledger['read']>>>()
  for (const name of ACTORS)
    state.set(name, await mesh.clock.until(mesh.node('a').runtime.ref(Ledger, name).read()))
  for (const { id, target, outcome, position, passedBy } of made) {
    const { counts, order } = state.get(target)!
    const times = counts.get(id)?.count ?? 0
    const context = `seed ${seed}, call ${id}, ${outcome}`
    if (outcome === 'done') {
      expect(times, context).toBe(1)
      expect(order[position - 1], context).toBe(id)
    } else expect(times, context).toBeLessThanOrEqual(1)
    expect(order.filter((each) => each === id).length, context).toBe(times)
    if (passedBy === undefined) continue
    const passes = state.get(passedBy)!.order.filter((each) => each === `passed ${id}`).length
    if (outcome === 'done') expect(passes, context).toBe(1)
    else expect(passes, context).toBeLessThanOrEqual(1)
  }
  // Acknowledged calls of one actor happen in real-time order.
  const ordered = made.filter((one) => one.outcome === 'done').sort((a, b) => a.endedAt - b.endedAt)
  for (const first of ordered) {
    for (const second of ordered) {
      if (second.target === first.target && second.startedAt > first.endedAt)
        expect(second.position).toBeGreaterThan(first.position)
    }
  }
  for (const id of thrown) for (const { order } of state.values()) expect(order).not.toContain(id)
  const done = made.filter((one) => one.outcome === 'done').length
  expect(done, `seed ${seed}`).toBeGreaterThan(made.length / 2)
}

describe('exactly once', () => {
  const seeds = Number(process.env['SEEDS'] ?? 40)
  const first = Number(process.env['SEED'] ?? 1)
  test(`G1, G3, G4: random calls under random trouble, ${seeds} seeds`, async () => {
    for (let seed = first; seed < first + seeds; seed++)
      await run(seed).catch((e: Error) => {
        throw new Error(`seed ${seed}: ${e.message}`, { cause: e })
      })
  })
})
