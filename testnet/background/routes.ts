// What a testnet in the background does when it is asked.

import { z } from 'zod'
import { badInput, RequestError } from '../../node/control/serve.ts'
import type { Testnet } from '../testnet.ts'
import type { PeerView } from '../view.ts'
import { peerDir } from './state.ts'
import type { BackgroundMethods, BackgroundPeer, BackgroundRoute, BackgroundStatus } from './wire.ts'

type Handlers = {
  readonly [R in BackgroundRoute]: (
    body: unknown,
  ) => BackgroundMethods[R]['response'] | Promise<BackgroundMethods[R]['response']>
}

const peer = z.object({ peer: z.number().int() })
const start = z.object({ peer: z.number().int(), wipe: z.boolean() })
const cut = z.object({ from: z.number().int(), to: z.number().int(), oneWay: z.boolean() })

/** `net` refuses while the peers are still starting; `down` ends everything. */
export function backgroundRoutes(net: () => Testnet, down: () => Promise<void>): Handlers {
  /** A peer whose process is in one of these states, or a sentence. */
  const inState = (index: number, ...wanted: readonly string[]): number => {
    const { peers } = net()
    const found = peers[index]
    if (found === undefined)
      throw badInput(`there is no peer ${index} in this testnet: ${range(peers.length)}`)
    const { state } = found
    if (wanted.includes(state.kind)) return index
    const is = state.kind === 'stopped' ? `not running (${state.why})` : state.kind
    throw new RequestError(409, 'PEER_STATE', `peer ${index} is ${is}, it has to be ${wanted.join(' or ')}`)
  }
  return {
    'GET /v1/testnet': () => statusOf(net()),
    'POST /v1/kill': async (body) => {
      await net().kill(inState(read(peer, body).peer, 'running', 'frozen'))
      return {}
    },
    'POST /v1/freeze': (body) => {
      net().freeze(inState(read(peer, body).peer, 'running'))
      return {}
    },
    'POST /v1/thaw': (body) => {
      net().thaw(inState(read(peer, body).peer, 'frozen'))
      return {}
    },
    'POST /v1/start': async (body) => {
      const { peer: index, wipe } = read(start, body)
      await net().start(inState(index, 'stopped'), { wipe })
      return {}
    },
    'POST /v1/cut': (body) => {
      const { from, to, oneWay } = read(cut, body)
      for (const index of [from, to]) inState(index, 'running', 'frozen', 'stopped')
      if (from === to) throw badInput(`a peer has no link to itself: name two of them`)
      net().links.set(from, to, { cut: true })
      if (!oneWay) net().links.set(to, from, { cut: true })
      return {}
    },
    'POST /v1/heal': () => {
      net().links.healAll()
      return {}
    },
    'POST /v1/down': async () => {
      await down()
      return {}
    },
  }
}

const range = (peers: number): string => (peers === 1 ? 'it has peer 0' : `it has peers 0 to ${peers - 1}`)

function read<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw badInput(`${issue?.path.join('.') || 'the request'}: ${issue?.message ?? 'is not what it should be'}`)
}

async function statusOf(net: Testnet): Promise<BackgroundStatus> {
  const indexes = net.peers.map(({ index }) => index)
  const pairs = indexes.flatMap((from) => indexes.map((to) => ({ from, to })))
  return {
    dir: net.dir,
    pid: process.pid,
    peers: (await net.views()).map((view) => peerOf(net, view)),
    cuts: pairs.filter(({ from, to }) => from !== to && net.links.condition(from, to).cut),
  }
}

function peerOf(net: Testnet, { index, process, peerId, seen }: PeerView): BackgroundPeer {
  const { pid } = net.peer(index)
  return {
    index,
    name: `peer-${index}`,
    ...(pid !== undefined && { pid }),
    process,
    ...(peerId !== undefined && { peerId }),
    dataDir: peerDir(net.dir, index),
    ...(seen !== undefined && {
      isHead: seen.status.isHead,
      actors: seen.status.actorsHere,
      sees: seen.status.members,
    }),
  }
}
