// Actors that the tests call.

import { Actor } from '../actor.ts'
import type { ActorOptionsInput } from '../types.ts'

export class Counter extends Actor<{ count: number; log: string[] }> {
  static readonly options: ActorOptionsInput = { readOnly: ['peek', 'bad'] }
  override state = { count: 0, log: [] as string[] }
  constructor(start = 0) {
    super()
    this.state.count = start
  }
  increment(by = 1): number {
    this.state.count += by
    return this.state.count
  }
  note(text: string): readonly string[] {
    this.state.log.push(text)
    return this.state.log
  }
  async slowly(by: number, turns: number): Promise<number> {
    for (let turn = 0; turn < turns; turn++) await null
    this.state.count += by
    return this.state.count
  }
  get(): number {
    return this.state.count
  }
  peek(): number {
    return this.state.count
  }
  bad(): void {
    this.state.count++
  }
  failAfter(by: number): void {
    this.state.count += by
    throw Object.assign(new RangeError(`no ${by}`), { code: 'NOPE', limit: { most: 3 } })
  }
  replace(count: number): void {
    this.state = { ...this.state, count }
  }
  where(): { peer: string; restored: boolean; restarts: number; epoch: number } {
    const { peer, restored, restarts, epoch } = this.context
    return { peer, restored, restarts, epoch }
  }
  _private(): void {}
}

export class Store extends Actor<Record<string, unknown>> {
  override state: Record<string, unknown> = {}
  put(key: string, value: unknown): void {
    this.state[key] = value
  }
  get(key: string): unknown {
    return this.state[key]
  }
  putFunction(): void {
    this.state['items'] = [{}, { socket: () => {} }]
  }
  returnFunction(): unknown {
    return { a: [() => {}] }
  }
  scribble(key: string): void {
    const value = this.state[key]
    if (value instanceof Uint8Array) value[0] = 99
    if (value instanceof Date) value.setTime(0)
  }
}

/** Calls another actor from inside a method. */
export class Relay extends Actor<{ sum: number; calls: number }> {
  override state = { sum: 0, calls: 0 }
  async forward(name: string, by: number): Promise<number> {
    this.state.calls++
    this.state.sum = await this.context.actor(Counter, name).increment(by)
    return this.state.sum
  }
  async twice(name: string, by: number): Promise<number> {
    const counter = this.context.actor(Counter, name)
    await counter.increment(by)
    return await counter.increment(by)
  }
  async forwardThenFail(name: string, by: number): Promise<never> {
    await this.context.actor(Counter, name).increment(by)
    throw new Error('after the nested call')
  }
  async loop(name: string): Promise<number> {
    return await this.context.actor(Relay, name).back(this.context.name)
  }
  async back(name: string): Promise<number> {
    return await this.context.actor(Relay, name).total()
  }
  total(): number {
    return this.state.sum
  }
}
