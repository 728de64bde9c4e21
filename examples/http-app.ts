// A web shop whose carts are actors: the mesh is embedded, each instance of the app is a peer. Any instance answers for
// any cart, and when one dies its carts go on at the others, with everything that was answered for.
//
//   DATA_DIR=./a PORT=8001 node examples/http-app.ts
//   DATA_DIR=./b PORT=8002 INVITE="$(mesh invite --data-dir ./a --json | …)" node examples/http-app.ts
//
//   curl -X POST localhost:8001/carts/42 -d '{"sku":"A1","n":2}'
//   curl localhost:8002/carts/42

import { createServer, type IncomingMessage, type Server } from 'node:http'
// In an app: from 'actor-mesh'
import { Actor, createNode, MeshError, type MeshNode } from '../node/index.ts'
import { isProgram, print } from './local-mesh.ts'

export class Cart extends Actor<{ items: Record<string, number> }> {
  override state = { items: {} as Record<string, number> }

  add(sku: string, n: number): Record<string, number> {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError('n must be a whole number from 1')
    this.state.items[sku] = (this.state.items[sku] ?? 0) + n
    return this.state.items
  }

  items(): Record<string, number> {
    return this.state.items
  }
}

/** An HTTP server whose state is in the mesh. */
export function createApp(node: MeshNode): Server {
  return createServer(async (request, response) => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }
    try {
      const [, kind, id] = (request.url ?? '').split('/')
      if (kind === 'health') return answer(node.status().admitted ? 200 : 503, node.status())
      if (kind !== 'carts' || !id) return answer(404, { error: 'there are only /carts/<id> and /health' })
      const cart = node.actor(Cart, decodeURIComponent(id))
      if (request.method !== 'POST') return answer(200, await cart.items())
      const { sku, n } = await json(request)
      return answer(200, await cart.add(String(sku), Number(n)))
    } catch (error) {
      // What the mesh cannot do now, it may do later; the rest is the request's fault.
      const later =
        error instanceof MeshError &&
        ['ACTOR_UNAVAILABLE', 'MESH_UNAVAILABLE', 'CALL_TIMEOUT'].includes(error.code)
      return answer(later ? 503 : 400, { error: error instanceof Error ? error.message : String(error) })
    }
  })
}

async function json(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>
}

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const node = await createNode({
    dataDir: env['DATA_DIR'] ?? './mesh-data',
    actors: [Cart],
    control: true, // for `mesh status`, `mesh invite`, … beside the app
    ...(env['INVITE'] !== undefined && { invite: env['INVITE'] }),
  })
  const server = createApp(node)
  server.listen(Number(env['PORT'] ?? 8001), '127.0.0.1', () =>
    print(`listening on ${JSON.stringify(server.address())}`),
  )
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      server.close()
      await node.leave()
      process.exit(0)
    })
  }
}

if (isProgram(import.meta.url)) await main(process.env)
