import { describe, expectTypeOf, test } from 'vitest'
import type { ActorStatus, CallOptions } from '../api.ts'
import { Actor } from './actor.ts'
import type { ActorRef, DeactivateReason } from './types.ts'

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
  override onActivate(_restored: boolean): void {}
  protected override async onDeactivate(_reason: DeactivateReason): Promise<void> {}
  protected audit(): void {}
  #add(cents: number): number {
    this.state.cents += cents
    return this.state.cents
  }
}

describe('references', () => {
  test('have the public methods, as promises, and nothing else', () => {
    type Ref = ActorRef<Account>
    expectTypeOf<keyof Ref>().toEqualTypeOf<'deposit' | 'history' | 'with' | 'status'>()
    expectTypeOf<Ref['deposit']>().toEqualTypeOf<(cents: number, note?: string) => Promise<number>>()
    expectTypeOf<Ref['history']>().toEqualTypeOf<() => Promise<readonly string[]>>()
    expectTypeOf<ReturnType<Ref['status']>>().toEqualTypeOf<ActorStatus | undefined>()
    expectTypeOf<Ref['with']>().toEqualTypeOf<(options: CallOptions) => ActorRef<Account>>()
  })
})
