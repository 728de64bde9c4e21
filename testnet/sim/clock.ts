// Virtual time. Events run in time order, ties in the order they were set; between two events every promise settles, so
// that a run depends on its seed alone.

import type { Clock } from '../../node/ports.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
  cancelled: boolean
}

/** Events bring about events without end: a storm, in which time hardly passes. */
export class TooManyEvents extends Error {}

export class VirtualClock {
  /** `run` fails with `TooManyEvents` from here on. */
  eventLimit = Number.POSITIVE_INFINITY
  #now = 0
  #order = 0
  #events = 0
  /** A binary heap by (at, order). */
  readonly #heap: Timer[] = []

  get now(): number {
    return this.#now
  }
  /** Events that ran so far. */
  get events(): number {
    return this.#events
  }

  set(delayMs: number, callback: () => void): { cancel(): void } {
    const timer: Timer = {
      at: this.#now + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      cancelled: false,
    }
    this.#push(timer)
    return {
      cancel: () => {
        timer.cancelled = true
      },
    }
  }

  /** Runs everything due within the next `ms` of virtual time, or until `done` says so after an event. */
  run(ms: number, done: () => boolean = () => false): Promise<boolean> {
    const end = this.#now + ms
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          const next = this.#next(end)
          if (!next) {
            this.#now = end
            return resolve(done())
          }
          this.#now = next.at
          if (++this.#events > this.eventLimit)
            throw new TooManyEvents(`more than ${this.eventLimit} events by ${this.#now.toFixed(1)} ms`)
          next.callback()
          process.nextTick(settled)
        } catch (error) {
          reject(error)
        }
      }
      const settled = (): void => {
        try {
          if (done()) resolve(true)
          else inMicrotask(step)
        } catch (error) {
          reject(error)
        }
      }
      inMicrotask(step)
    })
  }

  /** Takes the first event that is due by then. */
  #next(end: number): Timer | undefined {
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.#pop()
      if (!next.cancelled) return next
    }
    return undefined
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(timer, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/**
 * Every promise that can settle without time passing has settled when a tick runs that was asked for in a microtask: it
 * runs when no microtask is left, and nothing in a simulation waits for more than microtasks. A turn of the event loop
 * would do the same at ten times the price. Asked for in another tick it would come before them.
 */
const inMicrotask = (run: () => void): void => void READY.then(run)
const READY = Promise.resolve()

/** The clock of one peer: its timers stop with its process, and stand still while it is frozen. */
export class PeerClock implements Clock {
  readonly #clock: VirtualClock
  readonly #schedule: (run: () => void) => void
  #wallOffset: number
  #dead = false
  onStop: () => void = () => {}

  constructor(clock: VirtualClock, schedule: (run: () => void) => void, wallOffset: number) {
    this.#clock = clock
    this.#schedule = schedule
    this.#wallOffset = wallOffset
  }

  now(): number {
    return this.#clock.now
  }
  wall(): number {
    return this.#clock.now + this.#wallOffset
  }
  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#wallOffset += ms
  }
  setTimer(delayMs: number, callback: () => void): { cancel(): void } {
    return this.#clock.set(delayMs, () => {
      if (!this.#dead) this.#schedule(callback)
    })
  }
  stop(): void {
    this.#dead = true
    this.onStop()
  }
}
