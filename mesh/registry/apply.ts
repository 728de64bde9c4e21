// The registry's only mutation: `applyCommand` edits the table by one committed command and says what came of it. It is
// deterministic and total: every peer that applies the same log has the same table.
//
// A1 an assignment ends only by `recover` (its boot's journals are sealed) or `released` (its release is acknowledged) (R4).
// A2 an actor gets a home only where it has none; every end of an assignment raises its epoch.
// A3 `recover` names exactly the boot's unretired journals, each sealed or closed; after it nothing of that boot is accepted.
// A4 a journal is retired only when no actor may need it as a source.
// A5 a command's number is applied once per boot; below the floor it is refused, and so is every command of a dead boot.
// A6 a boot offers what all actors at home there need together, none of them keeps apart from another, none is pinned to
//    another peer, and it has the key that they need. Whatever the head planned, this is checked here, where everything before is applied.
// A8 a mesh has one key, or none: that of the first peer with one, as long as there is no actor. No peer with another one
//    is admitted, and from then on no actor is made without it.
// A7 a name never has the same incarnation or epoch twice, not even after it was deleted.

import { type ActorKey, type BootId, nameOfActor, type StoreId, typeOfActor } from '../ids.ts'
import { sameClass } from './class.ts'
import { deleteActor, end, failed, kill, restartedByKill, started, stop } from './endings.ts'
import { canMoveIn } from './homes.ts'
import { nextLife } from './life-numbers.ts'
import { giveUp, settleRecovery } from './recover.ts'
import type { RegistryTable } from './state.ts'
import type {
  ActorEntry,
  Command,
  CommandResult,
  IssuedCommand,
  JournalEntry,
  PeerEntry,
  RejectReason,
  Source,
} from './types.ts'

const done: CommandResult = { ok: true }
const reject = (why: RejectReason, detail: string): CommandResult => ({ ok: false, why, detail })

export function applyIssued(table: RegistryTable, { boot, n, floor, command }: IssuedCommand): CommandResult {
  // What is known of its commands went with it: this one may have been applied before.
  if (table.boots.get(boot)?.status === 'dead')
    return reject('boot-dead', 'this boot was given up, and what it still asks for is void')
  const issued = table.issued.get(boot) ?? { floor: 0, results: new Map() }
  const before = issued.results.get(n)
  if (before) return before
  if (n < issued.floor) return reject('expired', `command ${n} was settled long ago`)
  const result = applyCommand(table, boot, command)
  issued.floor = Math.max(issued.floor, floor)
  for (const old of issued.results.keys()) if (old < issued.floor) issued.results.delete(old)
  issued.results.set(n, result)
  if (table.boots.get(boot)?.status !== 'dead') table.issued.set(boot, issued)
  forgetStrangers(table)
  return result
}

/** Of boots that left, or were never admitted, only the newest may still repeat a command. */
const MAX_STRANGERS = 256
function forgetStrangers({ issued, boots }: RegistryTable): void {
  if (issued.size <= boots.size + MAX_STRANGERS) return
  for (const boot of issued.keys()) {
    if (issued.size <= boots.size + MAX_STRANGERS) return
    if (!boots.has(boot)) issued.delete(boot)
  }
}

function applyCommand(table: RegistryTable, issuer: BootId, command: Command): CommandResult {
  switch (command.kind) {
    case 'noop':
      return done
    case 'admit':
      return admit(table, command)
    case 'leaving':
      return leaving(table, command)
    case 'left':
      return left(table, command)
    case 'open':
      return open(table, command)
    case 'close':
      return close(table, issuer, command)
    case 'retire':
      return retire(table, command)
    case 'trim':
      return trim(table, command)
    case 'recover':
      return settleRecovery(table, command)
    case 'acceptLoss':
      return acceptLoss(table, command)
    case 'create':
      return create(table, command)
    case 'assign':
      return assign(table, command)
    case 'move':
      return move(table, command)
    case 'stop':
      return stop(table, command)
    case 'kill':
      return kill(table, command)
    case 'delete':
      return deleteActor(table, command)
    case 'released':
      return released(table, command)
    case 'failed':
      return failed(table, issuer, command)
    case 'started':
      return started(table, command)
  }
}

function admit(table: RegistryTable, { entry, previous }: Command & { kind: 'admit' }): CommandResult {
  const known = table.peers.get(entry.peer)
  const foreign = reject(
    'store-foreign',
    'this data directory is a copy of, or older than, the one this mesh knows',
  )
  if (isElsewhere(table, entry)) return foreign
  const wrongKey = keyProblem(table, entry) // A8
  if (wrongKey) return wrongKey
  const own = table.boots.get(entry.boot)
  if (own && own.status !== 'live') return reject('boot-dead', 'this boot was given up: take a new one')
  const newest = newestOn(table, entry.store, known)
  const isNewest = newest === undefined || newest === entry.boot || previous.includes(newest)
  if (!isNewest && !known?.outdated) return foreign
  if (known && known.boot !== entry.boot) {
    const old = table.boots.get(known.boot)
    if (old?.status === 'live') table.boots.set(known.boot, { ...old, status: 'superseded' })
  }
  table.keyId ??= entry.keyId
  const leavingStill = known?.boot === entry.boot && known.leaving
  table.peers.set(entry.peer, { ...entry, leaving: leavingStill })
  table.boots.set(entry.boot, { boot: entry.boot, store: entry.store, status: 'live' })
  return done
}

function keyProblem({ keyId, actors }: RegistryTable, entry: { keyId?: string }): CommandResult | undefined {
  if (entry.keyId === undefined || entry.keyId === keyId) return undefined
  if (keyId !== undefined)
    return reject(
      'wrong-key',
      `this mesh is encrypted with the key of id ${keyId}, and this peer has another one (id ${entry.keyId}): give it the right key, or none to keep copies only`,
    )
  if (actors.size === 0) return undefined
  return reject(
    'wrong-key',
    'this mesh has actors that are not encrypted: start this peer without a key, or found another mesh with one',
  )
}

/** Another peer has that very store. */
const isElsewhere = (table: RegistryTable, { peer, store }: Pick<PeerEntry, 'peer' | 'store'>): boolean =>
  [...table.peers.values()].some((other) => other.store === store && other.peer !== peer)

/** The boot that was last admitted with that store, even if its peer had another one since. */
function newestOn(table: RegistryTable, store: StoreId, known: PeerEntry | undefined): BootId | undefined {
  if (known?.store === store) return known.boot
  return [...table.boots.values()].findLast((boot) => boot.store === store)?.boot
}

function acceptLoss(
  table: RegistryTable,
  { boot: key, refusal }: Command & { kind: 'acceptLoss' },
): CommandResult {
  const boot = table.boots.get(key)
  if (!boot) return reject('unknown-boot', `there is no boot ${key} in the registry`)
  if (boot.lossAccepted) return done
  if (refusal !== null) return reject('recoverable', refusal)
  table.boots.set(key, giveUp(boot))
  return done
}

function leaving(table: RegistryTable, { peer, boot }: Command & { kind: 'leaving' }): CommandResult {
  const entry = table.peers.get(peer)
  if (entry?.boot !== boot) return reject('boot-dead', 'not the admitted boot of this peer')
  table.peers.set(peer, { ...entry, leaving: true })
  for (const actor of table.actors.values())
    if (actor.home === boot && actor.status.kind === 'running')
      table.actors.set(actor.key, { ...actor, status: { kind: 'moving' } })
  return done
}

function left(table: RegistryTable, { peer, boot }: Command & { kind: 'left' }): CommandResult {
  const entry = table.peers.get(peer)
  if (entry?.boot !== boot) return reject('boot-dead', 'not the admitted boot of this peer')
  if (!entry.leaving) return reject('not-leaving', 'it may still be made a home or a keeper') // L1 in leaving.ts
  for (const actor of table.actors.values())
    if (actor.home === boot) return reject('not-home', `${actor.key} is still hosted here`)
  for (const { boot: writer, status, keepers } of table.journals.values()) {
    if (writer === boot && status.kind === 'open')
      return reject('journal-in-use', 'a journal of this boot is still open')
    if (keepers.some(({ store }) => store === entry.store))
      return reject('journal-in-use', 'its store still keeps a journal')
  }
  table.peers.delete(peer)
  table.boots.delete(boot)
  table.issued.delete(boot)
  // Nothing is kept by its store, so an older state of it could not tell anything wrong: no boot speaks for it any more.
  for (const old of table.boots.values())
    if (old.store === entry.store) table.boots.set(old.boot, { ...old, store: null })
  return done
}

function open(table: RegistryTable, command: Command & { kind: 'open' }): CommandResult {
  const boot = table.boots.get(command.boot)
  if (boot?.status !== 'live') return reject('boot-dead', 'this boot may not open journals any more')
  if (command.keepers.length === 0)
    return reject('no-keepers', 'no connected peer may keep a journal of this class')
  if (table.journals.has(command.journal)) return done
  const { journal: key, boot: owner, class: journalClass, keepers } = command
  table.journals.set(key, {
    key,
    boot: owner,
    class: journalClass,
    keepers,
    order: table.nextOrder++,
    status: { kind: 'open' },
  })
  return done
}

function close(
  table: RegistryTable,
  issuer: BootId,
  { journal: key, length }: Command & { kind: 'close' },
): CommandResult {
  const journal = table.journals.get(key)
  if (!journal) return reject('unknown-journal', 'not in the registry')
  if (journal.boot !== issuer) return reject('not-home', 'only its writer closes a journal')
  if (journal.status.kind !== 'open') return done
  table.journals.set(key, { ...journal, status: { kind: 'closed', length } })
  for (const actor of table.actors.values())
    if (
      actor.home === journal.boot &&
      actor.base <= journal.order &&
      sameClass(actor.options.class, journal.class)
    )
      table.actors.set(actor.key, {
        ...actor,
        sources: [sourceIn(journal, length, actor.epoch), ...actor.sources],
      })
  return done
}

function sourceIn(journal: JournalEntry, length: number, epoch: number): Source {
  return { journal: journal.key, length, epoch, order: journal.order }
}

function retire(table: RegistryTable, { journals }: Command & { kind: 'retire' }): CommandResult {
  const needed = neededJournals(table)
  for (const key of journals) {
    const journal = table.journals.get(key)
    if (journal && needed.has(key)) return reject('journal-in-use', `journal ${key} may still hold state`)
  }
  for (const key of journals) table.journals.delete(key)
  return done
}

/** Journals that recovery may read: open ones, and those an actor names as a source (A4). */
export function neededJournals(table: {
  journals: ReadonlyMap<string, JournalEntry>
  actors: ReadonlyMap<ActorKey, ActorEntry>
}): Set<string> {
  const needed = new Set<string>()
  for (const journal of table.journals.values()) if (journal.status.kind === 'open') needed.add(journal.key)
  for (const actor of table.actors.values()) for (const source of actor.sources) needed.add(source.journal)
  return needed
}

function trim(table: RegistryTable, command: Command & { kind: 'trim' }): CommandResult {
  const journal = table.journals.get(command.journal)
  if (!journal) return reject('unknown-journal', 'not in the registry')
  if (journal.boot !== command.boot) return reject('not-home', 'only its writer trims into a journal')
  for (const { actor: key, epoch } of command.actors) {
    const actor = table.actors.get(key)
    if (!actor || actor.home !== command.boot || actor.epoch !== epoch || actor.base >= journal.order)
      continue
    table.actors.set(key, {
      ...actor,
      base: journal.order,
      // Of an earlier epoch nothing is needed, in whichever journal: an actor may move to a host with an older one.
      sources: actor.sources.filter((source) => source.epoch === epoch && source.order >= journal.order),
    })
  }
  return done
}

function create(
  table: RegistryTable,
  { actor: key, again, options, init, home }: Command & { kind: 'create' },
): CommandResult {
  const known = table.actors.get(key)
  const over = known?.status.kind === 'stopped' || known?.status.kind === 'dead'
  if (known && !(over && again)) return reject('name-taken', `${key} ${over ? 'is over' : 'exists'}`)
  if (options.keyId !== table.keyId)
    return reject(
      'wrong-key',
      'this mesh is encrypted, and who makes an actor needs its key: do it on a peer that has it',
    ) // A8
  if (typeOfActor(key) === '' || nameOfActor(key) === '')
    return reject('unknown-actor', 'an actor needs a type and a name')
  const fresh: ActorEntry = {
    key,
    ...nextLife(table, key), // A7
    options,
    init,
    home: null,
    sources: [],
    base: 0,
    restarts: 0,
    status: { kind: 'running' },
  }
  table.forgotten.names.delete(key)
  table.actors.set(key, movedIn(table, fresh, home))
  return done
}

/** With that home where it may be had (A6); else it waits for another one. */
function movedIn(table: RegistryTable, actor: ActorEntry, home: BootId | null): ActorEntry {
  return home !== null && canMoveIn(table, home, actor) ? { ...actor, home } : actor
}

function assign(table: RegistryTable, { actors }: Command & { kind: 'assign' }): CommandResult {
  for (const { actor: key, epoch, home } of actors) {
    const actor = table.actors.get(key)
    if (!actor || actor.home !== null || actor.epoch !== epoch || actor.status.kind !== 'running') continue
    table.actors.set(key, movedIn(table, actor, home))
  }
  return done
}

function move(table: RegistryTable, { actor: key, epoch, to }: Command & { kind: 'move' }): CommandResult {
  const actor = table.actors.get(key)
  if (!actor) return reject('unknown-actor', `${key} does not exist`)
  if (actor.epoch !== epoch || actor.home === null) return reject('stale-epoch', `${key} has moved meanwhile`)
  if (actor.status.kind === 'running')
    table.actors.set(key, { ...actor, status: { kind: 'moving', ...(to ? { to } : {}) } })
  return done
}

function released(table: RegistryTable, command: Command & { kind: 'released' }): CommandResult {
  const journal = table.journals.get(command.journal)
  if (!journal || journal.boot !== command.boot)
    return reject('unknown-journal', 'the release is in no journal of this boot')
  for (const { actor: key, epoch, home } of command.actors) {
    const actor = table.actors.get(key)
    if (!actor || actor.home !== command.boot || actor.epoch !== epoch) continue
    if (actor.status.kind === 'stopping') end(table, actor)
    else if (actor.status.kind === 'moving') {
      const gone: ActorEntry = {
        ...actor,
        home: null,
        epoch: epoch + 1,
        sources: [sourceIn(journal, command.length, epoch)],
        base: 0,
        status: { kind: 'running' },
      }
      const next = actor.status.killed ? restartedByKill(gone) : gone
      table.actors.set(key, next)
      if (next.status.kind !== 'dead') table.actors.set(key, movedIn(table, next, home))
    }
  }
  return done
}
