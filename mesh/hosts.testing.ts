// Random peers and actors for tests of where actors live, and the rules of placement once more: written from the words of
// docs/embedding.md, slow, and without anything that is kept up to date.

import fc from 'fast-check'
import { type ActorKey, actorKey, type BootId, bootId, peerId } from './ids.ts'
import { Occupancy } from './occupancy.ts'
import type { HostActor, HostCandidate } from './placement.ts'

export type Homes = Map<ActorKey, { readonly actor: HostActor; readonly home: BootId }>

export interface Peer extends Omit<HostCandidate, 'occupancy' | 'head'> {}

/** Candidates with what is on each, the first one there being the head. */
export function candidatesOf(peers: readonly Peer[], homes: Homes): HostCandidate[] {
  const head = headOf(peers)
  return peers.map((peer) => {
    const occupancy = new Occupancy()
    for (const { actor, home } of homes.values())
      if (home === peer.boot) occupancy.count(actor, { load: 1, room: 1 })
    return { ...peer, head: peer === head, occupancy }
  })
}

const headOf = (peers: readonly Peer[]): Peer | undefined => peers.find(({ live }) => live)

/** Why the actor must not live there beside the others; empty where it may. */
export function objection(actor: HostActor, peer: Peer, peers: readonly Peer[], homes: Homes): string {
  const { resources = {}, apartFrom = [], home, peer: bound } = actor.placement ?? {}
  if (!peer.live || peer.leaving || !peer.canHost) return 'not there'
  if (!peer.types.includes(actor.type)) return 'type'
  for (const [label, value] of Object.entries(actor.labels)) if (peer.labels[label] !== value) return 'labels'
  if (actor.keyId !== undefined && actor.keyId !== peer.keyId) return 'key'
  if (bound !== undefined && bound !== peer.peer) return 'bound to another peer'
  if (home === 'head' && peer !== headOf(peers)) return 'not the head'
  const there = [...homes.values()].filter(
    (other) => other.home === peer.boot && other.actor.key !== actor.key,
  )
  for (const [name, amount] of Object.entries(resources)) {
    const used = there.reduce((sum, { actor: other }) => sum + (other.placement?.resources?.[name] ?? 0), 0)
    if (used + amount > (peer.resources?.[name] ?? 0) + 1e-9) return 'resources'
  }
  for (const { actor: other } of there)
    if (apartFrom.includes(other.type) || other.placement?.apartFrom?.includes(actor.type)) return 'apart'
  return ''
}

/** Preferred labels that it does not get there, and the label that it is spread over. */
export function missed({ placement }: HostActor, { labels }: Peer): number {
  const { preferLabels = {}, spread } = placement ?? {}
  let count = spread !== undefined && spread !== 'peer' && labels[spread] === undefined ? 1 : 0
  for (const [label, value] of Object.entries(preferLabels)) if (labels[label] !== value) count += 1
  return count
}

/** How many of its kind, itself left out, live at the same value as that peer. */
export function crowd(actor: HostActor, peer: Peer, peers: readonly Peer[], homes: Homes): number {
  const spread = actor.placement?.spread
  if (spread === undefined) return 0
  const value = (of: Peer): string | undefined => (spread === 'peer' ? of.peer : of.labels[spread])
  return [...homes.values()].filter(({ actor: other, home }) => {
    const host = peers.find(({ boot }) => boot === home)
    return (
      host?.live === true &&
      other.key !== actor.key &&
      other.type === actor.type &&
      other.placement?.spread === spread &&
      value(host) === value(peer)
    )
  }).length
}

export const loadOf = ({ boot }: Peer, homes: Homes): number =>
  [...homes.values()].filter(({ home }) => home === boot).length

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 })
const present = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T

const zone = fc.constantFrom('north', 'south', 'east')
const types = ['Counter', 'Clock', 'Cache']

export const anyPeer = (name: string): fc.Arbitrary<Peer> =>
  fc
    .record({
      zone: maybe(zone),
      disk: maybe(fc.constantFrom('ssd', 'hdd')),
      slots: fc.constantFrom(0, 0.3, 1, 5, 100),
      live: fc.constantFrom(true, true, true, false),
      leaving: fc.constantFrom(false, false, false, true),
      types: fc.constantFrom(types, types, ['Counter']),
      keyId: maybe(fc.constantFrom('k1', 'k1', 'k2')),
    })
    .map(({ slots, live, leaving, types: runs, keyId, ...labels }) => ({
      ...(keyId === undefined ? {} : { keyId }),
      boot: bootId(peerId(name), '1'),
      peer: peerId(name),
      live,
      leaving,
      canHost: true,
      labels: present(labels) as Readonly<Record<string, string>>,
      types: runs,
      resources: { slots },
    }))

export const anyActor = (name: string): fc.Arbitrary<HostActor> =>
  fc
    .record({
      type: fc.constantFrom(...types),
      labels: fc.constantFrom({}, {}, {}, { disk: 'ssd' }),
      resources: maybe(fc.constantFrom({ slots: 0.1 }, { slots: 1 }, { slots: 0.25 })),
      preferLabels: maybe(fc.constantFrom({ zone: 'north' }, { zone: 'north', disk: 'ssd' })),
      spread: maybe(fc.constantFrom('zone', 'peer')),
      apartFrom: fc.option(fc.constantFrom(['Cache'], ['Clock', 'Cache']), { nil: undefined, freq: 6 }),
      home: fc.option(fc.constant('head' as const), { nil: undefined, freq: 6 }),
      keyId: fc.option(fc.constant('k1'), { nil: undefined, freq: 8 }),
      peer: fc.option(fc.constantFrom(peerId('p0'), peerId('p1')), { nil: undefined, freq: 8 }),
    })
    .map(({ type, labels, keyId, ...placement }) => ({
      ...(keyId === undefined ? {} : { keyId }),
      key: actorKey(type, name),
      type,
      labels: present(labels) as Readonly<Record<string, string>>,
      placement: present(placement) as NonNullable<HostActor['placement']>,
    }))

export const anyPeers = (most = 6): fc.Arbitrary<Peer[]> =>
  fc
    .integer({ min: 1, max: most })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => anyPeer(`p${i}`))))
export const anyActors = (most = 25): fc.Arbitrary<HostActor[]> =>
  fc
    .integer({ min: 0, max: most })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => anyActor(`${i}`))))
