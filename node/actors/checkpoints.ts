// When what one actor answered before it was written is written, and how much of that there may be (docs/adr/0012).
//
//  W1 A checkpoint begins with the `everyCalls`-th call that is not in one, and `everyMs` after the first such call.
//  W2 A call is answered only while, itself among them, at most twice `everyCalls` calls are answered and not durable, and none of
//     these is older than twice `everyMs`: where the keepers do not acknowledge, callers wait. So that is the most that a lost host
//     takes with it, however long it was cut off.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { Clock } from '../ports.ts'
import type { Relaxed } from './checkpoint-policy.ts'

/** What is unsaved at most, in checkpoints: one that is being written, and the one that follows it. */
const MOST_CHECKPOINTS = 2

/** Calls that were, or will be, answered, and are not durable. */
interface Unsaved {
  calls: number
  /** The record of the last of them. */
  last: number
  /** When they are to be written, and when nothing more is answered before they are durable. */
  dueAt: number
  lateAt: number
}

export class Checkpoints {
  readonly #log: ActorLog
  readonly #clock: Clock
  /** In no checkpoint yet. */
  #open: Unsaved | undefined
  #saving: (Unsaved & { readonly done: Promise<void> }) | undefined
  #timer: { readonly at: number; readonly cancel: () => void } | undefined
  #stopped = false

  constructor(log: ActorLog, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** A call is the log's newest record. Resolves when it may be answered; rejects when the actor is over here. */
  async answer(policy: Relaxed): Promise<void> {
    const { sequence } = this.#log
    this.#add(policy, sequence)
    this.#look()
    while (this.#log.durable < sequence && this.#isTooMuch(policy)) {
      if (this.#saving === undefined) throw new Error('nothing is saved here any more')
      await this.#saving.done
    }
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #add({ everyMs, everyCalls }: Relaxed, sequence: number): void {
    const now = this.#clock.now()
    // Another call may have been written before it was answered, and these with it.
    if (this.#open !== undefined && this.#open.last <= this.#log.durable) this.#open = undefined
    this.#open ??= { calls: 0, last: 0, dueAt: Number.POSITIVE_INFINITY, lateAt: Number.POSITIVE_INFINITY }
    const open = this.#open
    open.calls++
    open.last = sequence
    open.dueAt = open.calls >= everyCalls ? now : Math.min(open.dueAt, now + everyMs) // W1
    open.lateAt = Math.min(open.lateAt, now + MOST_CHECKPOINTS * everyMs)
  }

  /** W2 */
  #isTooMuch({ everyMs, everyCalls }: Relaxed): boolean {
    const unsaved = [this.#saving, this.#open].filter((each) => each !== undefined)
    const calls = unsaved.reduce((sum, each) => sum + each.calls, 0)
    const isLate = unsaved.some(({ lateAt }) => this.#clock.now() >= lateAt)
    return calls > MOST_CHECKPOINTS * everyCalls || (isLate && Number.isFinite(everyMs))
  }

  /** Writes what is due; what becomes due while that is on its way is written after it. */
  #look(): void {
    const open = this.#open
    if (open === undefined || this.#saving !== undefined || this.#stopped) return
    if (this.#clock.now() < open.dueAt) return this.#arm(open.dueAt)
    this.#timer?.cancel()
    this.#timer = undefined
    this.#open = undefined
    const done = this.#log.whenDurable(open.last)
    this.#saving = { ...open, done }
    done.then(
      () => {
        this.#saving = undefined
        this.#look()
      },
      () => {}, // the actor is over here
    )
  }

  #arm(at: number): void {
    if (!Number.isFinite(at) || (this.#timer !== undefined && this.#timer.at <= at)) return
    this.#timer?.cancel()
    const timer = this.#clock.setTimer(at - this.#clock.now(), () => {
      this.#timer = undefined
      this.#look()
    })
    this.#timer = { at, cancel: () => timer.cancel() }
  }
}
