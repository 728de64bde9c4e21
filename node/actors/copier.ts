// Keeps the past short: an actor whose state lies in older journals (of a lost boot, or of a segment this boot rolled)
// is activated in the background, written into the present journal, and reported with `trim`, so that the old journals
// can be retired. Works off the registry's `sources`, so it goes on after whatever interrupted it.
//
//  T1 What is given up may be on disks for long: the copy is on those of a majority before (`trim`), whatever the class asks
//     for new records. Else a power failure took with it what none would have taken without the copy.
//  T2 Who waits for its turn is copied as the registry has it by then: an earlier life of the name would take its place.
//  T3 A log that is in memory is copied whether or not an object lives on it: one that is to be made may wait for the copy.

import type { Position } from '../../checkpoint/actor-log.ts'
import type { ActorKey, BootId, LogKey } from '../../mesh/ids.ts'
import type { ActorEntry, JournalClass, RegistryState } from '../../mesh/registry/types.ts'
import type { Clock } from '../ports.ts'
import { Batches } from './batches.ts'
import type { HomeServices } from './home-services.ts'
import type { HomedActor } from './homed-actor.ts'
import { Debounce, within } from './timing.ts'

/** Restores at a time: enough to overlap their round trips, few enough to leave room for calls. */
const MAX_COPYING = 8
/** An actor that can't be restored gives its place up after this long; it goes on trying by itself. */
const PATIENCE_MS = 5000
const RETRY_MS = 1000

interface Copied {
  readonly actor: ActorKey
  readonly epoch: number
  readonly class: JournalClass
  readonly index: number
}

export interface CopierInit extends HomeServices {
  readonly boot: BootId
  readonly clock: Clock
  readonly homed: (entry: ActorEntry) => HomedActor
}

export class Copier {
  readonly #init: CopierInit
  readonly #wanted = new Set<ActorKey>()
  /** On their way, from the first step to the report. */
  readonly #copying = new Set<ActorKey>()
  #restoring = 0
  readonly #trims: Batches<LogKey, Copied>
  /** What was reported last, so that a trim that changes nothing is not repeated for ever. */
  readonly #reported = new Map<ActorKey, string>()
  readonly #again: Debounce
  #stopped = false

  constructor(init: CopierInit) {
    this.#init = init
    this.#again = new Debounce(init.clock, RETRY_MS, () => this.#work())
    this.#trims = new Batches(init.clock, (journal, copied) => this.#trim(journal, copied))
  }

  /** Looks at a running actor of this boot, as committed. */
  consider(
    entry: ActorEntry,
    position: Pick<Position, 'journal'> | undefined,
    registry: RegistryState,
  ): void {
    const stale = position !== undefined && registry.journals.get(position.journal)?.status.kind !== 'open'
    if (entry.sources.length === 0) this.#reported.delete(entry.key)
    if (entry.sources.length === 0 && !stale) return
    if (position !== undefined && this.#reported.get(entry.key) === reportOf(entry, position.journal)) return
    if (!this.#copying.has(entry.key)) this.#wanted.add(entry.key)
    this.#work()
  }

  stop(): void {
    this.#stopped = true
    this.#wanted.clear()
    this.#again.stop()
    this.#trims.stop()
  }

  #work(): void {
    for (const key of this.#wanted) {
      if (this.#stopped || this.#restoring >= MAX_COPYING) return
      this.#wanted.delete(key)
      const entry = this.#init.mesh.registry?.actors.get(key)
      if (entry?.home !== this.#init.boot || entry.status.kind !== 'running') continue // T2
      this.#copying.add(key)
      void this.#copy(entry).finally(() => {
        this.#copying.delete(key)
        this.#work()
      })
    }
  }

  async #copy(entry: ActorEntry): Promise<void> {
    const { homed, mesh, clock } = this.#init
    const copied = homed(entry).copy(
      ({ journal }) => mesh.registry?.journals.get(journal)?.status.kind !== 'open',
    )
    try {
      this.#restoring++
      const position = await within(clock, copied, PATIENCE_MS, undefined).finally(() => this.#copied())
      if (this.#stopped) return
      if (position !== undefined) {
        const { key: actor, epoch, options } = entry
        await this.#trims.add(position.journal, { actor, epoch, class: options.class, index: position.index })
        this.#reported.set(entry.key, reportOf(entry, position.journal))
        return
      }
    } catch {
      // It ended, was released, or the head could not be reached: the registry says what is still to be done.
    }
    this.#retry(entry)
  }

  #copied(): void {
    this.#restoring--
    this.#work()
  }

  async #trim(journal: LogKey, copied: readonly Copied[]): Promise<void> {
    const { journals, mesh, clock, boot } = this.#init
    const index = Math.max(...copied.map((each) => each.index))
    const synced = journals.side(copied[0]!.class).sync({ journal, index })
    if (!(await within(clock, synced, PATIENCE_MS, false))) throw new Error(`${journal} can't be synced`) // T1
    const actors = copied.map(({ actor, epoch }) => ({ actor, epoch }))
    await mesh.command({ kind: 'trim', journal, boot, actors })
  }

  #retry(entry: ActorEntry): void {
    const now = this.#init.mesh.registry?.actors.get(entry.key)
    const same =
      now?.epoch === entry.epoch && now.incarnation === entry.incarnation && now.home === this.#init.boot
    if (this.#stopped || !same || now.status.kind !== 'running' || now.sources.length === 0) return
    this.#wanted.add(entry.key)
    this.#again.ask()
  }
}

const reportOf = (entry: ActorEntry, journal: LogKey): string =>
  [entry.epoch, journal, ...entry.sources.map((source) => source.journal)].join(' ')
