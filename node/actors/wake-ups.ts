// When each actor of this boot has to be awake: one number per actor, kept here so that it needs no object to be woken.
// It follows the wall clock, which may be set at any time: it is looked at again at least every {@link LOOK_MS}.

import type { ActorKey } from '../../mesh/ids.ts'
import type { Clock } from '../ports.ts'

/** A clock that was set, or a machine that slept, makes alarms late by this at most. */
const LOOK_MS = 30_000

export class WakeUps {
  readonly #clock: Clock
  readonly #wake: (actor: ActorKey) => void
  readonly #due = new Map<ActorKey, number>()
  #timer: { cancel(): void } | undefined
  /** What the timer is set for. */
  #next = Number.POSITIVE_INFINITY

  constructor(clock: Clock, wake: (actor: ActorKey) => void) {
    this.#clock = clock
    this.#wake = wake
  }

  /** Wall-clock milliseconds; undefined when there is nothing to wake the actor for. */
  dueAt(actor: ActorKey): number | undefined {
    return this.#due.get(actor)
  }

  set(actor: ActorKey, at: number | undefined): void {
    if (at === undefined) {
      this.#due.delete(actor)
      return
    }
    this.#due.set(actor, at)
    if (at < this.#next) this.#arm(at)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#next = Number.NEGATIVE_INFINITY
    this.#due.clear()
  }

  #arm(at: number): void {
    this.#timer?.cancel()
    const delay = Math.min(LOOK_MS, Math.max(0, at - this.#clock.wall()))
    this.#next = at
    this.#timer = this.#clock.setTimer(delay, () => this.#look())
  }

  #look(): void {
    const now = this.#clock.wall()
    const due: ActorKey[] = []
    let next = Number.POSITIVE_INFINITY
    for (const [actor, at] of this.#due) {
      if (at <= now) due.push(actor)
      else next = Math.min(next, at)
    }
    this.#next = next
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next)
    for (const actor of due) {
      this.#due.delete(actor) // it says when it is due next
      this.#wake(actor)
    }
  }
}
