// Who may be an actor's home, and what an actor without a future keeps.

import type { BootId } from '../ids.ts'
import { hasRoom } from '../placement-fit.ts'
import { occupantOf } from './actor-table.ts'
import type { ActorEntry, PeerEntry, RegistryState } from './types.ts'

/** Admitted, neither recovered nor superseded nor leaving, and willing to host: the peer of that boot. */
function ablePeer(state: RegistryState, boot: BootId): PeerEntry | undefined {
  if (state.boots.get(boot)?.status !== 'live') return undefined
  for (const peer of state.peers.values())
    if (peer.boot === boot) return !peer.leaving && peer.canHost ? peer : undefined
  return undefined
}

/** The actor, which lives nowhere at the moment, may live on that boot (A6). */
export function canMoveIn(state: RegistryState, boot: BootId, actor: ActorEntry): boolean {
  const peer = ablePeer(state, boot)
  return peer !== undefined && hasRoom(occupantOf(actor), peer.resources, state.actors.at(boot))
}

/** A stopped actor needs nothing of its past; its name is free for a new incarnation. */
export function stoppedActor(actor: ActorEntry): ActorEntry {
  return { ...actor, home: null, epoch: actor.epoch + 1, sources: [], base: 0, status: { kind: 'stopped' } }
}
