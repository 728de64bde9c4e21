// Notices that a worker's event loop stands still. It counts its own looks, not time: a peer that stood still itself saw
// nothing, and one look after that says no more than any other.

import type { Clock } from '../../ports.ts'

/** Looks without a beat in between until the worker is given up. */
const LOOKS = 8

export interface WatchdogInit {
  readonly clock: Clock
  /** Shared with the worker, which counts up in it. */
  readonly beats: Int32Array
  /** Without a beat for about this long the worker is taken to hang. */
  readonly unresponsiveMs: number
  readonly hangs: () => void
}

/** How often a worker has to beat so that every look finds a new beat. */
export const beatEveryMs = (unresponsiveMs: number): number => unresponsiveMs / LOOKS / 2

export class Watchdog {
  readonly #init: WatchdogInit
  #seen = 0
  #misses = 0
  #timer: { cancel(): void } | undefined

  constructor(init: WatchdogInit) {
    this.#init = init
    this.#wait()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #wait(): void {
    const { clock, unresponsiveMs } = this.#init
    this.#timer = clock.setTimer(unresponsiveMs / LOOKS, () => this.#look())
  }

  #look(): void {
    const beats = Atomics.load(this.#init.beats, 0)
    // Before the first beat the thread itself is starting, for which its start has a limit of its own.
    this.#misses = beats === this.#seen && beats > 0 ? this.#misses + 1 : 0
    this.#seen = beats
    if (this.#misses < LOOKS) this.#wait()
    else this.#init.hangs()
  }
}
