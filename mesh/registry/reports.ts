// Incident reports: a bounded list in the registry, so that every peer can tell what became of what (G6).

import type { RegistryTable } from './state.ts'
import type { ActorReport, Report } from './types.ts'

/** Actors named one by one in a report; the rest are counted. Keeps the registry's snapshot small. */
const MAX_REPORTED_ACTORS = 200
/** Incident reports kept. */
const MAX_REPORTS = 50

export function addReport(
  table: RegistryTable,
  what: Pick<Report, 'kind' | 'at' | 'boot' | 'cause'>,
  actors: readonly ActorReport[],
): void {
  table.reports.push({
    id: table.nextReport++,
    ...what,
    actors: actors.slice(0, MAX_REPORTED_ACTORS),
    more: Math.max(0, actors.length - MAX_REPORTED_ACTORS),
  })
  if (table.reports.length > MAX_REPORTS) table.reports.splice(0, table.reports.length - MAX_REPORTS)
}
