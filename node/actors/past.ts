// An actor's past, as far as the mesh still has it: what its records tell, and its state as of one of them.
//
//  R10 Of an open journal only what its writer says is acknowledged is read, of others what the registry says.
//
// Records go into journals of the actor's class, at whatever home it had. A journal is there as long as anybody needs it, so
// what is left of the past has no particular length; it is read from all of them and put in order by its numbers.

import type { Cipher } from '../../checkpoint/cipher.ts'
import { type HistoryLine, historyOf } from '../../checkpoint/history.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { replay } from '../../checkpoint/replay.ts'
import {
  type ActorKey,
  actorOfCaller,
  type BootId,
  type CallerId,
  type LogKey,
  type PeerId,
  peerOfBoot,
} from '../../mesh/ids.ts'
import { classKey } from '../../mesh/registry/class.ts'
import type { ActorEntry, JournalEntry, Source } from '../../mesh/registry/types.ts'
import type { ActorHistory, HistoryKind, HistoryOptions, HistoryRecord } from '../api.ts'
import { BadInputError, MeshUnavailableError } from '../errors.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import { cipherFor } from './encryption.ts'
import type { JournalReader } from './journal-reader.ts'
import { textOf } from './remote-error.ts'

/** A page that fits a screen or two. */
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1000
/** Everything that a record number can be is below: ten thousand records a second for three years. */
const NO_BOUND = 2 ** 40

export interface PastInit {
  readonly mesh: MeshHandle
  readonly store: LogStore
  readonly reader: JournalReader
  readonly acknowledged: (journal: LogKey) => number | undefined
  readonly cipher: Cipher | undefined
}

/** Of which version of its class it is. */
export interface EarlierState {
  readonly state: object
  readonly version: number
}

interface Found extends HistoryLine {
  readonly source: Source
}

export class Past {
  readonly #init: PastInit

  constructor(init: PastInit) {
    this.#init = init
  }

  /** The actor as the registry has it, asked once more where this copy has none. Throws BAD_INPUT. */
  async entryOf(actor: ActorKey): Promise<ActorEntry> {
    const { mesh } = this.#init
    if (mesh.registry?.actors.has(actor) !== true) await mesh.catchUp()
    const entry = mesh.registry?.actors.get(actor)
    if (entry !== undefined) return entry
    throw new BadInputError(`there is no actor ${actor}, or it was deleted: a call makes a new one`)
  }

  async list(entry: ActorEntry, options: HistoryOptions = {}): Promise<ActorHistory> {
    const limit = wholeNumber('limit', options.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
    const before = wholeNumber('before', options.before ?? NO_BOUND, NO_BOUND)
    const { found, unreadable } = await this.#read(entry, before, limit + 1)
    const isHidden = entry.options.keyId !== undefined
    const records = found.slice(0, limit).flatMap((line) => recordsOf(line, isHidden))
    return { records, missing: missingIn(records, options.before, found.length <= limit), unreadable }
  }

  /** The state as of one record. Throws BAD_INPUT where that is not kept, MESH_UNAVAILABLE where it can't be read now. */
  async stateAt(entry: ActorEntry, record: number, makeRef: MakeRef): Promise<EarlierState> {
    wholeNumber('record', record, NO_BOUND)
    const { found, unreadable } = await this.#read(entry, record + 1, 1)
    const line = found.find(({ sequence }) => sequence === record)
    if (line !== undefined) {
      const life = { actor: entry.key, incarnation: entry.incarnation, epoch: line.epoch }
      const blocks = await this.#init.reader.readUpTo(line.source, life, record)
      const restored = replay(life, blocks, makeRef, this.#cipherOf(entry), record)
      if (restored?.sequence === record) return restored
    }
    if (unreadable.length > 0)
      throw new MeshUnavailableError(
        `record ${record} of ${entry.key} was not found, and ${unreadable.join('; ')}: try again later`,
        { executed: 'no' },
      )
    throw new BadInputError(
      `record ${record} of ${entry.key} is not kept, or has no state of its own: history() lists those that are restorable`,
    )
  }

  #cipherOf(entry: ActorEntry): Cipher | undefined {
    try {
      return cipherFor(entry, this.#init.cipher)
    } catch (error) {
      throw new BadInputError(textOf(error))
    }
  }

  /** Newest first. */
  async #read(
    entry: ActorEntry,
    before: number,
    limit: number,
  ): Promise<{ readonly found: readonly Found[]; readonly unreadable: readonly string[] }> {
    const wanted = classKey(entry.options.class)
    const journals = [...(this.#init.mesh.registry?.journals.values() ?? [])].filter(
      (journal) => classKey(journal.class) === wanted,
    )
    const unreadable: string[] = []
    const found = await Promise.all(
      journals.map(async (journal): Promise<readonly Found[]> => {
        try {
          const source = { ...journal, journal: journal.key, length: await this.#lengthOf(journal), epoch: 0 }
          const lines = await this.#linesOf(source, entry, before, limit)
          return lines.map((line) => ({ ...line, source }))
        } catch (error) {
          unreadable.push(error instanceof Error ? error.message : String(error))
          return []
        }
      }),
    )
    return { found: found.flat().sort((a, b) => b.sequence - a.sequence), unreadable }
  }

  /** R10 */
  async #lengthOf({ key, boot, status }: JournalEntry): Promise<number> {
    if (status.kind !== 'open') return status.length
    const { mesh, reader, acknowledged } = this.#init
    if (boot === mesh.boot) return acknowledged(key) ?? 0
    const writer = peerOfBoot(boot)
    try {
      const answer = await reader.ask(writer, { q: 'length', journal: key })
      if (answer.a === 'length') return answer.length
      throw new Error('answered something else')
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`journal ${key.slice(0, 8)} is open at ${writer}, which ${why}`)
    }
  }

  async #linesOf(
    { journal, length }: Source,
    { key: actor, incarnation }: ActorEntry,
    before: number,
    limit: number,
  ): Promise<readonly HistoryLine[]> {
    if (length === 0) return []
    const { store, reader } = this.#init
    const question = { actor, incarnation, length, before, limit }
    const own = await historyOf(store, journal, question)
    if (own !== undefined) return own
    return reader.fromHolder(journal, async (peer: PeerId) => {
      const answer = await reader.ask(peer, { q: 'history', journal, ...question })
      if (answer.a === 'history') return answer.lines
      throw new Error('answered something else')
    })
  }
}

function wholeNumber(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new BadInputError(
    `${name} is ${value}: a whole number from 1${most === NO_BOUND ? '' : ` to ${most}`}`,
  )
}

/** The record, and before it the changes that are in it and have none of their own. */
function recordsOf(line: HistoryLine, isHidden: boolean): readonly HistoryRecord[] {
  const { sequence, epoch, kind, at, bytes, folded } = line
  const common = { epoch, at: at === 0 ? undefined : at }
  const own = {
    ...common,
    ...told(line.method, line.caller, kind === 'delta' ? (isHidden ? 'encrypted' : 'agenda') : kind),
    record: sequence,
    bytes,
    whole: kind !== 'delta',
    restorable: true,
    foldedInto: undefined,
  }
  const others = folded
    .filter(([record]) => record !== sequence)
    .map(([record, method, caller]) => ({
      ...common,
      ...told(method, caller, 'agenda'),
      record,
      bytes: 0,
      whole: false,
      restorable: false,
      foldedInto: sequence,
    }))
  return [own, ...others.toReversed()]
}

/** `#<kind> <detail>` is what no method can be named. */
function told(
  did: string,
  caller: CallerId | null,
  otherwise: HistoryKind,
): Pick<HistoryRecord, 'kind' | 'method' | 'caller'> {
  const [, special, detail] = /^#(\w+) (.*)$/.exec(did) ?? []
  const kind = special === undefined ? (did === '' ? otherwise : 'call') : (special as HistoryKind)
  const method = detail ?? did
  const by = caller === null ? undefined : (actorOfCaller(caller)?.actor ?? peerOfBoot(caller as BootId))
  return { kind, method: method === '' ? undefined : method, caller: by }
}

/** Numbers between what is there: trimmed, or taken up by a snapshot that does not name them. */
function missingIn(
  records: readonly HistoryRecord[],
  before: number | undefined,
  isLast: boolean,
): readonly { readonly from: number; readonly to: number }[] {
  const missing: { from: number; to: number }[] = []
  let above = before ?? (records[0]?.record ?? 0) + 1
  for (const { record } of records) {
    if (record < above - 1) missing.push({ from: record + 1, to: above - 1 })
    above = record
  }
  if (isLast && above > 1) missing.push({ from: 1, to: above - 1 })
  return missing
}
