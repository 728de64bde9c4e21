import { describe, expectTypeOf, test } from 'vitest'
import type { ActorStatus, MeshNode, Receipted } from '../api.ts'
import { Actor } from './actor.ts'
import type { ActorRef, DeactivateReason, ReceiptRef } from './types.ts'

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
    expectTypeOf<keyof Ref>().toEqualTypeOf<'deposit' | 'history' | 'with' | 'status' | 'send'>()
    expectTypeOf<Ref['deposit']>().toEqualTypeOf<(cents: number, note?: string) => Promise<number>>()
    expectTypeOf<Ref['history']>().toEqualTypeOf<() => Promise<readonly string[]>>()
    expectTypeOf<ReturnType<Ref['status']>>().toEqualTypeOf<ActorStatus | undefined>()
    const options = (account: Ref) => ({
      later: account.with({ timeoutMs: 5, durability: 'synced' }),
      proven: account.with({ receipt: true }),
      still: account.with({ receipt: true }).with({ timeoutMs: 5 }),
      plain: account.with({ receipt: true }).with({ receipt: false }),
    })
    type Options = ReturnType<typeof options>
    expectTypeOf<Options['later']>().toEqualTypeOf<ActorRef<Account>>()
    expectTypeOf<Options['proven']>().toEqualTypeOf<ReceiptRef<Account>>()
    expectTypeOf<Options['still']>().toEqualTypeOf<ReceiptRef<Account>>()
    expectTypeOf<Options['plain']>().toEqualTypeOf<ActorRef<Account>>()
    expectTypeOf<ReturnType<Options['proven']['deposit']>>().toEqualTypeOf<Promise<Receipted<number>>>()
  })

  test('wrong arguments, methods that there are not, and private ones are compile errors', () => {
    const errors = (account: ActorRef<Account>, node: MeshNode): unknown[] => [
      // @ts-expect-error a text is no amount
      account.deposit('ten'),
      // @ts-expect-error an argument is missing
      account.deposit(),
      // @ts-expect-error there is one argument too many
      account.deposit(1, 'note', 2),
      // @ts-expect-error there is no such method
      account.withdraw(1),
      // @ts-expect-error an underscore makes it private
      account._internal(),
      // @ts-expect-error protected methods are the actor's own
      account.audit(),
      // @ts-expect-error a field is no method
      account.label,
      // @ts-expect-error the state is the actor's own
      account.state,
      // @ts-expect-error so is its context
      account.context,
      // @ts-expect-error a result is a promise
      account.deposit(1) + 1,
      // @ts-expect-error a method that returns is not iterated over
      (async () => [...(await Array.fromAsync(account.deposit(1)))])(),
      // @ts-expect-error no such option
      account.with({ patience: 5 }),
      // @ts-expect-error a signal, not its controller
      account.with({ signal: new AbortController() }),
      // @ts-expect-error no actor's class
      node.actor(Date, 'x'),
    ]
    const write = (account: ActorRef<Account>): void => {
      // @ts-expect-error a reference can't be written to
      account.deposit = () => Promise.resolve(1)
    }
    expectTypeOf(errors).toBeFunction()
    expectTypeOf(write).toBeFunction()
  })

  test('generators give their items, and results that say nothing stay results', () => {
    class Log extends Actor<{ lines: string[] }> {
      async *lines(from?: number): AsyncGenerator<string, number, undefined> {
        yield* this.state.lines.slice(from)
        return 0
      }
      async *numbered(): AsyncIterable<readonly [number, string]> {
        yield* this.state.lines.entries()
      }
      never(): never {
        throw new Error('never')
      }
      // biome-ignore lint/suspicious/noExplicitAny: what happens to one is tested
      any(): any {}
      either(): Promise<number> | string {
        return ''
      }
    }
    type Ref = ActorRef<Log>
    expectTypeOf<Ref['lines']>().toEqualTypeOf<(from?: number) => AsyncIterable<string>>()
    expectTypeOf<Ref['numbered']>().toEqualTypeOf<() => AsyncIterable<readonly [number, string]>>()
    expectTypeOf<Ref['never']>().toEqualTypeOf<() => Promise<never>>()
    expectTypeOf<ReturnType<Ref['any']>>().resolves.toBeAny()
    expectTypeOf<Ref['either']>().toEqualTypeOf<() => Promise<string | number>>()
    const errors = (log: Ref): unknown[] => [
      // @ts-expect-error items are iterated over, not awaited
      log.lines().then(),
      // @ts-expect-error a line number, not a line
      log.lines('first'),
    ]
    expectTypeOf(errors).toBeFunction()
  })

  test('references are types of arguments, results and states, also in circles', () => {
    class Person extends Actor<{
      account: ActorRef<Account> | null
      friends: Map<string, ActorRef<Person>>
    }> {
      befriend(name: string, friend: ActorRef<Person>): ActorRef<Person> {
        this.state.friends.set(name, friend)
        return friend
      }
      async balance(): Promise<number | undefined> {
        return this.state.account?.deposit(0)
      }
    }
    type Ref = ActorRef<Person>
    expectTypeOf<Ref['befriend']>().toEqualTypeOf<(name: string, friend: Ref) => Promise<Ref>>()
    expectTypeOf<Ref['balance']>().toEqualTypeOf<() => Promise<number | undefined>>()
    const errors = (person: Ref, account: ActorRef<Account>): unknown[] => [
      // @ts-expect-error an account is no person
      person.befriend('x', account),
    ]
    expectTypeOf(errors).toBeFunction()
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
    expectTypeOf<keyof ActorRef<Timed>>().toEqualTypeOf<
      'deposit' | 'history' | 'arm' | 'with' | 'status' | 'send'
    >()
  })
})
