// The `recover` command: the end of a boot. It closes every journal of the boot at its sealed length, gives each of its
// actors a new epoch with those journals as sources, and reports what became of each (G6).

import type { ActorKey, BootId } from '../ids.ts'
import { sameClass } from './class.ts'
import { isAble, stoppedActor } from './homes.ts'
import type { RegistryTable } from './state.ts'
import type { ActorEntry, ActorReport, Command, CommandResult, JournalEntry, Source } from './types.ts'

/** Actors named one by one in a report; the rest are counted. Keeps the registry's snapshot small. */
const MAX_REPORTED_ACTORS = 200
/** Incident reports kept. */
const MAX_REPORTS = 50

export function settleRecovery(table: RegistryTable, command: Command & { kind: 'recover' }): CommandResult {
  const boot = table.boots.get(command.boot)
  if (!boot || boot.status === 'dead') return { ok: true }
  const journals = journalsOf(table, command.boot)
  const open = journals.filter((journal) => journal.status.kind === 'open')
  const sealed = Object.keys(command.journals)
  if (open.length !== sealed.length || open.some((journal) => !(journal.key in command.journals)))
    return { ok: false, why: 'journals-changed', detail: 'the boot opened or closed a journal meanwhile' }
  for (const journal of open) {
    const { length, hash } = command.journals[journal.key]!
    table.journals.set(journal.key, { ...journal, status: { kind: 'sealed', length, hash } })
  }
  // Before its actors get homes: the head may have decided on the boot itself, when another one had it recovered.
  table.boots.set(command.boot, { ...boot, status: 'dead' })
  const reports: ActorReport[] = []
  const sealedJournals = journalsOf(table, command.boot).sort((a, b) => b.order - a.order)
  for (const actor of table.actors.values()) {
    if (actor.home !== command.boot) continue
    const next = withoutHome(table, actor, sealedJournals, command.homes[actor.key])
    table.actors.set(actor.key, next)
    reports.push(describe(actor.key, next, command.homes[actor.key]))
  }
  table.issued.delete(command.boot)
  forgetOldBoots(table, command.boot)
  table.reports.push({
    id: table.nextReport++,
    at: command.at,
    boot: command.boot,
    cause: command.cause,
    actors: reports.slice(0, MAX_REPORTED_ACTORS),
    more: Math.max(0, reports.length - MAX_REPORTED_ACTORS),
  })
  if (table.reports.length > MAX_REPORTS) table.reports.splice(0, table.reports.length - MAX_REPORTS)
  return { ok: true }
}

/** All unretired journals of a boot, oldest first. */
export function journalsOf(
  table: { journals: ReadonlyMap<string, JournalEntry> },
  boot: BootId,
): JournalEntry[] {
  return [...table.journals.values()]
    .filter((journal) => journal.boot === boot)
    .sort((a, b) => a.order - b.order)
}

function withoutHome(
  table: RegistryTable,
  actor: ActorEntry,
  journals: readonly JournalEntry[],
  home: BootId | undefined,
): ActorEntry {
  if (actor.status.kind === 'stopping') return stoppedActor(actor)
  const restarts = actor.restarts + 1
  const { maxRestarts } = actor.options
  const sources: Source[] = journals
    .filter((journal) => journal.order >= actor.base && sameClass(journal.class, actor.options.class))
    .filter(
      (journal) =>
        !actor.sources.some((source) => source.journal === journal.key && source.epoch === actor.epoch),
    )
    .flatMap((journal) =>
      journal.status.kind === 'open' || journal.status.length === 0
        ? []
        : [{ journal: journal.key, length: journal.status.length, epoch: actor.epoch, order: journal.order }],
    )
  const ended = {
    ...actor,
    home: null,
    epoch: actor.epoch + 1,
    base: 0,
    sources: [...sources, ...actor.sources],
  }
  if (actor.status.kind === 'dead') return ended
  if (maxRestarts >= 0 && restarts > maxRestarts)
    return {
      ...ended,
      restarts,
      status: { kind: 'dead', cause: `its peer was lost and its ${maxRestarts} restart(s) are used up` },
    }
  const able = home !== undefined && isAble(table, home)
  return { ...ended, restarts, home: able ? home : null, status: { kind: 'running' } }
}

function describe(actor: ActorKey, next: ActorEntry, home: BootId | undefined): ActorReport {
  const newest = next.sources[0]
  const from = newest
    ? `from journal ${newest.journal} up to record ${newest.length}`
    : 'from its initial arguments, it had no record yet'
  switch (next.status.kind) {
    case 'stopped':
      return { actor, outcome: 'stopped', detail: 'it was being stopped' }
    case 'dead':
      return { actor, outcome: 'dead', detail: next.status.cause }
    default:
      if (next.home === null)
        return { actor, outcome: 'waiting', detail: `for a peer that can host it, ${from}` }
      return { actor, outcome: 'recovered', detail: `${from}, on ${home}` }
  }
}

/** Dead boots are remembered while a late message of theirs may matter; the newest few per mesh are enough. */
const MAX_DEAD_BOOTS = 256
function forgetOldBoots(table: RegistryTable, latest: BootId): void {
  const dead = [...table.boots.values()].filter((boot) => boot.status === 'dead' && boot.boot !== latest)
  for (const boot of dead.slice(0, Math.max(0, dead.length - MAX_DEAD_BOOTS))) table.boots.delete(boot.boot)
}
