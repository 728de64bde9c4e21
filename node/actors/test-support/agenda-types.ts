// Actors that send and that have alarms.

import { Actor } from '../actor.ts'
import type { ActorOptionsInput } from '../types.ts'

/** Remembers what it was sent, in order. */
export class Inbox extends Actor<{ got: string[] }> {
  override state = { got: [] as string[] }
  put(text: string): number {
    this.state.got.push(text)
    return this.state.got.length
  }
  refuse(text: string): never {
    this.state.got.push(text)
    throw new RangeError(`no ${text}`)
  }
  idle(): void {
    runs.idle++
  }
  all(): readonly string[] {
    return this.state.got
  }
}

interface SenderState {
  sent: number
  rung: string[]
}

export class Sender extends Actor<SenderState> {
  static readonly options: ActorOptionsInput = { readOnly: ['look'] }
  override state: SenderState = { sent: 0, rung: [] }

  async send(to: string, ...texts: string[]): Promise<number> {
    for (const text of texts) await this.context.actor(Inbox, to).send.put(text)
    this.state.sent += texts.length
    return this.state.sent
  }
  async sendAndThrow(to: string, text: string): Promise<never> {
    await this.send(to, text)
    throw new Error('changed its mind')
  }
  async idle(to: string): Promise<void> {
    await this.context.actor(Inbox, to).send.idle()
  }
  async refused(to: string, text: string): Promise<void> {
    await this.context.actor(Inbox, to).send.refuse(text)
  }
  async look(to: string): Promise<void> {
    await this.context.actor(Inbox, to).send.put('from a read')
  }
  async flood(to: string, times: number): Promise<void> {
    for (let time = 0; time < times; time++) await this.context.actor(Inbox, to).send.put('x')
  }

  after(ms: number, text: string, id?: string): string {
    return (id === undefined ? this.schedule : this.schedule.with({ id })).after(ms, this.ring, text)
  }
  every(ms: number, text: string): string {
    return this.schedule.with({ id: text }).every(ms, 'ring', text)
  }
  afterAndThrow(ms: number): never {
    this.schedule.after(ms, this.ring, 'never')
    throw new Error('changed its mind')
  }
  tell(ms: number, to: string, text: string): void {
    this.schedule.after(ms, this.ringAndTell, to, text)
  }
  fail(ms: number, times: number): void {
    this.schedule.with({ id: 'failing' }).after(ms, this.throwing, times)
  }
  /** Goes on for a while, so that what comes meanwhile waits for its turn. */
  async slowly(times: number): Promise<void> {
    for (let time = 0; time < times; time++) await this.context.actor(Inbox, 'slow').all()
  }
  cancel(id: string): boolean {
    return this.schedule.cancel(id)
  }
  alarms(): readonly string[] {
    return this.schedule.list().map(({ id, method, args }) => `${id} ${method} ${args.join()}`)
  }
  rung(): readonly string[] {
    return this.state.rung
  }

  ring(text: string): void {
    this.state.rung.push(text)
  }
  async ringAndTell(to: string, text: string): Promise<void> {
    await this.context.actor(Inbox, to).put(text)
    this.state.rung.push(text)
  }
  throwing(times: number): void {
    const { failures } = attempts
    this.state.rung.push('not kept')
    if (failures.count++ < times) throw new Error(`attempt ${failures.count}`)
  }
}

/** Outside of any state: how often a method ran. */
export const attempts = { failures: { count: 0 } }
export const runs = { idle: 0 }
