// Actors in workers: of the tests with real threads, and of those that hold both kinds of seat to one behaviour.

import { setTimeout as sleep } from 'node:timers/promises'
import { Actor, wait } from '../../index.ts'
import type { ActorOptionsInput, ActorRef, OwnState } from '../types.ts'

const isolation = { worker: import.meta.url, unresponsiveMs: 500, memoryMb: 64 }

interface Kept {
  count: number
  bytes: Uint8Array
  at: Date
  friend: ActorRef<Plain> | undefined
  starts: number
}

/** Of the peer's own thread. */
export class Plain extends Actor<{ count: number }> {
  override state = { count: 0 }
  add(by: number): number {
    this.state.count += by
    return this.state.count
  }
  async *numbers(count: number): AsyncGenerator<number> {
    for (let n = 0; n < count; n++) yield n
  }
  async slowly(ms: number): Promise<string> {
    const { signal } = this.context
    await sleep(ms, undefined, { signal }).catch(() => {})
    return signal.aborted ? 'cancelled' : 'done'
  }
}

export class Isolated extends Actor<Kept> {
  static readonly options: ActorOptionsInput = {
    isolation,
    readOnly: ['get', 'sneak', 'thread', 'spin', 'hold'],
  }
  override state: Kept = { count: 0, bytes: new Uint8Array(4), at: new Date(0), friend: undefined, starts: 0 }
  constructor(start = 0) {
    super()
    this.state.count = start
  }
  protected override onActivate(): void {
    this.state.starts++
  }
  protected override async onDeactivate(): Promise<void> {
    await this.context.actor(Plain, 'ends').add(1)
  }
  add(by = 1): number {
    this.state.count += by
    return this.state.count
  }
  get(): number {
    return this.state.count
  }
  starts(): number {
    return this.state.starts
  }
  addAndFail(by: number): void {
    this.state.count += by
    throw Object.assign(new RangeError(`no ${by}`), { code: 'NOPE', limit: { most: 3 } })
  }
  sneak(): void {
    this.state.count++
  }
  scribble(): void {
    this.state.bytes[0] = 1
  }
  putFunction(): void {
    Object.assign(this.state, { friend: () => {} })
  }
  where(): { key: string; restored: boolean; epoch: number } {
    const { key, restored, epoch } = this.context
    return { key, restored, epoch }
  }
  async thread(): Promise<boolean> {
    const { isMainThread } = await import('node:worker_threads')
    return isMainThread
  }

  async forward(name: string, by: number): Promise<number> {
    this.state.count = await this.context.actor(Plain, name).add(by)
    return this.state.count
  }
  async keep(friend: ActorRef<Plain>): Promise<ActorRef<Plain>> {
    this.state.friend = friend
    await friend.add(1)
    return friend
  }
  async callFriend(): Promise<number> {
    return this.state.friend!.add(1)
  }
  async loop(): Promise<void> {
    await this.context.actor(this.context.type, this.context.name).add!(1)
  }
  async sum(name: string, count: number): Promise<number> {
    let sum = 0
    for await (const n of this.context.actor(Plain, name).numbers(count)) {
      if (n === 1000) break
      sum += n
    }
    return sum
  }
  async first(name: string): Promise<string> {
    const one = this.context.actor(Plain, `${name}-1`).slowly(0)
    const other = this.context.actor(Plain, `${name}-2`).slowly(2000)
    const { ready } = await wait([one, other], { count: 1 })
    return ready.length === 1 ? await ready[0]! : 'several'
  }
  async giveUp(name: string): Promise<string> {
    const controller = new AbortController()
    const call = this.context.actor(Plain, name).with({ signal: controller.signal }).slowly(5000)
    controller.abort(new Error('enough'))
    return call.catch((error: { code: string; cause: Error }) => `${error.code}: ${error.cause.message}`)
  }
  async hold(): Promise<string> {
    const { signal } = this.context
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return 'held'
  }
  async sendTo(name: string, by: number, thenFail = false): Promise<void> {
    await this.context.actor(Plain, name).send.add(by)
    if (thenFail) throw new Error('after the send')
  }
  plan(ms: number): readonly string[] {
    this.schedule.with({ id: 'soon' }).after(ms, this.add, 10)
    this.schedule.after(60_000, 'add', 1)
    this.schedule.cancel('#none')
    return this.schedule.list().map(({ method, args }) => `${method} ${args.join()}`)
  }
  badPlan(): void {
    this.schedule.every(1, this.add)
  }
  async *items(count: number, failAt = -1): AsyncGenerator<number> {
    for (let n = 0; n < count; n++) {
      if (n === failAt) throw new RangeError(`no ${n}`)
      yield this.state.count + n
    }
  }
  async *changing(): AsyncGenerator<number> {
    this.state.count++
    yield 1
  }

  /** A receipt, a key-value store, a past: each of them reached from inside. */
  async reach(name: string): Promise<readonly unknown[]> {
    const { kv } = this.context
    const { value, receipt } = await this.context.actor(Plain, name).with({ receipt: true }).add(7)
    await this.checkpoint()
    await kv.put(name, { value })
    const swapped = await kv.compareAndSet(name, 99, 'late')
    const { records } = await this.context.actor(Plain, name).history()
    return [value, receipt.durability, swapped, await kv.keys(name), records.at(0)?.record === receipt.record]
  }
  async restoreTo(name: string, record: number): Promise<number> {
    await this.context.actor(Plain, name).restore({ record })
    return this.context.actor(Plain, name).add(0)
  }
  async forkIt(name: string): Promise<void> {
    await this.context.actor(Plain, name).fork('never')
  }

  spin(): void {
    for (;;);
  }
  async crash(how: 'exit' | 'throw' | 'reject' | 'memory'): Promise<void> {
    this.state.count += 1000
    await this.context.actor(Plain, 'crashes').add(1)
    if (how === 'exit') process.exit(3)
    if (how === 'throw') setTimeout(() => fail('outside'), 0)
    if (how === 'reject') void Promise.reject(new Error('nobody waits for me'))
    const hoard: unknown[] = []
    while (how === 'memory') {
      for (let n = 0; n < 20; n++) hoard.push(new Array(10_000).fill({ a: 1 }))
      await sleep(0) // it takes its memory, and does not hang
    }
    await sleep(60_000)
  }
  /** The first run of it kills the thread after its nested call; the next one gets that call's first result. */
  async crashOnce(name: string): Promise<number> {
    const count = await this.context.actor(Plain, name).add(1)
    const marker = await this.context.actor(Plain, `${name}-runs`).with({ timeoutMs: 20_000 }).add(1)
    this.state.count += 1
    if (this.state.starts < 2) process.exit(0)
    return count * 100 + marker
  }
  crashLater(): void {
    setTimeout(() => fail('later'), 20)
  }
}

function fail(text: string): never {
  throw new TypeError(text)
}

/** The very same in the peer's own thread. */
export class Here extends Isolated {
  static override readonly options: ActorOptionsInput = { readOnly: Isolated.options.readOnly! }
}

/** Ends whenever it is started. */
export class Doomed extends Actor<{ n: number }> {
  static readonly options: ActorOptionsInput = { isolation, maxRestarts: 2 }
  override state = { n: 0 }
  protected override onActivate(): void {
    process.exit(7)
  }
  get(): number {
    return this.state.n
  }
}

/** Its class in the module is another one: what is registered is what a worker finds by name. */
export class Hollow extends Actor {
  static readonly options: ActorOptionsInput = {
    isolation: { worker: new URL('./types.ts', import.meta.url) },
  }
  get(): number {
    return 1
  }
}

interface Saved {
  readonly total: number
  readonly seen: Map<string, number>
}

/** With fields of its own. */
export class Fields extends Actor implements OwnState<Saved> {
  static readonly options: ActorOptionsInput = { isolation, readOnly: ['look'] }
  #total = 0
  #seen = new Map<string, number>()
  #starts: boolean[] = []

  protected override onActivate(restored: boolean): void {
    this.#starts.push(restored && this.context.restored)
  }
  getState(): Saved {
    return { total: this.#total, seen: this.#seen }
  }
  loadState({ total, seen }: Saved): void {
    if (total === 13) throw new RangeError('not with thirteen')
    this.#total = total
    this.#seen = seen
  }
  add(name: string, by: number): number {
    this.#total += by
    this.#seen.set(name, (this.#seen.get(name) ?? 0) + by)
    return this.#total
  }
  addAndFail(name: string, by: number): void {
    this.add(name, by)
    throw new RangeError('after that')
  }
  look(): { total: number; seen: readonly (readonly [string, number])[]; starts: readonly boolean[] } {
    return { total: this.#total, seen: [...this.#seen], starts: this.#starts }
  }
  exit(): void {
    process.exit(1)
  }
}

/** The very same in the peer's own thread, but that it can not end alone. */
export class FieldsHere extends Fields {
  static override readonly options: ActorOptionsInput = { readOnly: ['look'] }
}
