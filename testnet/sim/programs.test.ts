// Random programs of calls, in simulated meshes whose hosts, heads and keepers are killed in the middle of them, and on plain
// objects in memory: the same answers, one by one, and the same states in the end (G1, G3, G4).

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { Actor } from '../../node/actors/actor.ts'
import type { ActorOptionsInput, ActorRef } from '../../node/actors/types.ts'
import { ActorError } from '../../node/errors.ts'
import { ActorMesh } from './actor-mesh.ts'

const PEERS = 5
const NAMES = ['a', 'b', 'c'] as const
const KEYS = ['x', 'y'] as const

interface Held {
  values: Map<string, number>
  /** What came one way, in the order it came. */
  inbox: { from: string; n: number }[]
}

class Account extends Actor<Held> {
  static readonly actorName = 'Ledger'
  static readonly options: ActorOptionsInput = { readOnly: ['get'] }
  override state: Held = { values: new Map(), inbox: [] }

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
  /** A read that waits its turn. */
  sum(): number {
    return [...this.state.values.values()].reduce((sum, value) => sum + value, 0)
  }
  addThenThrow(key: string, by: number): never {
    this.add(key, by)
    throw new RangeError(`not ${by}`)
  }
  async move(key: string, by: number, to: string): Promise<readonly number[]> {
    return [this.add(key, -by), await this.#other(to).add(key, by)]
  }
  /** What the other one did stays. */
  async moveThenThrow(key: string, by: number, to: string): Promise<never> {
    this.add(key, -by)
    throw new RangeError(`left at ${await this.#other(to).add(key, by)}`)
  }
  /** Changes this one and, later, the other; nobody waits for that. */
  async post(key: string, by: number, to: string): Promise<number> {
    await this.#other(to).send.receive(this.context.name, by)
    return this.add(key, by)
  }
  async postThenThrow(key: string, by: number, to: string): Promise<never> {
    await this.post(key, by, to)
    throw new RangeError('nothing was sent')
  }
  receive(from: string, n: number): void {
    this.state.inbox.push({ from, n })
  }
  held(): Held {
    return this.state
  }
  #other(name: string): ActorRef<Account> {
    return this.context.actor(Account, name)
  }
}

type Method = Exclude<keyof Model, 'values' | 'sent'>
const METHODS: readonly Method[] = [
  ...(['add', 'add', 'remove', 'get', 'sum', 'addThenThrow'] as const),
  ...(['move', 'moveThenThrow', 'post', 'postThenThrow'] as const),
]

/** The same class without a mesh. */
class Model {
  readonly values = new Map<string, number>()
  /** By target: what must arrive there, in this order. */
  readonly sent = new Map<string, number[]>()

  add(key: string, by: number): number {
    this.values.set(key, (this.values.get(key) ?? 0) + by)
    return this.values.get(key)!
  }
  remove(key: string): boolean {
    return this.values.delete(key)
  }
  get(key: string): number | undefined {
    return this.values.get(key)
  }
  sum(): number {
    return [...this.values.values()].reduce((sum, value) => sum + value, 0)
  }
  addThenThrow(_key: string, by: number): never {
    throw new RangeError(`not ${by}`)
  }
  move(key: string, by: number, other: Model): readonly number[] {
    return [this.add(key, -by), other.add(key, by)]
  }
  moveThenThrow(key: string, by: number, other: Model): never {
    throw new RangeError(`left at ${other.add(key, by)}`)
  }
  post(key: string, by: number, _other: Model, to: string): number {
    this.sent.set(to, [...(this.sent.get(to) ?? []), by])
    return this.add(key, by)
  }
  postThenThrow(): never {
    throw new RangeError('nothing was sent')
  }
}

const VICTIMS = ['host', 'head', 'keeper'] as const

interface Step {
  readonly actor: (typeof NAMES)[number]
  readonly other: (typeof NAMES)[number]
  readonly from: number
  readonly method: Method
  readonly key: string
  readonly by: number
  /** Who dies during the call, when the so-many-th frame is under way. */
  readonly kill: { readonly who: (typeof VICTIMS)[number]; readonly after: number } | undefined
  readonly fork: boolean
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    actor: fc.constantFrom(...NAMES),
    other: fc.constantFrom(...NAMES),
    from: fc.nat(PEERS - 1),
    method: fc.constantFrom(...METHODS),
    key: fc.constantFrom(...KEYS),
    by: fc.integer({ min: -9, max: 9 }),
    kill: fc.option(fc.record({ who: fc.constantFrom(...VICTIMS), after: fc.nat(6) }), {
      nil: undefined,
      freq: 2,
    }),
    fork: fc.boolean(),
  }),
  { minLength: 10, maxLength: 30 },
)

const counts = { steps: 0, kills: 0, copies: 0 }

class Program {
  readonly #at: ActorMesh
  readonly #models = new Map<string, Model>(NAMES.map((name) => [name, new Model()]))
  /** By name: what a copy must hold. */
  readonly #copies = new Map<string, Map<string, number>>()
  #down: PeerId | undefined

  constructor(at: ActorMesh) {
    this.#at = at
  }

  async run(program: readonly Step[]): Promise<void> {
    const [zero] = this.#at.ids as [PeerId]
    for (const name of NAMES) await this.#at.call(zero, name, 'sum')
    for (const step of program) await this.#step(step)
    await this.#healed()
    await this.#check()
  }

  async #step(step: Step): Promise<void> {
    const { actor, method, key, by, kill } = step
    // Calls of an actor to itself have no end; and reads of copies say nothing of how they were made.
    const other = step.other === actor ? NAMES[(NAMES.indexOf(actor) + 1) % NAMES.length]! : step.other
    const from = this.#alive(step.from)
    if (kill !== undefined) await this.#killDuring(actor, kill, from)
    const told = outcomeOf(this.#at.call(from, actor, method, key, by, other))
    const expected = await outcomeOf(
      (async () => this.#models.get(actor)![method](key, by, this.#models.get(other)!, other))(),
    )
    expect({ step, told: await told }).toEqual({ step, told: expected })
    this.#at.onFrame = () => true
    counts.steps++
    if (step.fork && this.#copies.size < 3) await this.#copy(actor, from)
  }

  async #copy(actor: string, from: PeerId): Promise<void> {
    const as = `copy-${this.#copies.size}`
    const ref = this.#at.runtimes.get(from)!.ref('Ledger', actor).with({ timeoutMs: 60_000 })
    await this.#at.mesh.await(ref.fork(as), 120_000)
    this.#copies.set(as, new Map(this.#models.get(actor)!.values))
    counts.copies++
  }

  /** One at a time: who was killed before is back first. Whoever waits for the answer lives. */
  async #killDuring(actor: string, { who, after }: NonNullable<Step['kill']>, caller: PeerId): Promise<void> {
    await this.#healed()
    const victim = this.#victim(actor, who)
    if (victim === undefined || victim === caller) return
    let left = after
    const end = (): void => {
      if (this.#down !== undefined) return
      this.#down = victim
      counts.kills++
      this.#at.mesh.kill(victim)
    }
    this.#at.onFrame = () => {
      if (left-- === 0) this.#at.mesh.clock.set(0, end)
      return true
    }
  }

  #victim(actor: string, who: (typeof VICTIMS)[number]): PeerId | undefined {
    const head = this.#at.live.find(({ driver }) => driver.isHead)?.id
    if (who === 'head' || head === undefined) return head
    if (this.#at.entry(actor)?.home == null) return undefined
    if (who === 'host') return this.#at.home(actor)
    return this.#at
      .journals(actor)
      .at(-1)
      ?.keepers.find(({ peer }) => peer !== this.#at.home(actor))?.peer
  }

  async #healed(): Promise<void> {
    const { mesh } = this.#at
    if (this.#down === undefined) return
    const id = this.#down
    this.#down = undefined
    await mesh.start(id, false)
    await mesh.until(
      'everybody is admitted, and every actor has a home',
      () =>
        this.#at.live.every(({ driver }) => driver.admitted) &&
        this.#at.live.some(({ driver }) => driver.isHead) &&
        NAMES.every((name) => this.#at.live.every(({ id: at }) => this.#at.entry(name, at)?.home != null)),
    )
  }

  #alive(index: number): PeerId {
    const ids = this.#at.live.map(({ id }) => id)
    return ids[index % ids.length]!
  }

  async #check(): Promise<void> {
    const { mesh, runtimes } = this.#at
    const from = this.#alive(0)
    const held = async (name: string): Promise<Held> =>
      (await this.#at.call(from, name, 'held')) as unknown as Held
    for (const name of NAMES) await held(name) // An agenda is carried on once its actor is read.
    await mesh.until('everything is sent', () =>
      this.#at.live.every(({ id }) => runtimes.get(id)!.agenda.sends === 0),
    )
    for (const [name, model] of this.#models) {
      const { values, inbox } = await held(name)
      expect(values).toEqual(model.values)
      for (const [sender, { sent }] of this.#models) {
        const came = inbox.filter(({ from: by }) => by === sender).map(({ n }) => n)
        expect({ sender, came }).toEqual({ sender, came: sent.get(name) ?? [] })
      }
    }
    for (const [name, values] of this.#copies) expect((await held(name)).values).toEqual(values)
  }
}

/** What a caller can tell of a call. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { result: await call }
  } catch (error) {
    if (error instanceof ActorError || error instanceof RangeError)
      return { name: error.name, message: error.message }
    throw error
  }
}

test('G1, G3, G4: random programs of calls with kills of hosts, heads and keepers give the answers and states of plain objects', {
  timeout: 300_000,
}, async () => {
  const numRuns = Number(process.env['PROGRAMS'] ?? 12)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000 }), steps, async (seed, program) => {
      const at = await ActorMesh.of(PEERS, { seed, types: [Account] })
      await new Program(at).run(program)
      at.end()
    }),
    { numRuns, seed: Number(process.env['PROGRAM_SEED'] ?? 1), endOnFailure: numRuns < 100 },
  )
  expect(counts.steps).toBeGreaterThan(numRuns * 10)
  expect(counts.kills).toBeGreaterThan(numRuns)
  expect(counts.copies).toBeGreaterThan(numRuns)
})
