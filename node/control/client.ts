// What can be asked of a running node over its control socket; errors are ControlErrors with the node's code.

import { KV_WATCH_ROUTE } from './kv.ts'
import { ControlSocket } from './socket.ts'
import {
  type CallRequest,
  type ControlMethods,
  type ControlRoute,
  errorFromWire,
  type KvWatchLine,
  type KvWatchRequest,
} from './wire.ts'

/** A node that is alive answers from memory; one that takes longer is stopped or starved. */
const ANSWER_MS = 10_000
/** Handing actors over waits for the mesh. */
const LEAVE_MS = 60_000
/** Every keeper gets its time to answer, and then every boot is recovered. */
const GIVE_UP_MS = 90_000
/** The node's own deadline fires first and says more. */
const CALL_MARGIN_MS = 5_000
const DEFAULT_CALL_MS = 30_000

export class ControlClient {
  readonly #socket: ControlSocket

  constructor(dataDir: string) {
    this.#socket = new ControlSocket(dataDir, {
      what: `the node in ${dataDir}`,
      notRunning: `no node is running in ${dataDir}: start one with "mesh node --data-dir ${dataDir}", or name another with --data-dir`,
    })
  }

  status = (): Promise<ControlMethods['GET /v1/status']['response']> => this.#send('GET /v1/status')
  members = (): Promise<ControlMethods['GET /v1/members']['response']> => this.#send('GET /v1/members')
  actors = (): Promise<ControlMethods['GET /v1/actors']['response']> => this.#send('GET /v1/actors')
  reports = (): Promise<ControlMethods['GET /v1/reports']['response']> => this.#send('GET /v1/reports')

  async invite(): Promise<string> {
    return (await this.#send('POST /v1/invite')).invite
  }

  /** The result as readable JSON; undefined when the method returned undefined. */
  async call(call: CallRequest): Promise<unknown> {
    const waitMs = (call.timeoutMs ?? DEFAULT_CALL_MS) + CALL_MARGIN_MS
    return (await this.#send('POST /v1/call', call, waitMs)).result
  }

  async createActor(
    type: string,
    name: string,
    init: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.#send('POST /v1/create', { type, name, init, options }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  async stopActor(type: string, name: string): Promise<void> {
    await this.#send('POST /v1/stop', { type, name }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  async killActor(type: string, name: string, restart: boolean): Promise<void> {
    await this.#send('POST /v1/kill', { type, name, restart }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  async deleteActor(type: string, name: string): Promise<void> {
    await this.#send('POST /v1/delete', { type, name }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  rescue(acceptLoss: boolean): Promise<ControlMethods['POST /v1/rescue']['response']> {
    return this.#send('POST /v1/rescue', { acceptLoss }, GIVE_UP_MS)
  }

  recover(target: string, acceptLoss: boolean): Promise<ControlMethods['POST /v1/recover']['response']> {
    return this.#send('POST /v1/recover', { target, acceptLoss }, GIVE_UP_MS)
  }

  kvGet(key: string): Promise<ControlMethods['POST /v1/kv/get']['response']> {
    return this.#send('POST /v1/kv/get', { key }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  kvPut(key: string, value: unknown): Promise<ControlMethods['POST /v1/kv/put']['response']> {
    return this.#send('POST /v1/kv/put', { key, value }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  kvSwap(
    key: string,
    expected: number | null,
    value: unknown,
  ): Promise<ControlMethods['POST /v1/kv/swap']['response']> {
    return this.#send('POST /v1/kv/swap', { key, expected, value }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  kvDelete(
    key: string,
    ifVersion: number | undefined,
  ): Promise<ControlMethods['POST /v1/kv/delete']['response']> {
    const body = ifVersion === undefined ? { key } : { key, ifVersion }
    return this.#send('POST /v1/kv/delete', body, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  kvKeys(prefix: string): Promise<ControlMethods['POST /v1/kv/keys']['response']> {
    return this.#send('POST /v1/kv/keys', { prefix }, DEFAULT_CALL_MS + CALL_MARGIN_MS)
  }

  /** Resolves when the signal is aborted. Rejects with what ended the watch, or `NO_ANSWER` when the node is gone. */
  kvWatch(
    watched: KvWatchRequest,
    tell: (change: NonNullable<KvWatchLine['change']>) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const heard = (line: unknown): void => {
      const { change, error } = line as KvWatchLine
      if (error !== undefined) throw errorFromWire({ error })
      if (change !== undefined) tell(change)
    }
    return this.#socket.lines(KV_WATCH_ROUTE, watched, heard, signal)
  }

  async leave(): Promise<void> {
    await this.#send('POST /v1/leave', undefined, LEAVE_MS)
  }

  #send<R extends ControlRoute>(
    route: R,
    body?: ControlMethods[R]['request'],
    waitMs: number = ANSWER_MS,
  ): Promise<ControlMethods[R]['response']> {
    return this.#socket.send(route, body, waitMs) as Promise<ControlMethods[R]['response']>
  }
}
