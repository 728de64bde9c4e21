// Virtual time for tests: nothing waits, time jumps to the next timer when nothing else is left to do.

import type { Clock } from '../../ports.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#now
  }
  wall(): number {
    return 1_700_000_000_000 + this.#now
  }
  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback }
    this.#timers.add(timer)
    return { cancel: () => this.#timers.delete(timer) }
  }

  /** Lets `ms` pass. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const next = this.#next()
      if (next === undefined || next.at > end) break
      this.#fire(next)
    }
    this.#now = end
  }

  /** Lets time pass until the promise settles, at most `limitMs` of it. */
  async until<T>(promise: Promise<T>, limitMs = 120_000): Promise<T> {
    let settled = false
    const mark = (): void => {
      settled = true
    }
    promise.then(mark, mark)
    const end = this.#now + limitMs
    for (;;) {
      await settle()
      if (settled) return promise
      const next = this.#next()
      if (next === undefined || next.at > end)
        throw new Error(`nothing settles within ${limitMs} ms of virtual time`)
      this.#fire(next)
    }
  }

  /** Lets time pass until the condition holds. */
  async untilTrue(condition: () => boolean, limitMs = 60_000): Promise<void> {
    const end = this.#now + limitMs
    while (!condition()) {
      if (this.#now >= end) throw new Error(`not true within ${limitMs} ms of virtual time: ${condition}`)
      await this.run(5)
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer
    }
    return next
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer)
    this.#now = Math.max(this.#now, timer.at)
    timer.callback()
  }
}

/** After it every microtask, and every microtask of those, has run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
