// Random programs of calls, run against the mesh while hosts are lost and actors move, and against plain objects in
// memory: the same answers. Each client works on actors of its own, one step after the other, so every answer is known.

import { afterEach, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { type ActorError, ActorUnavailableError, CallCancelledError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh } from './test-support/fake-mesh.ts'
import { seeded } from './test-support/seeded.ts'
import { Trouble } from './test-support/trouble.ts'
import type { ActorOptionsInput, ActorRef } from './types.ts'
import { waitOn } from './wait.ts'

type Entry = readonly [key: string, value: number]

class Account extends Actor<{ values: Map<string, number>; friend: ActorRef<Account> | null }> {
  static readonly options: ActorOptionsInput = { readOnly: ['get'] }
  override state = { values: new Map<string, number>(), friend: null as ActorRef<Account> | null }
  add(key: string, by: number): number {
    const value = (this.state.values.get(key) ?? 0) + by
    this.state.values.set(key, value)
    return value
  }
  remove(key: string): boolean {
    return this.state.values.delete(key)
  }
  get(key: string): number | undefined {
    return this.state.values.get(key)
  }
  addThenThrow(key: string, by: number): never {
    this.add(key, by)
    throw new RangeError(`not ${by}`)
  }
  befriend(friend: ActorRef<Account>): void {
    this.state.friend = friend
  }
  /** By the reference in its state. */
  async move(key: string, by: number): Promise<readonly [own: number, theirs: number]> {
    const own = this.add(key, -by)
    return [own, (await this.state.friend?.add(key, by)) ?? 0]
  }
  async *entries(): AsyncGenerator<Entry> {
    yield* this.state.values
  }
}

const PEERS = ['a', 'b', 'c', 'd', 'e']
const CLIENTS = ['a', 'b']
const KEYS = ['x', 'y', 'z']

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})

/** One client's two accounts, in the mesh and in memory. */
class Program {
  readonly #mesh: FakeMesh
  readonly #random: () => number
  readonly #client: string
  readonly #models: readonly Map<string, number>[] = [new Map(), new Map()]
  readonly counts = { steps: 0, lost: 0, cancelled: 0 }

  constructor(mesh: FakeMesh, random: () => number, client: string) {
    this.#mesh = mesh
    this.#random = random
    this.#client = client
  }

  async run(steps: number): Promise<void> {
    await this.#account(0).befriend(this.#account(1))
    await this.#account(1).befriend(this.#account(0))
    for (let step = 0; step < steps; step++) {
      await this.#step(this.#int(2), KEYS[this.#int(KEYS.length)]!, this.#int(10) + 1)
      this.counts.steps++
    }
    for (const which of [0, 1]) await this.#list(which)
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below)
  }
  #account(which: number): ActorRef<Account> {
    const { runtime } = this.#mesh.node(this.#client)
    return runtime.ref(Account, `${this.#client}-${which}`).with({ timeoutMs: 60_000 })
  }
  #add(which: number, key: string, by: number): number {
    const value = (this.#models[which]!.get(key) ?? 0) + by
    this.#models[which]!.set(key, value)
    return value
  }

  async #step(which: number, key: string, by: number): Promise<void> {
    const account = this.#account(which)
    const model = this.#models[which]!
    const kind = this.#int(10)
    if (kind < 3) expect(await account.add(key, by)).toBe(this.#add(which, key, by))
    else if (kind === 3) expect(await account.get(key)).toBe(model.get(key))
    else if (kind === 4) expect(await account.remove(key)).toBe(model.delete(key))
    else if (kind === 5) {
      const error = (await account.addThenThrow(key, by).catch((caught: unknown) => caught)) as ActorError
      expect([error.name, error.message]).toEqual(['RangeError', `not ${by}`])
    } else if (kind === 6)
      expect(await account.move(key, by)).toEqual([this.#add(which, key, -by), this.#add(1 - which, key, by)])
    else if (kind === 7) await this.#list(which)
    else if (kind === 8) await this.#many(which, key, by)
    else await this.#cancel(which, key, by)
  }

  /** What had come before a loss is a beginning of it: nobody else changes this account. */
  async #list(which: number): Promise<void> {
    const expected = [...this.#models[which]!]
    for (;;) {
      const items: Entry[] = []
      try {
        for await (const entry of this.#account(which).entries()) items.push(entry)
        expect(items).toEqual(expected)
        return
      } catch (error) {
        if (!(error instanceof ActorUnavailableError)) throw error
        this.counts.lost++
        expect(error.items).toBe(items.length)
        expect(items).toEqual(expected.slice(0, items.length))
      }
    }
  }

  async #many(which: number, key: string, by: number): Promise<void> {
    const account = this.#account(which)
    let pending = Array.from({ length: by }, () => account.add(key, 1))
    const answers: number[] = []
    while (pending.length > 0) {
      const done = await waitOn(this.#mesh.clock, pending, {})
      answers.push(...(await Promise.all(done.ready)))
      pending = done.pending
    }
    const expected = Array.from({ length: by }, () => this.#add(which, key, 1))
    expect(answers.sort((a, b) => a - b)).toEqual(expected)
  }

  /** It took effect or did not; from the first look on it is the one or the other. */
  async #cancel(which: number, key: string, by: number): Promise<void> {
    const giveUp = new AbortController()
    const call = this.#account(which).with({ signal: giveUp.signal }).add(key, by)
    this.#mesh.later(this.#random() * 15, () => giveUp.abort())
    const before = this.#models[which]!.get(key)
    const answer: unknown = await call.catch((error: unknown) => error)
    if (answer instanceof CallCancelledError) {
      this.counts.cancelled++
      const now = await this.#account(which).add(key, 0)
      expect([before ?? 0, ...(answer.executed === 'no' ? [] : [(before ?? 0) + by])]).toContain(now)
      this.#models[which]!.set(key, now)
    } else expect(answer).toBe(this.#add(which, key, by))
  }
}

async function run(seed: number): Promise<Program[]> {
  const random = seeded(seed * 104_729)
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of PEERS) await mesh.start(name, [Account])
  const programs = CLIENTS.map((client) => new Program(mesh, random, client))
  const actors = CLIENTS.flatMap((client) => [0, 1].map((which) => `Account/${client}-${which}` as ActorKey))
  const trouble = new Trouble({ mesh, random, peers: PEERS, callers: CLIENTS, actors, types: [Account] })
  const running = Promise.all(programs.map((program) => program.run(40)))
  let over = false
  const end = (): void => {
    over = true
  }
  running.then(end, end)
  while (!over) {
    await mesh.clock.run(random() * 60)
    if (random() < 0.5) await trouble.next()
    if (random() < 0.1) await trouble.end()
  }
  await running
  return programs
}

test('G1, G3, G4: random programs of calls with kills give the answers of plain objects', async () => {
  const seeds = Number(process.env['SEEDS'] ?? 10)
  const first = Number(process.env['SEED'] ?? 1)
  const total = { steps: 0, lost: 0, cancelled: 0 }
  for (let seed = first; seed < first + seeds; seed++) {
    const programs = await run(seed).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error })
    })
    for (const { counts } of programs) {
      total.steps += counts.steps
      total.lost += counts.lost
      total.cancelled += counts.cancelled
    }
  }
  expect(total.steps).toBe(seeds * CLIENTS.length * 40)
  expect(total.cancelled).toBeGreaterThan(0)
})
