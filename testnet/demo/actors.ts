// The actors of the demo and of the tests with real processes.

import { Actor } from '../../node/index.ts'

/** Remembers every token it was given, in order: what is lost or applied twice can be counted afterwards. */
export class Ledger extends Actor<{ tokens: string[] }> {
  override state = { tokens: [] as string[] }

  add(token: string): { readonly count: number; readonly by: string } {
    this.state.tokens.push(token)
    return { count: this.state.tokens.length, by: this.context.peer }
  }

  /** Has another one remember it too, by a one-way call. */
  async pass(token: string, to: string): Promise<void> {
    this.add(token)
    await this.context.actor(Ledger, to).send.add(token)
  }

  /** Remembers it after that many milliseconds. */
  later(token: string, ms: number): void {
    this.schedule.after(ms, this.add, token)
  }

  tokens(): string[] {
    return [...this.state.tokens]
  }
}

export class Counter extends Actor<{ count: number }> {
  override state = { count: 0 }

  increment(by = 1): number {
    this.state.count += by
    return this.state.count
  }

  value(): number {
    return this.state.count
  }

  /** Changes the state and throws: nothing of it may remain. */
  fail(message: string): void {
    this.state.count += 1_000_000
    throw new RangeError(message)
  }
}
