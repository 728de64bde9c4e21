import { describe, expectTypeOf, test } from 'vitest'
import type { CallOptions } from '../api.ts'
import { Actor } from './actor.ts'
import type { ActorRef } from './types.ts'

class Account extends Actor<{ cents: number }> {
  override state = { cents: 0 }
  label = 'not a method'
  deposit(cents: number, note?: string): number {
    return this.#add(cents) + (note?.length ?? 0)
  }
  async history(): Promise<readonly string[]> {
    return []
  }
  _internal(): void {}
  protected audit(): void {}
  #add(cents: number): number {
    this.state.cents += cents
    return this.state.cents
  }
}

describe('references', () => {
  test('have the public methods, as promises, and nothing else', () => {
    type Ref = ActorRef<Account>
    expectTypeOf<keyof Ref>().toEqualTypeOf<'deposit' | 'history' | 'with' | 'send'>()
    expectTypeOf<Ref['deposit']>().toEqualTypeOf<(cents: number, note?: string) => Promise<number>>()
    expectTypeOf<Ref['history']>().toEqualTypeOf<() => Promise<readonly string[]>>()
    expectTypeOf<Ref['with']>().toEqualTypeOf<(options: CallOptions) => ActorRef<Account>>()
  })

  test('send the same methods one way', () => {
    type Send = ActorRef<Account>['send']
    expectTypeOf<keyof Send>().toEqualTypeOf<'deposit' | 'history'>()
    expectTypeOf<Send['deposit']>().toEqualTypeOf<(cents: number, note?: string) => Promise<void>>()
  })
})

describe('this.schedule', () => {
  test('takes a method by its name, or as it is with its arguments checked', () => {
    class Timed extends Account {
      arm(): void {
        this.schedule.after(1000, 'deposit', 1)
        this.schedule.after(1000, this.deposit, 1)
        this.schedule.every(60_000, this.history)
        // @ts-expect-error: no such method
        this.schedule.after(1000, 'withdraw', 1)
        // @ts-expect-error: cents are a number
        this.schedule.after(1000, this.deposit, 'one')
        // @ts-expect-error: private
        this.schedule.at(new Date(0), 'audit')
      }
    }
    expectTypeOf<keyof ActorRef<Timed>>().toEqualTypeOf<'deposit' | 'history' | 'arm' | 'with' | 'send'>()
  })
})
