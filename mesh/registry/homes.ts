// Who may be an actor's home, and what an actor without a future keeps.

import type { BootId } from '../ids.ts'
import { hasRoom } from '../placement-fit.ts'
import { occupantOf } from './actor-table.ts'
import type { ActorEntry, PeerEntry, RegistryState } from './types.ts'

const NO_ARGUMENTS = new Uint8Array()

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
  const pinnedTo = actor.options.placement?.peer
  if (peer === undefined || (pinnedTo !== undefined && pinnedTo !== peer.peer)) return false
  const { keyId } = actor.options
  if (keyId !== undefined && keyId !== peer.keyId) return false
  return hasRoom(occupantOf(actor), peer.resources, state.actors.at(boot))
}

/** A stopped actor; its name is free for a new incarnation. */
export const stoppedActor = (actor: ActorEntry): ActorEntry => overFor(actor, { kind: 'stopped' })

/** An actor that will not come back. */
export const deadActor = (actor: ActorEntry, cause: string): ActorEntry =>
  overFor(actor, { kind: 'dead', cause })

/** Nothing of its past is needed any more; what is left tells it from the next one of its name. */
function overFor(actor: ActorEntry, status: ActorEntry['status']): ActorEntry {
  const epoch = actor.epoch + 1
  return { ...actor, init: NO_ARGUMENTS, home: null, epoch, sources: [], base: 0, status }
}
