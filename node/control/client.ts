// The other end of the control socket: one request per connection, errors as ControlError with the node's code.

import { request } from 'node:http'
import { resolve } from 'node:path'
import { readLocation } from './location.ts'
import {
  type CallRequest,
  ControlError,
  type ControlMethods,
  type ControlRoute,
  errorFromWire,
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
  readonly #dataDir: string
  readonly #socket: string

  constructor(dataDir: string) {
    this.#dataDir = dataDir
    this.#socket = readLocation(dataDir)?.socket ?? resolve(dataDir, 'control.sock')
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
    const [method, path] = route.split(' ')
    return new Promise((done, fail) => {
      const outgoing = request({ socketPath: this.#socket, method, path, agent: false }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', (error) => fail(this.#failure(error)))
        response.on('end', () => {
          clearTimeout(deadline)
          const answer = parse(Buffer.concat(chunks).toString('utf8'))
          if (response.statusCode === 200) done(answer as ControlMethods[R]['response'])
          else fail(errorFromWire(answer))
        })
      })
      const deadline = setTimeout(() => {
        fail(this.#noAnswer(`did not answer within ${waitMs} ms`))
        outgoing.destroy()
      }, waitMs)
      outgoing.on('error', (error) => {
        clearTimeout(deadline)
        fail(this.#failure(error))
      })
      if (body !== undefined) outgoing.write(JSON.stringify(body))
      outgoing.end()
    })
  }

  #failure(error: NodeJS.ErrnoException): ControlError {
    switch (error.code) {
      case 'ENOENT':
      case 'ENOTDIR':
      case 'ECONNREFUSED':
        return new ControlError({
          code: 'NOT_RUNNING',
          message: `no node is running in ${this.#dataDir}: start one with "mesh node --data-dir ${this.#dataDir}", or name another with --data-dir`,
        })
      case 'EACCES':
      case 'EPERM':
        return new ControlError({
          code: 'NOT_ALLOWED',
          message: `the node in ${this.#dataDir} belongs to another user: run this command as the user that started it`,
        })
      default:
        return this.#noAnswer(`broke off: ${error.message}`)
    }
  }

  #noAnswer(what: string): ControlError {
    return new ControlError({
      code: 'NO_ANSWER',
      message: `the node in ${this.#dataDir} ${what}; whether the request took effect is unknown`,
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
