// What the local control socket of a running node answers (serve.ts: how).

import type { MeshNode } from '../api.ts'
import { toReadable } from './readable.ts'
import { badInput, type ControlServer, RequestError, serve } from './serve.ts'
import type { ControlMethods, ControlRoute } from './wire.ts'

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

export function startControlServer(node: ControlledNode): Promise<ControlServer> {
  const { dataDir } = node
  return serve(dataDir, handlers(node), () => {
    const message = `a node is already running in ${dataDir}: stop it, or use another data directory`
    return new RequestError(409, 'DATA_DIR_IN_USE', message)
  })
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
