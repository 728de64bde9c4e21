// Who may be an actor's home, and what an actor without a future keeps.

import type { BootId } from '../ids.ts'
import type { ActorEntry, RegistryState } from './types.ts'

const NO_ARGUMENTS = new Uint8Array()

/** Admitted, neither recovered nor superseded nor leaving, and willing to host. */
export function isAble(state: RegistryState, boot: BootId): boolean {
  if (state.boots.get(boot)?.status !== 'live') return false
  for (const peer of state.peers.values()) if (peer.boot === boot) return !peer.leaving && peer.canHost
  return false
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
