// How actors end: by a stop, a kill, a deletion, or because too many of their starts came to nothing. Where a home still has
// it, a command only says what is to become of it; that is done when its home has released it, or was recovered (A1).

import { deadActor, stoppedActor } from './homes.ts'
import { forgetName } from './life-numbers.ts'
import type { RegistryTable } from './state.ts'
import type { ActorEntry, Command, CommandResult } from './types.ts'

const done: CommandResult = { ok: true }
const KILLED = 'it was killed'
type Of<Kind extends Command['kind']> = Command & { kind: Kind }

export function stop(table: RegistryTable, { actor: key, incarnation }: Of<'stop'>): CommandResult {
  const actor = table.actors.get(key)
  if (!actor) return { ok: false, why: 'unknown-actor', detail: `${key} does not exist` }
  if (actor.incarnation !== incarnation) return done
  if (actor.status.kind === 'stopped') return done
  if (actor.status.kind === 'stopping') {
    const { cause, ...status } = actor.status
    table.actors.set(key, { ...actor, status })
  } else if (actor.home === null) table.actors.set(key, stoppedActor(actor))
  else table.actors.set(key, { ...actor, status: { kind: 'stopping' } })
  return done
}

export function kill(
  table: RegistryTable,
  { actor: key, incarnation, epoch, restart }: Of<'kill'>,
): CommandResult {
  const actor = table.actors.get(key)
  if (!actor) return { ok: false, why: 'unknown-actor', detail: `${key} does not exist` }
  if (actor.incarnation !== incarnation) return done
  const { status } = actor
  if (status.kind === 'stopped' || status.kind === 'dead') return done
  if (status.kind === 'stopping') table.actors.set(key, { ...actor, status: { ...status, killed: true } })
  else if (!restart && actor.home === null)
    end(table, { ...actor, status: { kind: 'stopping', killed: true } })
  else if (!restart) table.actors.set(key, { ...actor, status: { kind: 'stopping', killed: true } })
  else if (actor.epoch === epoch && actor.home !== null) {
    const to = status.kind === 'moving' && status.to !== undefined ? { to: status.to } : {}
    table.actors.set(key, { ...actor, status: { kind: 'moving', ...to, killed: true } })
  }
  return done
}

export function deleteActor(table: RegistryTable, { actor: key, incarnation }: Of<'delete'>): CommandResult {
  const actor = table.actors.get(key)
  if (actor?.incarnation !== incarnation) return done
  const status = actor.status.kind === 'stopping' ? actor.status : { kind: 'stopping' as const }
  const next: ActorEntry = { ...actor, status: { ...status, deleted: true } }
  const isOver = actor.status.kind === 'stopped' || actor.status.kind === 'dead'
  if (isOver || actor.home === null) end(table, next)
  else table.actors.set(key, next)
  return done
}

/** A stopping actor has no home any more: what becomes of its entry. */
export function end(table: RegistryTable, actor: ActorEntry): ActorEntry {
  const { status } = actor
  const cause = causeOfDeath(status)
  const next = cause === undefined ? stoppedActor(actor) : deadActor(actor, cause)
  if (status.kind !== 'stopping' || !status.deleted) {
    table.actors.set(actor.key, next)
    return next
  }
  // A7: what was written, sent or reported under a number is never taken for what another actor of the name has.
  forgetName(table, actor.key, next)
  return next
}

function causeOfDeath(status: ActorEntry['status']): string | undefined {
  if (status.kind !== 'stopping') return undefined
  return status.killed ? KILLED : status.cause
}

/**
 * Counts a start that came to nothing. Once there are more of them in a row than restarts allowed, the actor is given up:
 * it is dead where no home has it, and otherwise will be when its home has released it.
 */
export function failedOnce(actor: ActorEntry, cause: string, what: string): ActorEntry {
  const { maxRestarts } = actor.options
  const count = (actor.failures?.count ?? 0) + 1
  const next = { ...actor, failures: { count, cause } }
  if (maxRestarts < 0 || count <= maxRestarts) return next
  const last = cause === '' ? '' : `. The last start: ${cause}`
  return givenUp(next, `${what} and its ${maxRestarts} restart(s) are used up${last}`)
}

const givenUp = (actor: ActorEntry, cause: string): ActorEntry =>
  actor.home === null ? deadActor(actor, cause) : { ...actor, status: { kind: 'stopping', cause } }

/** A kill counts as a start that came to nothing. */
export const restartedByKill = (actor: ActorEntry): ActorEntry => ({
  ...failedOnce(actor, '', KILLED),
  restarts: actor.restarts + 1,
})

export function failed(
  table: RegistryTable,
  issuer: string,
  { actor: key, epoch, cause, again, counts }: Of<'failed'>,
): CommandResult {
  const actor = table.actors.get(key)
  if (!actor || actor.epoch !== epoch || actor.home !== issuer)
    return { ok: false, why: 'stale-epoch', detail: `${key} has moved meanwhile` }
  if (actor.status.kind !== 'running') return done
  // Its host may have started it since: what it serves then ends as everything that it serves, with a release (A1).
  if (!again) table.actors.set(key, givenUp(actor, cause))
  else if (counts) table.actors.set(key, failedOnce(actor, cause, 'it does not start'))
  else table.actors.set(key, { ...actor, failures: { count: actor.failures?.count ?? 0, cause } })
  return done
}

export function started(table: RegistryTable, { boot, steady, actors }: Of<'started'>): CommandResult {
  for (const { actor: key, epoch } of actors) {
    const actor = table.actors.get(key)
    if (!actor?.failures || actor.home !== boot || actor.epoch !== epoch) continue
    const { failures, ...rest } = actor
    table.actors.set(key, steady ? rest : { ...rest, failures: { ...failures, cause: '' } })
  }
  return done
}
