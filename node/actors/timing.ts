// Waiting, on the clock the runtime was given.

import type { Clock } from '../ports.ts'

/** A longer time cannot be set on a timer. */
export const MAX_TIMEOUT_MS = 2 ** 31 - 1

export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(ms, resolve)
  })

/** Resolves as `work` does, or with `late` when that takes longer; its rejection after that is nobody's concern. */
export async function within<T, L>(clock: Clock, work: Promise<T>, ms: number, late: L): Promise<T | L> {
  const { promise, resolve } = Promise.withResolvers<L>()
  const timer = clock.setTimer(ms, () => resolve(late))
  work.catch(() => {})
  try {
    return await Promise.race([work, promise])
  } finally {
    timer.cancel()
  }
}

/** Something that may have changed. Whoever waits is woken by the next {@link Signal.raise}, or when `ms` are over. */
export class Signal {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  raise(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#clock.setTimer(Math.max(0, ms), wake)
      this.#waiting.add(wake)
    })
  }
}

/** Runs `work` soon after it was last asked to, once for all who asked in between. */
export class Debounce {
  readonly #clock: Clock
  readonly #delayMs: number
  readonly #work: () => void
  #timer: { cancel(): void } | undefined

  constructor(clock: Clock, delayMs: number, work: () => void) {
    this.#clock = clock
    this.#delayMs = delayMs
    this.#work = work
  }

  ask(delayMs = this.#delayMs): void {
    this.#timer ??= this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined
      this.#work()
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

/** Grows by half from `firstMs` to `mostMs`. */
export class Backoff {
  readonly #firstMs: number
  readonly #mostMs: number
  #next: number

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs
    this.#mostMs = mostMs
    this.#next = firstMs
  }

  next(): number {
    const now = this.#next
    this.#next = Math.min(this.#mostMs, now * 1.5)
    return now
  }

  reset(): void {
    this.#next = this.#firstMs
  }
}
