// How long an event loop stood still. On a busy machine a loop also stands still because others have the processor, so
// beside the delay there is what the thread itself did at a stretch: only that is the program's own fault.
// (`monitorEventLoopDelay` misses the first delay after each reset, and knows nothing of the work.)

export interface Stalls {
  /** Longest delay of a timer that was due, milliseconds. */
  readonly stallMs: number
  /** Most processor time of the main thread between two turns of its timers, milliseconds. */
  readonly workMs: number
}

const SAMPLE_MS = 5

export class StallMeter {
  #stalls: Stalls = { stallMs: 0, workMs: 0 }
  #at = performance.now()
  #cpu = process.threadCpuUsage()

  constructor() {
    setInterval(() => this.#sample(), SAMPLE_MS).unref()
  }

  /** Since the last time it was asked. */
  take(): Stalls {
    this.#sample()
    const stalls = this.#stalls
    this.#stalls = { stallMs: 0, workMs: 0 }
    return stalls
  }

  #sample(): void {
    const now = performance.now()
    const { user, system } = process.threadCpuUsage(this.#cpu)
    const sample = { stallMs: Math.max(0, now - this.#at - SAMPLE_MS), workMs: (user + system) / 1000 }
    this.#stalls = worst([this.#stalls, sample])
    this.#at = now
    this.#cpu = process.threadCpuUsage()
  }
}

export const worst = (all: readonly Stalls[]): Stalls => ({
  stallMs: Math.max(0, ...all.map(({ stallMs }) => stallMs)),
  workMs: Math.max(0, ...all.map(({ workMs }) => workMs)),
})
