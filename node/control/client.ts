// What can be asked of a running node over its control socket; errors are ControlErrors with the node's code.

import { ControlSocket } from './socket.ts'
import type { CallRequest, ControlMethods, ControlRoute } from './wire.ts'

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
