// A measured process as the bench sees it. Its jobs are the exported functions of a module; calls of them are typed by it.

import { type ChildProcess, fork } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guardChild } from '../../testnet/orphans.ts'
import type { Stalls } from './stalls.ts'

export interface Request {
  readonly id: number
  readonly job: string
  readonly input: unknown
}
export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

type Input<F> = F extends (input: infer I) => unknown ? I : undefined
type Output<F> = F extends (...args: never) => infer O ? Awaited<O> : never

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

export class Worker<Jobs extends object> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, PromiseWithResolvers<never>>()
  #requests = 0
  #ended: string | undefined

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (answer: Answer) => this.#receive(answer))
    child.once('exit', (code, signal) => this.#end(signal ?? `exit code ${code}`))
    child.once('error', (error) => this.#end(error.message))
  }

  /** Resolves when the module is loaded. `flags` are for node, such as `--cpu-prof`. */
  static async start<Jobs extends object>(jobs: URL, flags: readonly string[] = []): Promise<Worker<Jobs>> {
    const child = fork(CHILD, [jobs.href], {
      execArgv: [...flags],
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    guardChild(child)
    const worker = new Worker<Jobs>(child)
    await worker.#wait(0)
    return worker
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Rejects with the job's error, or when the process ends first. */
  run<K extends keyof Jobs & string>(
    job: K,
    ...input: undefined extends Input<Jobs[K]> ? [] : [Input<Jobs[K]>]
  ): Promise<Output<Jobs[K]>> {
    return this.#ask(job, input[0]) as Promise<Output<Jobs[K]>>
  }

  /** The worst of its event loop since the last time this was asked. */
  stalls(): Promise<Stalls> {
    return this.#ask('stalls', undefined) as Promise<Stalls>
  }

  /** Sends the signal; {@link ended} says when it has taken effect. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#ended !== undefined) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }

  /** Ends in good order, so that node writes what its flags ask for. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await gone
  }

  #ask(job: string, input: unknown): Promise<unknown> {
    const id = ++this.#requests
    const answer = this.#wait(id)
    if (this.#ended === undefined) this.#child.send({ id, job, input } satisfies Request, () => {})
    return answer
  }

  #wait(id: number): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(new Error(`the process ended (${this.#ended})`))
    const waiting = Promise.withResolvers<never>()
    this.#waiting.set(id, waiting)
    return waiting.promise
  }

  #receive({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(value as never)
    else waiting?.reject(new Error(error))
  }

  #end(why: string): void {
    this.#ended ??= why
    for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended (${why})`))
    this.#waiting.clear()
  }
}
