// The `recover` command: the end of a boot. It closes every journal of the boot at its sealed length, gives each of its
// actors a new epoch with those journals as sources, and reports what became of each (G6).
//
// E1 a journal ends shorter than it is known to be only where somebody accepted the loss for its boot. Then every actor
//    that has it as a source is told of in the report.

import type { ActorKey, BootId } from '../ids.ts'
import { sameClass } from './class.ts'
import { end, failedOnce } from './endings.ts'
import { canMoveIn } from './homes.ts'
import { addReport } from './reports.ts'
import type { RegistryTable } from './state.ts'
import type {
  ActorEntry,
  ActorReport,
  BootEntry,
  Command,
  CommandResult,
  JournalEnd,
  JournalEntry,
  RegistryState,
  Source,
} from './types.ts'

/** Journals that ended with loss and are remembered, so that longer copies of them are kept: the newest of them. */
const MAX_CUT_JOURNALS = 4096

export function settleRecovery(table: RegistryTable, command: Command & { kind: 'recover' }): CommandResult {
  const boot = table.boots.get(command.boot)
  if (!boot || !needsRecovery(boot)) return { ok: true }
  const due = journalsToEnd(table, boot)
  if (due.length !== Object.keys(command.journals).length || due.some(({ key }) => !command.journals[key]))
    return { ok: false, why: 'journals-changed', detail: 'the boot opened or closed a journal meanwhile' }
  for (const journal of due) endJournal(table, journal, command.journals[journal.key]!)
  const cut = boot.lossAccepted ? cutSources(table) : new Map<ActorKey, readonly JournalEntry[]>()
  // Before its actors get homes: the head may have decided on the boot itself, when another one had it recovered.
  const { lossAccepted, ...ended } = boot
  table.boots.set(command.boot, { ...ended, status: 'dead' })
  const reports: ActorReport[] = []
  const journals = journalsOf(table, command.boot).sort((a, b) => b.order - a.order)
  for (const actor of table.actors.values()) {
    const loss = lossOf(actor, journals, cut.get(actor.key) ?? [])
    if (actor.home === command.boot) {
      const home = command.homes[actor.key]
      const next = withoutHome(table, actor, journals, home)
      reports.push(describe(next, home, loss))
    } else if (cut.has(actor.key)) reports.push(describe(actor, actor.home, loss))
  }
  table.issued.delete(command.boot)
  forgetOldBoots(table, command.boot)
  addReport(table, { kind: 'lost', at: command.at, boot: command.boot, cause: command.cause }, reports)
  return { ok: true }
}

/** What is left of a boot is given up where it can't be had: its journals are ended with what their keepers have. */
export function giveUp(boot: BootEntry): BootEntry {
  return { ...boot, status: boot.status === 'dead' ? 'dead' : 'superseded', lossAccepted: true }
}

/** True while there is something to recover of a boot that is over. */
export const needsRecovery = (boot: BootEntry): boolean =>
  boot.status !== 'dead' || boot.lossAccepted === true

/** The journals that a recovery of the boot names: its open ones, or all of them where loss is accepted (E1). */
export function journalsToEnd(state: RegistryState, boot: BootEntry): readonly JournalEntry[] {
  const journals = journalsOf(state, boot.boot)
  return boot.lossAccepted ? journals : journals.filter(({ status }) => status.kind === 'open')
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

function endJournal(table: RegistryTable, journal: JournalEntry, end: JournalEnd): void {
  if (journal.status.kind !== 'open' && end.length >= journal.status.length) return
  table.journals.set(journal.key, { ...journal, status: { kind: 'sealed', ...end } })
  if (!end.loss) return
  table.cutJournals.set(journal.key, end.length)
  for (const oldest of table.cutJournals.keys()) {
    if (table.cutJournals.size <= MAX_CUT_JOURNALS) break
    table.cutJournals.delete(oldest)
  }
}

/** Sources end where their journals do (E1). Answers with the journals that each actor lost records of. */
function cutSources(table: RegistryTable): ReadonlyMap<ActorKey, readonly JournalEntry[]> {
  const cut = new Map<ActorKey, JournalEntry[]>()
  for (const actor of table.actors.values()) {
    const lost: JournalEntry[] = []
    const sources = actor.sources.flatMap((source) => {
      const journal = table.journals.get(source.journal)
      if (!journal || journal.status.kind === 'open' || journal.status.length >= source.length) return source
      lost.push(journal)
      return journal.status.length === 0 ? [] : { ...source, length: journal.status.length }
    })
    if (lost.length === 0) continue
    table.actors.set(actor.key, { ...actor, sources })
    cut.set(actor.key, lost)
  }
  return cut
}

function withoutHome(
  table: RegistryTable,
  { key }: ActorEntry,
  journals: readonly JournalEntry[],
  home: BootId | undefined,
): ActorEntry {
  const actor = table.actors.get(key)!
  if (actor.status.kind === 'stopping') return end(table, actor)
  const restarts = actor.restarts + 1
  const counted = failedOnce(
    { ...actor, home: null, restarts },
    actor.failures?.cause ?? '',
    'its peer was lost',
  )
  if (counted.status.kind === 'dead') {
    table.actors.set(key, counted)
    return counted
  }
  const sources: Source[] = journals
    .filter((journal) => mayHold(journal, actor))
    .filter(
      (journal) =>
        !actor.sources.some((source) => source.journal === journal.key && source.epoch === actor.epoch),
    )
    .flatMap((journal) =>
      journal.status.kind === 'open' || journal.status.length === 0
        ? []
        : [{ journal: journal.key, length: journal.status.length, epoch: actor.epoch, order: journal.order }],
    )
  const waiting: ActorEntry = {
    ...counted,
    home: null,
    epoch: actor.epoch + 1,
    base: 0,
    sources: [...sources, ...actor.sources],
    restarts,
    status: { kind: 'running' },
  }
  const next = home !== undefined && canMoveIn(table, home, waiting) ? { ...waiting, home } : waiting
  table.actors.set(key, next)
  return next
}

/** Whether the journal, of the actor's home, may have records that a recovery of the actor needs. */
const mayHold = (journal: JournalEntry, actor: ActorEntry): boolean =>
  journal.order >= actor.base && sameClass(journal.class, actor.options.class)

/** In words, what the actor may have lost; empty where nothing is. */
function lossOf(actor: ActorEntry, own: readonly JournalEntry[], cut: readonly JournalEntry[]): string {
  const lost = new Set([...own.filter((journal) => mayHold(journal, actor)), ...cut])
  return [...lost]
    .flatMap(({ key, status }) => (status.kind === 'sealed' && status.loss ? [{ key, ...status }] : []))
    .map(
      ({ key, length, loss }) =>
        `; possible loss: ${loss?.answered} of ${loss?.keepers} keepers of journal ${key} were there, what it held beyond record ${length} is gone`,
    )
    .join('')
}

function describe(next: ActorEntry, home: BootId | null | undefined, loss: string): ActorReport {
  const { key: actor } = next
  const newest = next.sources[0]
  const state = newest
    ? `from journal ${newest.journal} up to record ${newest.length}`
    : 'from its initial arguments, it had no record yet'
  const from = loss && !newest ? `from its initial arguments${loss}` : `${state}${loss}`
  switch (next.status.kind) {
    case 'stopped':
      return { actor, outcome: 'stopped', detail: 'it was being stopped' }
    case 'dead':
      return { actor, outcome: 'dead', detail: next.status.cause }
    default:
      if (next.home === null) {
        const who = next.options.placement?.peer === undefined ? 'a peer that can host it' : 'its peer'
        return { actor, outcome: 'waiting', detail: `for ${who}, ${from}` }
      }
      return { actor, outcome: 'recovered', detail: `${from}, on ${home}` }
  }
}

/** Dead boots are remembered while a late message of theirs may matter; the newest few per mesh are enough. */
const MAX_DEAD_BOOTS = 256
function forgetOldBoots(table: RegistryTable, latest: BootId): void {
  // One whose journals are still needed can be named by `acceptLoss`.
  const writers = new Set([...table.journals.values()].map(({ boot }) => boot))
  const dead = [...table.boots.values()].filter(
    ({ boot, status }) => status === 'dead' && boot !== latest && !writers.has(boot),
  )
  for (const { boot } of dead.slice(0, Math.max(0, dead.length - MAX_DEAD_BOOTS))) table.boots.delete(boot)
}
