// The class that users extend. It has hardly any behaviour of its own: the runtime gives it its context while it constructs one,
// and replaces `state` by an accessor that leads each running call to its own draft.

import { scheduleOf } from './schedule.ts'
import { checkpointOf } from './scope.ts'
import type { ActorContext, DeactivateReason, Schedule } from './types.ts'

let constructing: ActorContext | undefined

/** Runs a constructor that finds its context in `this.context`. Only the runtime calls this. */
export function construct<A>(context: ActorContext, make: () => A): A {
  const outer = constructing
  constructing = context
  try {
    return make()
  } finally {
    constructing = outer
  }
}

/**
 * An actor: an object with a name that outlives the machine it runs on.
 *
 *     class Counter extends Actor<{ count: number }> {
 *       override state = { count: 0 }
 *       increment(by: number) { this.state.count += by; return this.state.count }
 *     }
 *
 * `state` holds plain data (objects, arrays, Map, Set, Date, BigInt, typed arrays). A method that returns has its changes
 * stored before the caller hears of it (where the type's `checkpoint` says nothing else); one that throws has changed nothing. Only `state` is stored, no other field.
 */
// biome-ignore lint/complexity/noBannedTypes: an actor without state has nothing in it
export abstract class Actor<State extends object = {}> {
  /** Inside a method: this call's draft. Dates and typed arrays in it are replaced, not changed in place. */
  declare state: State
  readonly context: ActorContext

  constructor() {
    if (constructing === undefined) {
      throw new TypeError(
        `${new.target.name} is an actor: get one with node.actor(${new.target.name}, 'a name')`,
      )
    }
    this.context = constructing
  }

  /**
   * Runs before the first call whenever an object of the actor is made: at its very first start (`restored` false, no record
   * of it exists yet), at a new host, and after it was passivated. May be async, change `state` (stored before anything is
   * answered), schedule, and call other actors; what it calls happens again when it runs again. A throw, or taking longer
   * than a minute, is a failed start: it is tried again, ever later. Not callable through references.
   */
  protected onActivate?(restored: boolean): void | Promise<void>

  /**
   * Runs when this object is given up in good order, with no call under way; for at most five seconds. What it changes in
   * `state` is part of the last record here. Best effort: never at a crash, a kill, or when the host was cut off.
   */
  protected onDeactivate?(reason: DeactivateReason): void | Promise<void>

  /**
   * Has everything up to here written: resolves when all calls before this one are durable; this one's own change becomes so when its
   * method returns, before it is answered. For use inside methods of a type with another `checkpoint` than `'every-call'`.
   */
  protected checkpoint(): Promise<void> {
    return checkpointOf(this)
  }

  /**
   * Calls of this actor to itself at a time, as durable as its state. For use inside methods: what a call schedules and
   * cancels is part of its change, and dropped when it throws.
   */
  get schedule(): Schedule<this> {
    return scheduleOf(this)
  }
}
