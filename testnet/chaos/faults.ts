// What each fault does to a testnet, and how it is undone.
//
//  X1 Every fault that began ends, also when the run is cut short: `healAll` leaves nothing frozen, cut or stopped.
//  X2 At most a minority of the peers is away at a time, except for `kill-all` and partitions: with more nothing can be
//     answered, and the time would show nothing but that.
//  X3 A disk is lost only while every actor has all its copies: what is promised holds while majorities keep their disks.

import { canFillDisk } from '../disk/full.ts'
import type { Condition } from '../links/condition.ts'
import { canLosePackets } from '../packets/netns.ts'
import type { Testnet } from '../testnet.ts'
import { answering, isWhole, type PeerView } from '../view.ts'
import type { FaultKind, PlannedFault } from './plan.ts'

/** A fault that happened, or why it did not. */
export interface FaultRecord {
  readonly kind: FaultKind
  /** On the machine's clock. */
  readonly began: number
  ended?: number
  /** Peers that were away or cut off because of it. */
  readonly peers: readonly number[]
  /** Actors that they hosted when it began, as `<type>/<name>`. */
  readonly actors: readonly string[]
  readonly skipped?: string
}

/** What a fault changes about links while it lasts. */
export interface LinkChange {
  readonly from: number
  readonly to: number
  readonly change: Partial<Condition>
}

export interface Target {
  readonly net: Testnet
  /** As seen a moment ago. */
  readonly views: readonly PeerView[]
  /** Peers that another fault has taken away or cut off. */
  readonly away: ReadonlySet<number>
}

/** Chosen, and ready to begin. */
export interface Attack {
  readonly peers: readonly number[]
  readonly links?: readonly LinkChange[]
  begin?(net: Testnet): Promise<void> | void
  end?(net: Testnet): Promise<void>
}

type Choose = (target: Target, draws: readonly number[]) => Attack | string

const at = <Item>(items: readonly Item[], draw: number): Item | undefined =>
  items[Math.floor(draw * items.length)]
const running = ({ net, away }: Target): readonly number[] =>
  net.peers
    .filter(({ state, index }) => state.kind === 'running' && !away.has(index))
    .map(({ index }) => index)
const spare = ({ net, away }: Target): number => Math.ceil(net.peers.length / 2) - 1 - away.size

/** The peers that a majority of the others takes for the head and for the host of some actor. */
function headOf({ net, views }: Target): number | undefined {
  try {
    return net.headOf(views)
  } catch {
    return undefined
  }
}
function hostsOf({ net, views }: Target): readonly number[] {
  const ids = new Set(answering(views).flatMap(({ seen }) => seen.actors.map((actor) => actor.peer?.peerId)))
  return net.peers.filter(({ peerId }) => peerId !== undefined && ids.has(peerId)).map(({ index }) => index)
}

const one =
  (attack: (peer: number, draws: readonly number[]) => Omit<Attack, 'peers'>): Choose =>
  (target, draws) => {
    if (spare(target) < 1) return 'no more peers can be spared'
    const peer = at(running(target), draws[0]!)
    return peer === undefined ? 'no peer is running' : { peers: [peer], ...attack(peer, draws) }
  }

const killed = (peers: readonly number[]): Attack => ({
  peers,
  begin: async (net) => void (await Promise.all(peers.map((peer) => net.kill(peer)))),
  end: (net) => startAll(net, peers),
})

async function startAll(net: Testnet, peers: readonly number[]): Promise<void> {
  await Promise.all(
    peers.filter((peer) => net.peer(peer).state.kind === 'stopped').map((peer) => net.start(peer)),
  )
}

const among = (
  peers: readonly number[],
  change: Partial<Condition>,
  others: readonly number[],
): LinkChange[] =>
  peers.flatMap((from) =>
    others.flatMap((to) => [
      { from, to, change },
      { from: to, to: from, change },
    ]),
  )
const others = (net: Testnet, peers: readonly number[]): readonly number[] =>
  net.peers.map(({ index }) => index).filter((index) => !peers.includes(index))

const CHOOSE: Readonly<Record<FaultKind, Choose>> = {
  kill: one((peer) => killed([peer])),
  'kill-head': (target) => {
    const head = headOf(target)
    if (head === undefined || !running(target).includes(head)) return 'nobody is known to be head'
    return spare(target) < 1 ? 'no more peers can be spared' : killed([head])
  },
  'kill-host-and-head': (target, draws) => {
    const head = headOf(target)
    const host = at(
      hostsOf(target).filter((peer) => peer !== head && running(target).includes(peer)),
      draws[0]!,
    )
    if (head === undefined || host === undefined || !running(target).includes(head))
      return 'no head or no host'
    if (spare(target) < 2) return 'no more peers can be spared'
    const whole = answering(target.views).every(({ seen }) => isWhole(seen))
    return whole ? killed([head, host]) : 'copies are being restored'
  },
  'kill-all': ({ net, away }) =>
    away.size > 0 ? 'another fault is under way' : killed(net.peers.map(({ index }) => index)),
  freeze: one((peer) => ({
    begin: (net) => net.freeze(peer),
    end: async (net) => {
      if (net.peer(peer).state.kind === 'frozen') net.thaw(peer)
    },
  })),
  stop: one((peer) => ({
    begin: (net) => net.stop(peer),
    end: (net) => startAll(net, [peer]),
  })),
  leave: one((peer) => ({
    begin: (net) => net.leave(peer),
    end: (net) => startAll(net, [peer]),
  })),
  wipe: (target, draws) => {
    if (target.away.size > 0) return 'another fault is under way'
    if (!answering(target.views).every(({ seen }) => isWhole(seen))) return 'copies are being restored'
    const peer = at(running(target), draws[0]!)
    if (peer === undefined) return 'no peer is running'
    return {
      peers: [peer],
      begin: (net) => net.kill(peer),
      end: async (net) => {
        if (net.peer(peer).state.kind === 'stopped') await net.start(peer, { wipe: true })
      },
    }
  },
  'disk-full': (target, draws) => {
    if (!canFillDisk()) return 'this system has no prlimit, with which it is done'
    const chosen = one((peer) => ({
      begin: (net) => net.fillDisk(peer, Math.floor(draws[1]! * MOST_SPARE_BYTES)),
      end: async (net) => void (await net.restart(peer)),
    }))
    return chosen(target, draws)
  },
  'slow-disk': one((peer, draws) => ({
    begin: (net) => net.slowDisk(peer, Math.round(20 * 75 ** draws[1]!)), // 20 to 1500 ms
    end: async (net) => {
      if (net.peer(peer).state.kind === 'running') await net.slowDisk(peer, 0)
    },
  })),
  partition: (target, draws) => {
    const group = target.net.peers
      .map(({ index }) => index)
      .filter((index) => draws[index % draws.length]! < 0.5)
    const rest = others(target.net, group)
    if (group.length === 0 || rest.length === 0) return 'the draw put everybody on one side'
    const minority = group.length < rest.length ? group : rest
    return { peers: minority, links: among(group, { cut: true }, rest) }
  },
  'one-way': (target, draws) => {
    const from = Math.floor(draws[0]! * target.net.peers.length)
    const rest = others(target.net, [from])
    // From it to one, to some, or to all others; or the other way round.
    const to = rest.filter((_, i) => i === 0 || draws[(i + 1) % draws.length]! < 0.6)
    const inwards = draws[6]! < 0.5
    const links = to.map(
      (peer): LinkChange =>
        inwards ? { from: peer, to: from, change: { cut: true } } : { from, to: peer, change: { cut: true } },
    )
    return { peers: [from], links }
  },
  'isolate-host': (target, draws) => {
    const host = at(hostsOf(target), draws[0]!)
    if (host === undefined) return 'nobody hosts anything'
    if (spare(target) < 1) return 'no more peers can be spared'
    return { peers: [host], links: among([host], { cut: true }, others(target.net, [host])) }
  },
  delay: (target, draws) => {
    const peer = Math.floor(draws[0]! * target.net.peers.length)
    const change = { delayMs: Math.round(10 * 50 ** draws[1]!) } // 10 to 500 ms
    return { peers: [], links: among([peer], change, others(target.net, [peer])) }
  },
  throttle: (target, draws) => {
    const peer = Math.floor(draws[0]! * target.net.peers.length)
    const change = { bytesPerSecond: Math.round(16 * 1024 * 16 ** draws[1]!) } // 16 to 256 KiB/s
    return { peers: [], links: among([peer], change, others(target.net, [peer])) }
  },
  reset: (target, draws) => {
    const peer = Math.floor(draws[0]! * target.net.peers.length)
    const cutting: { timer?: NodeJS.Timeout } = {}
    return {
      peers: [],
      begin: (net) => {
        const cut = (): void => {
          for (const other of others(net, [peer])) net.links.reset(peer, other)
        }
        cut()
        cutting.timer = setInterval(cut, RESET_EVERY_MS)
      },
      end: async () => clearInterval(cutting.timer),
    }
  },
  'packet-loss': (target, draws) => {
    if (!canLosePackets()) return 'the run has no network namespace of its own'
    const { net } = target
    const loss = lossOf(draws[1]!, draws[2]!)
    const everybody = draws[3]! < 0.5
    const isAway = everybody && loss > MOST_MILD_LOSS
    if (isAway && spare(target) < 1) return 'no more peers can be spared'
    const peer = at(isAway ? running(target) : net.peers.map(({ index }) => index), draws[0]!)
    if (peer === undefined) return 'no peer is running'
    const rest = others(net, [peer])
    const [outwards, inwards] = [draws[5]! < 0.7, draws[5]! >= 0.3]
    const links = among([peer], { loss }, everybody ? rest : [at(rest, draws[4]!)!])
    return {
      peers: isAway ? [peer] : [],
      links: links.filter(({ from }) => (from === peer ? outwards : inwards)),
    }
  },
}

/** A few records fit, and the next one in part. */
const MOST_SPARE_BYTES = 16 * 1024
/** Long enough for a connection to be made again in between. */
const RESET_EVERY_MS = 400

const MOST_MILD_LOSS = 0.1
/** A bad radio; a broken cable, where connections are made and stall; a cable that is pulled, of which nobody is told. */
function lossOf(which: number, how: number): number {
  if (which < 0.4) return 0.02 * (MOST_MILD_LOSS / 0.02) ** how
  return which < 0.8 ? 0.3 + 0.3 * how : 1
}

/** Whom a planned fault hits now; a sentence where it can't happen at the moment. */
export const choose = ({ kind, draws }: PlannedFault, target: Target): Attack | string =>
  CHOOSE[kind](target, draws)

/** Actors at home on these peers, as somebody else sees it. */
export function hostedBy({ net, views }: Target, peers: readonly number[]): readonly string[] {
  const ids = new Set(peers.map((peer) => net.peer(peer).peerId))
  const witness = answering(views).find(({ index }) => !peers.includes(index)) ?? answering(views)[0]
  return (witness?.seen.actors ?? [])
    .filter((actor) => actor.peer !== null && ids.has(actor.peer.peerId))
    .map((actor) => `${actor.type}/${actor.name}`)
}
