// The actors of the built-in workloads. Each answers with the number of the state that it saw or made, so that a history
// needs no search to be judged.

import { Actor } from '../../../node/index.ts'

/** A list that only grows: the strictest witness there is. */
export class ChaosList extends Actor<{ values: string[] }> {
  override state = { values: [] as string[] }

  append(value: string): number {
    this.state.values.push(value)
    return this.state.values.length
  }
  read(): readonly string[] {
    return [...this.state.values]
  }
}

export class ChaosCounter extends Actor<{ count: number }> {
  override state = { count: 0 }

  increment(): number {
    this.state.count += 1
    return this.state.count
  }
  read(): number {
    return this.state.count
  }
}

/** One key of a key-value store; `version` counts the writes. */
export class ChaosRegister extends Actor<{ version: number; value: string }> {
  static readonly options = { readOnly: ['get'] }
  override state = { version: 0, value: '' }

  get(): { readonly version: number; readonly value: string } {
    return { version: this.state.version, value: this.state.value }
  }
  put(value: string): number {
    this.state.value = value
    this.state.version += 1
    return this.state.version
  }
  /** Writes only over the version that the caller has seen. */
  compareAndSet(version: number, value: string): { readonly done: boolean; readonly version: number } {
    if (this.state.version !== version) return { done: false, version: this.state.version }
    return { done: true, version: this.put(value) }
  }
}

/** Every account begins with it. */
export const OPENING_BALANCE = 100

/** One line of an account's book: what came from, or went to, which other account. */
export interface BookEntry {
  /** Of the transfer. */
  readonly id: string
  readonly other: string
  /** Negative: it went. */
  readonly amount: number
}

export interface Balance {
  /** Length of the book. */
  readonly size: number
  readonly balance: number
}

export class ChaosAccount extends Actor<{ balance: number; book: BookEntry[] }> {
  static readonly options = { readOnly: ['look', 'book'] }
  override state = { balance: OPENING_BALANCE, book: [] as BookEntry[] }

  /** What goes and the message about it are one change: the money is on its way once, or not at all. */
  async transfer(id: string, other: string, amount: number): Promise<Balance & { readonly done: boolean }> {
    if (amount > this.state.balance) return { done: false, ...this.look() }
    this.#enter({ id, other, amount: -amount })
    await this.context.actor(ChaosAccount, other).send.deposit(id, this.context.name, amount)
    return { done: true, ...this.look() }
  }
  deposit(id: string, other: string, amount: number): void {
    this.#enter({ id, other, amount })
  }
  look(): Balance {
    return { size: this.state.book.length, balance: this.state.balance }
  }
  book(): Balance & { readonly entries: readonly BookEntry[] } {
    return { ...this.look(), entries: [...this.state.book] }
  }

  #enter(entry: BookEntry): void {
    this.state.balance += entry.amount
    this.state.book.push(entry)
  }
}

export interface Audited extends Balance {
  readonly name: string
}

/** Looks at one account after the other, by calls between actors. */
export class ChaosAuditor extends Actor<{ audits: number }> {
  override state = { audits: 0 }

  async audit(names: readonly string[]): Promise<readonly Audited[]> {
    this.state.audits += 1
    const seen: Audited[] = []
    for (const name of names) seen.push({ name, ...(await this.context.actor(ChaosAccount, name).look()) })
    return seen
  }
}
