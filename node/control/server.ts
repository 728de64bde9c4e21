// The local control socket of a running node. Whoever may open the socket (its owner: mode 0600) may do everything.
//
//  S1 the socket never exists with a wider mode than 0600
//  S2 a live node's socket is never taken over: only one that nobody answers on is removed
//  S3 closing never waits for a request: `leave` closes the node, and with it this server, from within a request

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createConnection } from 'node:net'
import type { MeshNode } from '../api.ts'
import { chooseSocketPath, readLocation, removeLocation, writeLocation } from './location.ts'
import { toReadable } from './readable.ts'
import { type ControlMethods, type ControlRoute, errorToWire, MAX_BODY_BYTES } from './wire.ts'

/** The part of a node that the socket serves. */
export type ControlledNode = Pick<
  MeshNode,
  | 'dataDir'
  | 'status'
  | 'members'
  | 'actors'
  | 'reports'
  | 'invite'
  | 'call'
  | 'createActor'
  | 'stopActor'
  | 'killActor'
  | 'deleteActor'
  | 'rescue'
  | 'recover'
  | 'leave'
>

export interface ControlServer {
  readonly socket: string
  /** Stops listening and removes the socket. Requests in flight may still answer (S3). */
  close(): Promise<void>
}

class RequestError extends Error {
  readonly code: string
  readonly status: number
  constructor(status: number, code: string, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}
const badInput = (message: string): RequestError => new RequestError(400, 'BAD_INPUT', message)

type Handlers = {
  readonly [R in ControlRoute]: (
    body: unknown,
  ) => ControlMethods[R]['response'] | Promise<ControlMethods[R]['response']>
}

function handlers(node: ControlledNode): Handlers {
  return {
    'GET /v1/status': () => node.status(),
    'GET /v1/members': () => node.members(),
    'GET /v1/actors': () => node.actors(),
    'GET /v1/reports': () => node.reports(),
    'POST /v1/invite': async () => ({ invite: await node.invite() }),
    'POST /v1/call': async (body) => {
      const { type, name, method, args, timeoutMs } = object(body)
      if (!Array.isArray(args)) throw badInput('"args" must be a list')
      const wait = timeoutMs === undefined ? undefined : number(timeoutMs, 'timeoutMs')
      const options = wait === undefined ? undefined : { timeoutMs: wait }
      const result = await node.call(
        string(type, 'type'),
        string(name, 'name'),
        string(method, 'method'),
        args,
        options,
      )
      const readable = toReadable(result)
      return readable === undefined ? {} : { result: readable }
    },
    'POST /v1/create': async (body) => {
      const { type, name, init, options = {} } = object(body)
      if (!Array.isArray(init)) throw badInput('"init" must be a list')
      await node.createActor(string(type, 'type'), string(name, 'name'), { init, options: object(options) })
      return {}
    },
    'POST /v1/stop': async (body) => {
      const { type, name } = object(body)
      await node.stopActor(string(type, 'type'), string(name, 'name'))
      return {}
    },
    'POST /v1/kill': async (body) => {
      const { type, name, restart } = object(body)
      await node.killActor(string(type, 'type'), string(name, 'name'), { restart: restart !== false })
      return {}
    },
    'POST /v1/delete': async (body) => {
      const { type, name } = object(body)
      await node.deleteActor(string(type, 'type'), string(name, 'name'))
      return {}
    },
    'POST /v1/rescue': (body) => node.rescue({ acceptLoss: object(body)['acceptLoss'] === true }),
    'POST /v1/recover': (body) => {
      const { target, acceptLoss } = object(body)
      return node.recover(string(target, 'target'), { acceptLoss: acceptLoss === true })
    },
    'POST /v1/leave': async () => {
      await node.leave()
      return {}
    },
  }
}

export async function startControlServer(node: ControlledNode): Promise<ControlServer> {
  const { dataDir } = node
  const old = readLocation(dataDir)?.socket
  if (old !== undefined && (await answers(old))) {
    throw new RequestError(
      409,
      'DATA_DIR_IN_USE',
      `a node is already running in ${dataDir}: stop it, or use another data directory`,
    )
  }
  if (old !== undefined) removeLocation(dataDir, old) // S2: left behind by a kill
  const socket = chooseSocketPath(dataDir)
  rmSync(socket, { force: true })
  const table = handlers(node)
  const server = createServer((request, response) => void respond(table, request, response))
  await listen(server, socket)
  writeLocation(dataDir, { socket, pid: process.pid, startedAt: Date.now() })

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    removeLocation(dataDir, socket)
    server.close() // not awaited: S3
    server.closeIdleConnections()
    server.unref()
  }
  return { socket, close: () => (closing ??= close()) }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const before = restrictMode()
    server.listen(socket, () => {
      chmodSync(socket, 0o600)
      server.off('error', reject)
      resolve()
    })
    if (before !== undefined) process.umask(before) // the socket file is made inside listen()
  })
}

/** S1. A worker thread may not change the mask; there the data directory's own 0700 has to do for a moment. */
function restrictMode(): number | undefined {
  try {
    return process.umask(0o177)
  } catch {
    return undefined
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

async function respond(table: Handlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let status = 200
  let answer: unknown
  try {
    const route = `${request.method} ${request.url}`
    if (!Object.hasOwn(table, route))
      throw new RequestError(404, 'UNKNOWN_ROUTE', `this node does not know ${route}: is the command newer?`)
    answer = await table[route as ControlRoute](await readBody(request))
  } catch (error) {
    status = error instanceof RequestError ? error.status : 500
    answer = { error: errorToWire(error) }
  }
  if (response.destroyed) return
  // One request per connection: a kept-alive one would hold a leaving process open.
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(answer))
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES)
      throw new RequestError(413, 'BAD_INPUT', `the request is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  if (size === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw badInput('the request body is not JSON')
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    throw badInput('the request needs a JSON object as its body')
  return value as Record<string, unknown>
}
function string(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '') throw badInput(`"${field}" must be a non-empty string`)
  return value
}
function number(value: unknown, field: string): number {
  if (typeof value !== 'number' || !(value > 0)) throw badInput(`"${field}" must be a positive number`)
  return value
}
