// Actors that remember everything that was done to them, so that every answer says what the actor had seen by then.
// history.ts holds what their callers were told against each other.

import { Actor } from '../../node/actors/actor.ts'
import type { ActorOptionsInput, CheckpointPolicy } from '../../node/actors/types.ts'

/** `life` tells incarnations apart: the epoch in which the first state was made. */
export interface LedgerState {
  life: number
  tokens: string[]
}
export interface Seen {
  readonly life: number
  readonly size: number
}
export interface Listed extends Seen {
  readonly tokens: readonly string[]
}
/** Another ledger's place, when the method called one. */
export interface Relayed extends Seen {
  readonly other: Seen
}

export class Ledger extends Actor<LedgerState> {
  static readonly options: ActorOptionsInput = { readOnly: ['all', 'watch'] }
  override state: LedgerState = { life: 0, tokens: [] }
  constructor() {
    super()
    this.state.life = this.context.epoch
  }

  add(token: string): Seen {
    this.state.tokens.push(token)
    return this.#seen()
  }
  /** As durable as any call, where `add` alone may be lost. */
  async addAndSave(token: string): Promise<Seen> {
    this.state.tokens.push(token)
    await this.checkpoint()
    return this.#seen()
  }
  all(): Listed {
    return { ...this.#seen(), tokens: [...this.state.tokens] }
  }
  /** A read that waits its turn, because it is not declared read-only. */
  size(): Seen {
    return this.#seen()
  }
  addThenThrow(token: string): never {
    this.state.tokens.push(token)
    throw Object.assign(new Error('boom'), { life: this.state.life, size: this.state.tokens.length - 1 })
  }
  /** Changes nothing where the other token is not there yet, and says so. */
  addAfter(token: string, other: string): boolean {
    const may = this.state.tokens.includes(other)
    if (may) this.state.tokens.push(token)
    return may
  }
  /** Writes here, has another one write, writes here again: both happen once, whatever fails in between. */
  async relay(token: string, type: string, name: string): Promise<Relayed> {
    this.state.tokens.push(`${token}.a`)
    const other = (await this.context.actor(type, name).add!(`${token}.other`)) as Seen
    this.state.tokens.push(`${token}.b`)
    return { ...this.#seen(), other }
  }
  /** Tells another one what this one's base is: what it says must never be lost (G5). */
  async mirror(token: string, type: string, name: string): Promise<Seen> {
    const { life, tokens } = this.state
    const base = JSON.stringify([this.context.key, life, tokens.length, brief(tokens.at(-1) ?? '')])
    return (await this.context.actor(type, name).add!(`${token} saw ${base}`)) as Seen
  }
  /** The same out of a method that is declared read-only, and so runs beside writes. */
  async watch(token: string, type: string, name: string): Promise<Seen> {
    return this.mirror(token, type, name)
  }
  /** Writes and goes on for a while, so that whatever happens next happens during the call. */
  async slowly(token: string, type: string, name: string, times: number): Promise<Seen> {
    this.state.tokens.push(token)
    for (let time = 0; time < times; time++) await this.context.actor(type, name).size!()
    return this.#seen()
  }

  /** Writes here, and has another one write by a one-way call. */
  async post(token: string, type: string, name: string): Promise<Seen> {
    this.state.tokens.push(token)
    await this.context.actor(type, name).send.add!(`${token}.sent`)
    return this.#seen()
  }
  async postAndThrow(token: string, type: string, name: string): Promise<never> {
    await this.context.actor(type, name).send.add!(`${token}.sent`)
    return this.addThenThrow(token)
  }
  /** Writes here, and once more after a while. */
  arm(token: string, ms: number): Seen {
    this.state.tokens.push(token)
    this.schedule.after(ms, this.add, `${token}.rung`)
    return this.#seen()
  }
  /** Has an alarm that makes both ledgers write. */
  armRelay(token: string, ms: number, type: string, name: string): Seen {
    this.state.tokens.push(token)
    this.schedule.after(ms, this.relay, token, type, name)
    return this.#seen()
  }
  every(id: string, ms: number): void {
    this.schedule.with({ id }).every(ms, this.add, id)
  }
  cancel(id: string): boolean {
    return this.schedule.cancel(id)
  }

  /** This one calls `name`, which calls `back`. */
  async through(token: string, type: string, name: string, back: string): Promise<Relayed> {
    this.state.tokens.push(token)
    return (await this.context.actor(type, name).relay!(token, type, back)) as Relayed
  }

  #seen(): Seen {
    return { life: this.state.life, size: this.state.tokens.length }
  }
}

/** The same for power failures. */
export class SyncedLedger extends Ledger {
  static override readonly options: ActorOptionsInput = { ...Ledger.options, durability: 'synced' }
}

/** One on every peer. */
export class DaemonLedger extends Ledger {
  static override readonly options: ActorOptionsInput = { ...Ledger.options, daemon: true }
}

/** The same with their state in a field of their own, which happens to have the same name. */
export class OwnLedger extends Ledger {
  getState(): LedgerState {
    return this.state
  }
  loadState(state: LedgerState): void {
    this.state = state
  }
}
export class OwnSyncedLedger extends SyncedLedger {
  getState(): LedgerState {
    return this.state
  }
  loadState(state: LedgerState): void {
    this.state = state
  }
}

/** When ledgers are written that answer first. */
export const LOOSELY: CheckpointPolicy = { everyMs: 300, everyCalls: 4 }

/** A token without what it says. */
export const brief = (token: string): string => token.split(' saw ')[0]!
