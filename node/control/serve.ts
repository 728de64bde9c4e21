// A local socket with routes: HTTP/1.1, JSON bodies. Whoever may open the socket (its owner: mode 0600) may do everything.
//
//  S1 the socket never exists with a wider mode than 0600
//  S2 a live socket is never taken over: only one that nobody answers on is removed
//  S3 closing never waits for a request: `leave` closes the node, and with it this server, from within a request

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createConnection } from 'node:net'
import { chooseSocketPath, readLocation, removeLocation, writeLocation } from './location.ts'
import { errorToWire, MAX_BODY_BYTES } from './wire.ts'

export interface ControlServer {
  readonly socket: string
  /** Stops listening and removes the socket. Requests in flight may still answer (S3). */
  close(): Promise<void>
}

/** An error of a request: its HTTP status, and what the wire tells of it. */
export class RequestError extends Error {
  readonly code: string
  readonly status: number
  constructor(status: number, code: string, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}
export const badInput = (message: string): RequestError => new RequestError(400, 'BAD_INPUT', message)

/** `<METHOD> <path>` → what answers it. */
export type Routes = Readonly<Record<string, (body: unknown) => unknown>>

/** Serves a directory's socket. `inUse`: the error when somebody answers on it already. */
export async function serve(
  directory: string,
  routes: Routes,
  inUse: () => RequestError,
): Promise<ControlServer> {
  const old = readLocation(directory)?.socket
  if (old !== undefined && (await answers(old))) throw inUse()
  if (old !== undefined) removeLocation(directory, old) // S2: left behind by a kill
  const socket = chooseSocketPath(directory)
  rmSync(socket, { force: true })
  const server = createServer((request, response) => void respond(routes, request, response))
  await listen(server, socket)
  writeLocation(directory, { socket, pid: process.pid, startedAt: Date.now() })

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    removeLocation(directory, socket)
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

async function respond(table: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let status = 200
  let answer: unknown
  try {
    const route = `${request.method} ${request.url}`
    if (!Object.hasOwn(table, route))
      throw new RequestError(404, 'UNKNOWN_ROUTE', `this node does not know ${route}: is the command newer?`)
    answer = await table[route]!(await readBody(request))
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
