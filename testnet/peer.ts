// One peer of a testnet as the testnet sees it: a data directory, a port, and a child process that may be running,
// frozen or gone.

import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ControlError } from '../node/control/wire.ts'
import type { OperationEvent } from './chaos/workload.ts'
import type {
  LoadReport,
  PeerEvent,
  PeerMessage,
  PeerOptions,
  PeerRequestKind,
  PeerRequests,
  PeerSnapshot,
} from './ipc.ts'
import { guardChild } from './orphans.ts'

/** Starting includes joining. Longer than a node itself waits for first contact and admission. */
const START_MS = 60_000
const CLOSE_MS = 30_000
const SNAPSHOT_MS = 3_000
const DEFAULT_REQUEST_MS = 60_000
const LOG_TAIL_BYTES = 2_000

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const PROGRAM = fileURLToPath(new URL(`./peer-process.${extension}`, import.meta.url))

export type PeerState =
  | { readonly kind: 'stopped'; readonly why: string }
  | { readonly kind: 'running'; readonly child: ChildProcess }
  | { readonly kind: 'frozen'; readonly child: ChildProcess }

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export class Peer {
  readonly index: number
  readonly dir: string
  onEvent: (event: PeerEvent) => void = () => {}
  onLoad: (report: LoadReport) => void = () => {}
  onOperation: (event: OperationEvent) => void = () => {}
  #state: PeerState = { kind: 'stopped', why: 'never started' }
  #peerId: string | undefined
  #addresses: readonly string[] = []
  #starts = 0
  #requests = 0
  readonly #waiting = new Map<number, Waiting>()

  constructor(index: number, dir: string) {
    this.index = index
    this.dir = dir
  }

  get state(): PeerState {
    return this.#state
  }
  /** Undefined before the first start; another one after a start with a wiped disk. */
  get peerId(): string | undefined {
    return this.#peerId
  }
  /** Where it listens, and will again. */
  get addresses(): readonly string[] {
    return this.#addresses
  }
  /** How often it was started. */
  get starts(): number {
    return this.#starts
  }
  get pid(): number | undefined {
    return this.#state.kind === 'stopped' ? undefined : this.#state.child.pid
  }
  /** What its processes print, one start after the other. */
  get logFile(): string {
    return join(this.dir, '..', `peer-${this.index}.log`)
  }

  async start(options: Omit<PeerOptions, 'dataDir'>): Promise<PeerSnapshot> {
    if (this.#state.kind !== 'stopped') throw new Error(`peer ${this.index} is running already`)
    mkdirSync(this.dir, { recursive: true, mode: 0o700 }) // at once: from the check above to the child nothing may come between
    const log = openSync(this.logFile, 'a')
    const child = fork(PROGRAM, [], {
      execArgv: [], // not those of a test runner
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
      serialization: 'advanced',
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    guardChild(child)
    this.#starts += 1
    this.#state = { kind: 'running', child }
    child.on('message', (message: PeerMessage) => this.#receive(message))
    child.on('exit', (code, signal) => this.#gone(child, signal ?? `exit code ${code}`))
    child.on('error', (error) => this.#gone(child, error.message))
    try {
      const listen = this.#addresses.length > 0 ? { listen: this.#addresses } : {}
      const snapshot = await this.request('start', { ...listen, ...options, dataDir: this.dir }, START_MS)
      this.#peerId = snapshot.status.peerId
      const self = snapshot.members.find((member) => member.self)
      this.#addresses = (self?.addresses ?? []).map((each) => each.replace(/\/p2p\/\w+$/, ''))
      return snapshot
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  /** `leave` hands actors over first; `close` keeps everything for the next start. */
  async stop(how: 'leave' | 'close'): Promise<void> {
    if (this.#state.kind === 'stopped') return
    await this.request(how, undefined, CLOSE_MS)
    await this.kill()
    this.#state = { kind: 'stopped', why: how === 'leave' ? 'left' : 'closed' }
  }

  /** SIGKILL, frozen or not. Resolves when the process is gone. */
  kill(): Promise<void> {
    const state = this.#state
    if (state.kind === 'stopped') return Promise.resolve()
    return new Promise((resolve) => {
      state.child.once('exit', () => resolve())
      state.child.kill('SIGKILL')
    })
  }

  freeze(): void {
    if (this.#state.kind !== 'running') throw new Error(`peer ${this.index} is not running`)
    this.#state.child.kill('SIGSTOP')
    this.#state = { kind: 'frozen', child: this.#state.child }
  }

  thaw(): void {
    if (this.#state.kind !== 'frozen') throw new Error(`peer ${this.index} is not frozen`)
    this.#state.child.kill('SIGCONT')
    this.#state = { kind: 'running', child: this.#state.child }
  }

  /** Deletes its disk: a new peer will start in its place. */
  wipe(): void {
    if (this.#state.kind !== 'stopped') throw new Error(`peer ${this.index} is running`)
    rmSync(this.dir, { recursive: true, force: true })
    this.#peerId = undefined
  }

  request<K extends PeerRequestKind>(
    kind: K,
    body: PeerRequests[K]['request'],
    timeoutMs: number = DEFAULT_REQUEST_MS,
  ): Promise<PeerRequests[K]['response']> {
    const state = this.#state
    if (state.kind === 'stopped')
      return Promise.reject(new Error(`peer ${this.index} is not running (${state.why})`))
    this.#requests += 1
    const id = this.#requests
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(
          new Error(`peer ${this.index} did not answer "${kind}" within ${timeoutMs} ms\n${this.logTail()}`),
        )
      }, timeoutMs)
      this.#waiting.set(id, { resolve: resolve as (value: never) => void, reject, timer })
      state.child.send({ id, kind, body }, (error) => {
        if (error !== null) this.#settle(id)?.reject(error)
      })
    })
  }

  snapshot(): Promise<PeerSnapshot> {
    return this.request('snapshot', undefined, SNAPSHOT_MS)
  }

  /** The end of what it printed. */
  logTail(): string {
    if (!existsSync(this.logFile)) return ''
    return readFileSync(this.logFile, 'utf8').slice(-LOG_TAIL_BYTES)
  }

  copyLog(dir: string): void {
    if (existsSync(this.logFile)) copyFileSync(this.logFile, join(dir, basename(this.logFile)))
  }

  #receive(message: PeerMessage): void {
    switch (message.kind) {
      case 'answer':
        this.#settle(message.id)?.resolve(message.value as never)
        break
      case 'failure':
        this.#settle(message.id)?.reject(new ControlError(message.error))
        break
      case 'event':
        this.onEvent(message.event)
        break
      case 'load':
        this.onLoad(message.report)
        break
      case 'operation':
        this.onOperation(message.event)
        break
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    clearTimeout(waiting?.timer)
    return waiting
  }

  #gone(child: ChildProcess, why: string): void {
    if (this.#state.kind === 'stopped' || this.#state.child !== child) return
    this.#state = { kind: 'stopped', why }
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id)?.reject(new Error(`peer ${this.index} ended (${why})\n${this.logTail()}`))
    }
  }
}
