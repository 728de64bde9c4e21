// The log of one actor at its home: read back when first needed, from its sources or from where it was passivated; or begun
// with what its constructor set.
//
//  H1 Its state comes from its sources or, when nothing was ever written, from its constructor; a source that can't be
//     read is waited for, never passed over.

import { ActorLog, type Position } from '../../checkpoint/actor-log.ts'
import { Agenda } from '../../checkpoint/agenda.ts'
import { CallTable } from '../../checkpoint/call-table.ts'
import { decodeUser } from '../../checkpoint/codec.ts'
import type { Restored } from '../../checkpoint/replay.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { cipherFor } from './encryption.ts'
import type { HomeServices } from './home-services.ts'
import type { JournalSide } from './journal-writer.ts'
import type { Passive } from './passive.ts'
import { type RestoredFrom, readBack, restore } from './restorer.ts'
import { Backoff } from './timing.ts'

/** Pauses between attempts to read a source: a peer comes back in seconds, or not for a long time. */
const RETRY_FIRST_MS = 50
const RETRY_MOST_MS = 5000

export interface HomedLogInit {
  readonly entry: ActorEntry
  readonly services: HomeServices
  /** What is left of it, when it was passivated here. */
  readonly passive: Passive | undefined
  readonly owner: LogOwner
}

export interface LogOwner {
  /** Throws when the actor has ended here. */
  check(): void
  /** Why it has to wait. */
  tell(problem: string): void
}

export class HomedLog {
  readonly #init: HomedLogInit
  #restoring: Promise<(Restored & Partial<RestoredFrom>) | undefined> | undefined
  #recovered: Pick<RestoredFrom, 'sequence' | 'source'> | undefined
  #log: ActorLog | undefined

  constructor(init: HomedLogInit) {
    this.#init = init
  }

  /** Undefined while it is not in memory, or nothing was ever written. */
  get now(): ActorLog | undefined {
    return this.#log
  }
  get position(): Position | undefined {
    return this.#log?.position ?? this.#init.passive
  }
  get side(): JournalSide {
    return this.#init.services.journals.side(this.#init.entry.options.class)
  }

  /** Read back where it is not in memory; undefined when nothing was ever written. */
  async load(): Promise<ActorLog | undefined> {
    if (this.#log !== undefined) return this.#log
    this.#restoring ??= this.#restore()
    const restored = await this.#restoring
    this.#init.owner.check()
    if (restored === undefined || this.#log !== undefined) return this.#log
    this.#restoring = undefined
    const { sequence, source } = restored
    if (source !== undefined) this.#recovered = { sequence, source }
    this.#log = this.#make(restored)
    return this.#log
  }

  /** One for a state that is in no record yet, as its constructor set it, encoded. It counts once it is begun. */
  fresh(initial: Uint8Array, version: number): ActorLog {
    const state = decodeUser(initial, this.#init.services.makeRef) as object
    const tables = { calls: new CallTable(), agenda: new Agenda() }
    return this.#make({ state, version, ...tables, sequence: 0, bytes: initial.length })
  }

  /** A fresh state becomes a record; from then on it is what every start goes on from. */
  begin(log: ActorLog): void {
    this.#log = log
    this.#restoring = undefined
    void log.writeSnapshot().catch(() => {})
  }

  /** Where the state came from, the first time that it is asked for; undefined when it was here all along. */
  takeRecovered(): Pick<RestoredFrom, 'sequence' | 'source'> | undefined {
    const recovered = this.#recovered
    this.#recovered = undefined
    return recovered
  }

  #make({ state, version, calls, agenda, sequence, told, bytes }: Omit<Restored, 'kind'>): ActorLog {
    const { entry, passive, services } = this.#init
    const { isGone, makeRef } = services
    calls.forget(isGone)
    told?.forget(isGone)
    return new ActorLog({
      life: { actor: entry.key, incarnation: entry.incarnation, epoch: entry.epoch },
      state,
      version,
      calls,
      agenda,
      ...(told === undefined ? {} : { told }),
      sequence,
      bytes,
      slicing: services.slicing,
      ...(passive === undefined ? {} : { snapshot: passive }),
      isGone,
      makeRef,
      cipher: cipherFor(entry, services.cipher),
      mark: this.side.mark,
    })
  }

  async #restore(): Promise<(Restored & Partial<RestoredFrom>) | undefined> {
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS)
    const { entry, passive, services, owner } = this.#init
    for (;;) {
      owner.check()
      try {
        const cipher = cipherFor(entry, services.cipher)
        if (passive !== undefined) return await readBack(services, entry, passive, cipher)
        return await restore(services, this.#present(), cipher)
      } catch (error) {
        owner.tell(error instanceof Error ? error.message : String(error)) // H1
      }
      await services.sleep(backoff.next())
    }
  }

  /** Its entry as it is now: sources whose loss was accepted meanwhile are shorter, or gone. */
  #present(): ActorEntry {
    const { entry, services } = this.#init
    const { key, epoch, incarnation } = entry
    const now = services.mesh.registry?.actors.get(key)
    return now?.epoch === epoch && now.incarnation === incarnation ? now : entry
  }
}
