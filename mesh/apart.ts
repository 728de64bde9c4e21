// Peers that know this mesh's secret and yet are no part of it: they belong to another mesh, or to another rescue of this
// one (ADR 0009, P1 in pointer.ts). Nothing of theirs is taken, nothing is told them, and people hear of it.

import type { Env } from './env.ts'
import type { PeerId } from './ids.ts'
import type { Pointer } from './log-types.ts'
import type { MeshMessage } from './messages.ts'
import type { PointerStore } from './pointer.ts'

export class Apart {
  readonly #env: Env
  readonly #pointers: PointerStore
  readonly #peers = new Map<PeerId, string>()

  constructor(env: Env, pointers: PointerStore) {
    this.#env = env
    this.#pointers = pointers
  }

  /** Who is refused at present, and why, in words. */
  get peers(): ReadonlyMap<PeerId, string> {
    return this.#peers
  }
  has(peer: PeerId): boolean {
    return this.#peers.has(peer)
  }

  /** A new stream: it may have changed sides. */
  connected(peer: PeerId): void {
    this.#peers.delete(peer)
  }

  /** Whether the message must not be looked at, because its sender is apart, or shows by it that it is. */
  refuses(from: PeerId, message: MeshMessage): boolean {
    const pointer = pointerIn(message)
    const known = this.#pointers.current
    if (!pointer || !known || this.#pointers.accepts(pointer)) return this.#peers.has(from)
    if (this.#peers.has(from)) return true
    const same = pointer.meshId === known.meshId
    const text = same
      ? `${from} follows another rescue of this mesh (${last(pointer)}, here ${last(known)}): the two are never merged. Decide which one goes on; on the peers of the other, stop the node, move its data directory away, and join again`
      : `${from} belongs to mesh ${pointer.meshId}, this is mesh ${known.meshId}: it is ignored`
    this.#peers.set(from, text)
    this.#env.event({ kind: 'warning', code: same ? 'RESCUED_APART' : 'OTHER_MESH', text })
    // So that it says the same on its side, whoever was first to find out.
    this.#env.send(from, { kind: 'pointer', pointer: known })
    return true
  }
}

const last = ({ rescues }: Pointer): string => rescues.at(-1)?.slice(0, 8) ?? 'none'

function pointerIn(message: MeshMessage): Pointer | undefined {
  return message.kind === 'pointer' || message.kind === 'app' ? message.pointer : undefined
}
