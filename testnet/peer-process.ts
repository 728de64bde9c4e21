// The main program of one testnet peer: a real node in a process of its own, told over IPC what to do. It ends when the
// channel closes, so that no peer outlives its testnet.

import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { importActors } from '../node/actors-module.ts'
import type { MeshNode, NodeEvents } from '../node/api.ts'
import { errorToWire } from '../node/control/wire.ts'
import { createNode } from '../node/index.ts'
import { Clients } from './chaos/clients.ts'
import { surviveFullDisk } from './disk/full.ts'
import { slowDisk } from './disk/slow.ts'
import type {
  PeerEvent,
  PeerMessage,
  PeerOptions,
  PeerRequest,
  PeerRequestKind,
  PeerRequests,
  PeerSnapshot,
} from './ipc.ts'
import { redirect } from './links/redirect.ts'
import { Load } from './load.ts'

const EVENTS: readonly (keyof NodeEvents)[] = [
  'peer:joined',
  'peer:lost',
  'actor:recovered',
  'actor:passivated',
  'head:changed',
  'deposed',
  'warning',
]

/** Long enough for what it has to say. */
const EXIT_AFTER_MS = 100

let node: MeshNode | undefined
/** Its end was asked for. */
let asked = false
let load: Load | undefined
let clients: Clients | undefined

/** Resolves when it has left this process, or nobody listens any more. */
const tell = (message: PeerMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve())
    else resolve()
  })

function running(): MeshNode {
  if (node === undefined) throw new Error('this peer was not started')
  return node
}

/** pino's own way to a file goes on for ever where the disk is full, and the process hangs. */
function print(line: string): void {
  try {
    writeSync(process.stdout.fd, line)
  } catch {
    // The log is lost, as it is with a full disk.
  }
}

async function start({ actors, routes, ...options }: PeerOptions): Promise<PeerSnapshot> {
  if (routes !== undefined) redirect(routes)
  const logger = pino({ level: process.env['TESTNET_LOG_LEVEL'] ?? 'info', base: null }, { write: print })
  node = await createNode({ ...options, actors: await importActors(actors), logger })
  for (const event of EVENTS) {
    node.on(
      event,
      (detail) => void tell({ kind: 'event', event: { event, detail, at: Date.now() } as PeerEvent }),
    )
  }
  // A node that stops by itself, as with a full disk, is the end of its process, as it is for `mesh node`.
  void node.closed.then(() => {
    if (!asked) setTimeout(() => process.exit(1), EXIT_AFTER_MS)
  })
  return snapshot()
}

function snapshot(): PeerSnapshot {
  const it = running()
  return { status: it.status(), members: it.members(), actors: it.actors(), reports: it.reports() }
}

async function unload(): Promise<undefined> {
  await load?.stop()
  load = undefined
  return undefined
}

async function rest(): Promise<undefined> {
  await clients?.stop()
  clients = undefined
  return undefined
}

const handlers: {
  readonly [K in PeerRequestKind]: (
    body: PeerRequests[K]['request'],
  ) => PeerRequests[K]['response'] | Promise<PeerRequests[K]['response']>
} = {
  start,
  snapshot,
  invite: () => running().invite(),
  call: ({ type, name, method, args, timeoutMs }) =>
    running().call(type, name, method, args, timeoutMs === undefined ? undefined : { timeoutMs }),
  createActor: async ({ type, name }) => {
    await running().createActor(type, name)
    return undefined
  },
  stopActor: async ({ type, name }) => {
    await running().stopActor(type, name)
    return undefined
  },
  load: async (plan) => {
    await unload()
    load = new Load(running(), plan, (report) => void tell({ kind: 'load', report }))
    return undefined
  },
  unload,
  drive: async (plan) => {
    await rest()
    clients = await Clients.start(running(), plan, (event) => tell({ kind: 'operation', event }))
    return undefined
  },
  rest,
  routes: async (routes) => {
    redirect(routes)
    return undefined
  },
  disk: async ({ syncMs }) => {
    await slowDisk(syncMs)
    return undefined
  },
  leave: async () => {
    asked = true
    await running().leave()
    return undefined
  },
  close: async () => {
    asked = true
    await running().close()
    return undefined
  },
}

process.on('message', (request: PeerRequest) => {
  const handle = handlers[request.kind] as (body: unknown) => unknown
  Promise.resolve()
    .then(() => handle(request.body))
    .then(
      (value) => tell({ kind: 'answer', id: request.id, value }),
      (error: unknown) => tell({ kind: 'failure', id: request.id, error: errorToWire(error) }),
    )
})
surviveFullDisk()
process.on('disconnect', () => process.exit(0))
