// Where peers can be reached: what is told of the keepers of a term, what goes to disk, and whom to stay connected to.

import type { Env } from './env.ts'
import type { PeerId } from './ids.ts'
import type { Pointer, StoreFacts } from './log-types.ts'
import type { Membership } from './membership/membership.ts'
import type { Member } from './membership/types.ts'
import type { PointerStore } from './pointer.ts'
import type { Follower } from './registry/follower.ts'
import type { PeerEntry, RegistryState } from './registry/types.ts'

export interface AddressesParts {
  readonly env: Env
  readonly membership: Membership
  readonly pointers: PointerStore
  readonly follower: Follower
}

/** What the wish to be connected follows from; each of them is another object once it has changed. */
interface Seen {
  readonly members: readonly Member[]
  readonly pointer: Pointer | undefined
  readonly registry: RegistryState | undefined
  /** Most changes of the registry are none of these. */
  readonly peers: readonly PeerEntry[]
}

type Wanted = ReadonlyMap<PeerId, readonly string[]>

export class Addresses {
  readonly #parts: AddressesParts
  readonly #onDisk: Map<PeerId, string>
  #seen: Seen | undefined
  #wanted: Wanted | undefined

  constructor(parts: AddressesParts, stored: StoreFacts['peers']) {
    this.#parts = parts
    this.#onDisk = new Map(
      Object.entries(stored).map(([peer, addresses]) => [peer as PeerId, addresses.join(' ')]),
    )
  }

  of(peers: readonly PeerId[]): Pointer['addresses'] {
    const { membership } = this.#parts
    const entries = peers.map((peer) => [peer, membership.get(peer)?.description.addresses ?? []] as const)
    return Object.fromEntries(entries) as Pointer['addresses']
  }

  /** Remembers and asks for what follows from what changed since the last time. */
  tick(): void {
    const { membership, pointers, follower } = this.#parts
    const members = membership.members()
    const pointer = pointers.current
    const registry = follower.state
    const seen = this.#seen
    const isUnmoved = seen !== undefined && seen.pointer === pointer && seen.registry === registry
    if (isUnmoved && seen.members === members) return
    const same = seen !== undefined && seen.pointer === pointer && areReachedAlike(seen.members, members)
    const peers = isUnmoved ? seen.peers : [...(registry?.peers.values() ?? [])]
    this.#seen = { members, pointer, registry, peers }
    if (same && peers.length === seen.peers.length && peers.every((entry, i) => entry === seen.peers[i]))
      return
    this.#remember(this.#seen)
    this.#want(this.#seen)
  }

  /**
   * Where peers were last reachable goes to disk, so that a whole mesh can find itself again after a stop. Not of those who
   * left: once the view has forgotten them they would be looked for, for ever. One that is gone and has no place in the
   * registry has left, too: its farewell was lost.
   */
  #remember({ members, registry }: Seen): void {
    const { env } = this.#parts
    const changed: Record<PeerId, readonly string[]> = {}
    for (const { peer, liveness, description } of members) {
      const hasLeft = liveness === 'left' || (liveness === 'dead' && registry?.peers.has(peer) === false)
      const addresses = liveness === 'alive' ? description.addresses : []
      if (peer === env.self || (addresses.length === 0 && !hasLeft)) continue
      const text = addresses.join(' ')
      if ((this.#onDisk.get(peer) ?? '') === text) continue
      this.#onDisk.set(peer, text)
      changed[peer] = addresses
    }
    if (Object.keys(changed).length > 0) env.persist({ peers: changed }, () => {})
  }

  /** Peers to stay connected to: everybody heard of who did not leave. */
  #want({ members, pointer, peers }: Seen): void {
    const { env } = this.#parts
    const wanted = new Map<PeerId, readonly string[]>()
    for (const [peer, addresses] of this.#onDisk) if (addresses !== '') wanted.set(peer, addresses.split(' '))
    for (const [peer, addresses] of Object.entries(pointer?.addresses ?? {}))
      if (addresses.length > 0) wanted.set(peer as PeerId, addresses)
    for (const entry of peers) wanted.set(entry.peer, entry.addresses)
    for (const { peer, liveness, description } of members) {
      if (liveness === 'left') wanted.delete(peer)
      else if (description.addresses.length > 0) wanted.set(peer, description.addresses)
    }
    wanted.delete(env.self)
    if (this.#wanted && areSame(wanted, this.#wanted)) return
    this.#wanted = wanted
    env.emit({ type: 'want', peers: wanted })
  }
}

/** Most changes of the view are of a load, which every pong of a busy mesh brings and which nothing here follows from. */
const areReachedAlike = (before: readonly Member[], after: readonly Member[]): boolean =>
  before === after ||
  (before.length === after.length && after.every((member, i) => isAlike(member, before[i]!)))

const isAlike = (a: Member, b: Member): boolean =>
  a === b || (a.peer === b.peer && a.liveness === b.liveness && a.description === b.description)

function areSame(a: Wanted, b: Wanted): boolean {
  if (a.size !== b.size) return false
  const others = b.entries()
  for (const [peer, addresses] of a) {
    const [other, theirs] = others.next().value!
    if (peer !== other) return false
    if (addresses !== theirs && addresses.join(' ') !== theirs.join(' ')) return false
  }
  return true
}
