// A store in a process of its own, which can be killed: the real thing for the acceptance suite. The power fails when the
// process is dead and its WALs are cut down to what was synced.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { CrashableDisk } from '../conformance.ts'
import { HypercoreLogs } from '../hypercore-logs.ts'
import type { StoreFacts } from '../mesh-types.ts'
import type { LogStore } from '../port.ts'
import { losePower, sizeOf, walsOf } from './watched-disk.ts'

type Method = Exclude<keyof LogStore, 'facts' | 'systemBoot'>

export interface StoreQuestion {
  readonly id: number
  readonly method: Method
  readonly args: readonly unknown[]
}
export type StoreAnswer =
  | { readonly kind: 'open'; readonly facts: StoreFacts; readonly systemBoot: string }
  | { readonly kind: 'synced'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly text: string }

const PROGRAM = fileURLToPath(new URL('./store-process.ts', import.meta.url))
const METHODS: readonly Method[] = [
  'createLog',
  'append',
  'ingest',
  'length',
  'hash',
  'read',
  'prove',
  'verify',
  'sync',
  'persist',
  'drop',
  'close',
]

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class RemoteDisk implements CrashableDisk {
  readonly #directory: string
  readonly #safe = new Map<string, number>()
  #process: ChildProcess | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  async open(): Promise<LogStore> {
    const child = fork(PROGRAM, [this.#directory], { execArgv: [], serialization: 'advanced' })
    onTestFinished(() => void child.kill('SIGKILL'))
    this.#process = child
    const waiting = new Map<number, Waiting>()
    const opened = new Promise<StoreAnswer & { kind: 'open' }>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`the process with ${this.#directory} ended`)))
      child.on('message', (answer: StoreAnswer) => {
        if (answer.kind === 'open') return resolve(answer)
        if (answer.kind === 'synced') return void this.#safe.set(answer.path, answer.bytes)
        const { resolve: done, reject: failed } = waiting.get(answer.id)!
        waiting.delete(answer.id)
        if (answer.kind === 'done') done(answer.value)
        else failed(Object.assign(new Error(answer.text), { code: answer.code }))
      })
    })
    const { facts, systemBoot } = await opened
    let next = 0
    const ask = (method: Method, args: readonly unknown[]) =>
      new Promise<unknown>((resolve, reject) => {
        const id = next++
        waiting.set(id, { resolve, reject })
        child.send({ id, method, args } satisfies StoreQuestion)
      })
    const methods = METHODS.map((method) => {
      const call = (...args: readonly unknown[]) => ask(method, args)
      return [
        method,
        method === 'close' ? () => call().then(() => this.#ended(child, () => child.disconnect())) : call,
      ]
    })
    return { facts, systemBoot, ...Object.fromEntries(methods) } as LogStore
  }

  async crash({ power, survives }: { readonly power: boolean; readonly survives: number }): Promise<void> {
    const child = this.#process!
    await this.#ended(child, () => child.kill('SIGKILL'))
    if (!power) return
    await losePower(this.#directory, (path) => this.#safe.get(path) ?? 0, survives)
    for (const path of await walsOf(this.#directory)) this.#safe.set(path, await sizeOf(path))
  }

  async logs(): Promise<number> {
    const logs = await HypercoreLogs.open(join(this.#directory, 'logs'), {})
    const pairs = await logs.storedKeyPairs()
    await logs.close()
    return pairs.length
  }

  async #ended(child: ChildProcess, end: () => void): Promise<void> {
    const exit = once(child, 'exit')
    end()
    await exit
  }
}
