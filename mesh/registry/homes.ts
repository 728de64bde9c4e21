// Who may be an actor's home, and what an actor without a future keeps.

import type { BootId } from '../ids.ts'
import type { ActorEntry, RegistryState } from './types.ts'

/** Admitted, neither recovered nor superseded nor leaving, and willing to host. */
export function isAble(state: RegistryState, boot: BootId): boolean {
  if (state.boots.get(boot)?.status !== 'live') return false
  for (const peer of state.peers.values()) if (peer.boot === boot) return !peer.leaving && peer.canHost
  return false
}

/** A stopped actor needs nothing of its past; its name is free for a new incarnation. */
export function stoppedActor(actor: ActorEntry): ActorEntry {
  return { ...actor, home: null, epoch: actor.epoch + 1, sources: [], base: 0, status: { kind: 'stopped' } }
}
