// `this.schedule`: alarms and intervals of the actor whose method is running.

import { StateError } from '../errors.ts'
import type { Actor } from './actor.ts'
import { type AgendaView, currentScope } from './scope.ts'
import type { ScheduledCall, ScheduleOptions, Schedule as Typed } from './types.ts'

type Method = string | ((...args: never[]) => unknown)

class Schedule {
  readonly #owner: object
  readonly #options: ScheduleOptions

  constructor(owner: object, options: ScheduleOptions) {
    this.#owner = owner
    this.#options = options
  }

  at(when: Date | number, method: Method, ...args: unknown[]): string {
    return this.#set(typeof when === 'number' ? when : when.getTime(), undefined, method, args)
  }
  after(ms: number, method: Method, ...args: unknown[]): string {
    return this.#set(this.#draft().wall() + ms, undefined, method, args)
  }
  every(ms: number, method: Method, ...args: unknown[]): string {
    return this.#set(this.#draft().wall() + ms, ms, method, args)
  }
  with(options: ScheduleOptions): Schedule {
    return new Schedule(this.#owner, { ...this.#options, ...options })
  }
  cancel(id: string): boolean {
    return this.#draft().cancel(id)
  }
  list(): readonly ScheduledCall[] {
    return this.#draft().list()
  }

  #set(at: number, every: number | undefined, method: Method, args: readonly unknown[]): string {
    const draft = this.#draft()
    const name = typeof method === 'string' ? method : this.#nameOf(method, draft)
    return draft.set(this.#options.id, at, every, name, args)
  }

  #nameOf(method: Method, { info }: AgendaView): string {
    for (const name of info.methods) if (Reflect.get(this.#owner, name) === method) return name
    return typeof method === 'function' ? method.name : method
  }

  #draft(): AgendaView {
    const scope = currentScope()
    if (scope?.owner !== this.#owner)
      throw new StateError(
        "this.schedule was used outside of the actor's calls (in its constructor, a timer or a callback): use it in a method, before the method returns",
      )
    return scope.changing('use this.schedule')
  }
}

export const scheduleOf = <A extends Actor<object>>(owner: A): Typed<A> => new Schedule(owner, {}) as Typed<A>
