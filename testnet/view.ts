// What the peers of a testnet see, as values for conditions and as text for the dump of one that was not met.

import type { ActorStatus } from '../node/api.ts'
import type { PeerSnapshot } from './ipc.ts'

/** One peer: its process, and what it knows when it answers. */
export interface PeerView {
  readonly index: number
  /** `running`, `frozen`, or why it stopped. */
  readonly process: string
  readonly peerId: string | undefined
  /** Undefined when it is not running or did not answer. */
  readonly seen: PeerSnapshot | undefined
}

/** What live progress shows of a peer. */
export interface PeerGlimpse {
  readonly name: string
  /** As in {@link PeerView}. */
  readonly process: string
  readonly actors: number
  readonly head: boolean
}
export const glimpse = ({ index, process, seen }: PeerView): PeerGlimpse => ({
  name: `peer-${index}`,
  process,
  actors: seen?.status.actorsHere ?? 0,
  head: seen?.status.isHead ?? false,
})

/** A peer that answered. */
export type AnsweringPeer = PeerView & { readonly seen: PeerSnapshot }
export const answering = (views: readonly PeerView[]): readonly AnsweringPeer[] =>
  views.filter((view): view is AnsweringPeer => view.seen !== undefined)

/** Peer ids that a snapshot holds to be alive. */
export const aliveIn = (seen: PeerSnapshot): readonly string[] =>
  seen.members.filter((member) => member.liveness === 'alive').map((member) => member.peerId)

/** Every running peer answers, is admitted, sees exactly the running peers, and all name one head. */
export function isSettled(views: readonly PeerView[]): boolean {
  const up = views.filter((view) => view.process === 'running')
  const heads = new Set(up.map((view) => view.seen?.status.head?.peerId))
  const ids = up.map((view) => view.peerId).sort()
  return (
    up.length > 0 &&
    heads.size === 1 &&
    ids.includes([...heads][0]) &&
    answering(up).length === up.length &&
    answering(up).every(
      ({ seen }) => seen.status.admitted && String([...aliveIn(seen)].sort()) === String(ids),
    )
  )
}

/** What one peer knows of members and actors. */
export type Seen = Pick<PeerSnapshot, 'members' | 'actors'>

/**
 * As seen by a peer: actors that should run and do not on a live peer, or that fewer live peers keep than they ask for and
 * are there, or so few that one more must not be lost. A daemon whose peer is away is not one of them.
 */
export function notWhole({ members, actors }: Seen): readonly ActorStatus[] {
  const there = members.filter(({ liveness }) => liveness === 'alive')
  const alive = new Set(there.map(({ peerId }) => peerId))
  const able = there.filter(({ keep }) => keep).length
  const isKept = (actor: ActorStatus): boolean => {
    const { keepers, keepersWanted } = actor
    const present = copiesOf(actor, members)
    const spare = present === keepers.length || present - 1 > keepers.length / 2
    return present >= Math.min(keepersWanted, able) && spare
  }
  return actors.filter(
    (actor) =>
      actor.status !== 'stopped' &&
      actor.status !== 'dead' &&
      !(actor.daemonOf !== undefined && !alive.has(actor.daemonOf)) &&
      !(actor.status === 'running' && actor.peer !== null && alive.has(actor.peer.peerId) && isKept(actor)),
  )
}
/** No actor lacks anything, nor does the registry: the loss of one more peer is recovered from. */
export const isWhole = ({ status, ...seen }: Pick<PeerSnapshot, keyof Seen | 'status'>): boolean =>
  status.registrySafe && notWhole(seen).length === 0

/** Live peers that keep the actor. */
export const copiesOf = ({ keepers }: ActorStatus, members: Seen['members']): number =>
  keepers.filter(({ peerId }) => members.some((each) => each.peerId === peerId && each.liveness === 'alive'))
    .length

/** A majority of the actor's keepers is left without these peers: it can be recovered while they are away. */
export const recoversWithout = (actor: ActorStatus, lost: readonly (string | undefined)[]): boolean =>
  actor.keepers.filter(({ peerId }) => !lost.includes(peerId)).length * 2 > actor.keepers.length

/** As seen by a peer: the head and any other peer may be lost at the same moment, and every actor comes back. */
export function survivesHeadAndOther(seen: PeerSnapshot): boolean {
  const alive = aliveIn(seen)
  const head = seen.status.head?.peerId
  return (
    alive.length >= 5 &&
    seen.status.registryKeepers >= 5 &&
    isWhole(seen) &&
    alive.every((other) => seen.actors.every((actor) => recoversWithout(actor, [head, other])))
  )
}

const end = (id: string | undefined): string => (id === undefined ? 'unknown' : id.slice(-6))

/** Some lines per peer: its process, its status, its members, where its registry has the actors. */
export function dumpView(view: PeerView): string {
  const title = `peer ${view.index} (${end(view.peerId)}): ${view.process}`
  if (view.seen === undefined) return view.process === 'running' ? `${title}, does not answer` : title
  const { status, members, actors, reports } = view.seen
  const homes = new Map<string, number>()
  for (const actor of actors) {
    const home = `${actor.status}@${actor.peer === null ? 'nobody' : end(actor.peer.peerId)}`
    homes.set(home, (homes.get(home) ?? 0) + 1)
  }
  return [
    title,
    `  head ${end(status.head?.peerId)} term ${status.term} admitted ${status.admitted} registry keepers ${status.registryKeepers} boot ${status.boot.slice(-8)}`,
    `  members ${members.map((member) => `${end(member.peerId)}:${member.liveness}${member.head ? '*' : ''}`).join(' ')}`,
    `  actors ${[...homes].map(([home, n]) => `${home}×${n}`).join(' ') || 'none'}`,
    ...reports.map(
      (report) =>
        `  report ${report.id}: boot ${end(report.boot.split('/')[0])}, ${report.cause}, ${report.actors.length} actors`,
    ),
    ...status.warnings.map((warning) => `  warning: ${warning}`),
  ].join('\n')
}
