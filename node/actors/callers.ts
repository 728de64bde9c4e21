// Who may call: a caller counts while the committed registry knows it as live, and is refused for ever once it is over.
//
//  Y1 A boot is over when it is dead; an actor's incarnation when it was stopped, died, or gave way to the next. Both are
//     committed, and never taken back, so results kept for such a caller may go.

import type { CallId } from '../../checkpoint/call-table.ts'
import { actorOfCaller, type CallerId, isBoot } from '../../mesh/ids.ts'
import type { RegistryState } from '../../mesh/registry/types.ts'

export type Standing = 'live' | 'over' | 'unknown'

/** `unknown`: this copy of the registry is behind the caller's, or far ahead of it. */
export function standingOf(registry: RegistryState, caller: CallerId): Standing {
  if (isBoot(caller)) {
    const boot = registry.boots.get(caller)
    if (boot === undefined) return 'unknown'
    return boot.status === 'dead' ? 'over' : 'live'
  }
  const { actor, incarnation } = actorOfCaller(caller)!
  const entry = registry.actors.get(actor)
  if (entry === undefined || entry.incarnation < incarnation) return 'unknown'
  if (entry.incarnation > incarnation) return 'over'
  return entry.status.kind === 'stopped' || entry.status.kind === 'dead' ? 'over' : 'live'
}

/** The call of an agenda itself, and not one made on its behalf: nobody waits for it, or hears its result. */
export const isSend = ({ caller, path }: CallId): boolean => path === '' && !isBoot(caller)

/**
 * Whether a caller whose calls are in a table is refused for ever. A host's registry is never behind what its actors'
 * former hosts knew when they executed a call, so a caller that is not there any more has been forgotten as a dead one.
 */
export function isOver(registry: RegistryState | undefined, caller: CallerId): boolean {
  if (registry === undefined) return true
  const self = actorOfCaller(caller)
  if (self !== undefined && registry.actors.has(self.actor)) return standingOf(registry, caller) === 'over'
  return standingOf(registry, caller) !== 'live'
}
