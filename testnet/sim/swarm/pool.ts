// Seeds spread over processes. A process that ends, or hangs in one seed, costs that seed only: it is reported as a crash
// and another process goes on after it.

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SeedResult } from './run-seed.ts'

/** A seed takes a tenth of a second; one that takes this long, on whatever machine, does not end. */
const HUNG_AFTER_MS = 120_000
/** Most of what a seed allocates is garbage a moment later: with room for it, it is not copied first. An eighth of the time. */
const EXEC_ARGV = ['--max-semi-space-size=64']
/** Calls of a mesh that was thrown away in the middle of them keep it in memory, some 50 kB a seed: what was full is slow. */
const SEEDS_OF_A_PROCESS = 4000
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

export class SeedPool {
  readonly #workers: number
  readonly #seedsOfAProcess: number
  #isStopped = false

  constructor(workers: number, seedsOfAProcess = SEEDS_OF_A_PROCESS) {
    this.#workers = workers
    this.#seedsOfAProcess = seedsOfAProcess
  }

  /** No further seed is begun; those that are being run are reported. */
  stop(): void {
    this.#isStopped = true
  }
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Runs every seed from `first` to `last`; results come in whichever order they are done. */
  async run(first: number, last: number, onResult: (result: SeedResult) => void): Promise<void> {
    let next = first
    const take = (): number | undefined => (next <= last && !this.#isStopped ? next++ : undefined)
    await Promise.all(Array.from({ length: this.#workers }, () => this.#serve(take, onResult)))
  }

  async #serve(take: () => number | undefined, onResult: (result: SeedResult) => void): Promise<void> {
    let worker: ChildProcess | undefined
    let left = 0
    for (let seed = take(); seed !== undefined; seed = take()) {
      if (worker === undefined) {
        worker = fork(WORKER, { execArgv: EXEC_ARGV })
        left = this.#seedsOfAProcess
      }
      const result = await runIn(worker, seed)
      if (typeof result === 'string') {
        worker.kill('SIGKILL')
        worker = undefined
      } else if (--left === 0) {
        worker.disconnect()
        worker = undefined
      }
      onResult(typeof result === 'string' ? crashed(seed, result) : result)
    }
    worker?.disconnect()
  }
}

/** The result, or why there is none. */
function runIn(worker: ChildProcess, seed: number): Promise<SeedResult | string> {
  return new Promise((resolve) => {
    const settle = (result: SeedResult | string): void => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(result)
    }
    const onMessage = (result: unknown): void => settle(result as SeedResult)
    const onExit = (code: number | null, signal: string | null): void =>
      settle(`its process ended: ${signal ?? `exit code ${code}`}`)
    const timer = setTimeout(() => settle(`it did not end within ${HUNG_AFTER_MS / 1000} s`), HUNG_AFTER_MS)
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    worker.send(seed)
  })
}

const crashed = (seed: number, why: string): SeedResult => ({
  seed,
  outcome: 'crash',
  problems: [why],
  steps: 0,
  virtualMs: 0,
  faults: {},
  acknowledged: 0,
})
