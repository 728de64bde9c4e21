// Ends actors here that the registry wants elsewhere or nowhere: drain, release record, `released`, repeated to whoever
// is head until the registry shows it (R4).

import type { ActorKey, BootId, LogKey } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { Clock } from '../ports.ts'
import { Batches } from './batches.ts'
import type { HomeServices } from './home-services.ts'
import type { HomedActor } from './homed-actor.ts'
import { Backoff } from './timing.ts'
import type { DeactivateReason } from './types.ts'

/** An actor released at `index` of a journal; -1: no record was needed. */
interface Released {
  readonly actor: ActorKey
  readonly epoch: number
  readonly index: number
}

export interface ReleaserInit extends HomeServices {
  readonly boot: BootId
  readonly clock: Clock
  readonly homed: (entry: ActorEntry) => HomedActor
}

export class Releaser {
  readonly #init: ReleaserInit
  readonly #releasing = new Set<string>()
  readonly #batches: Batches<LogKey, Released>
  #stopped = false

  constructor(init: ReleaserInit) {
    this.#init = init
    this.#batches = new Batches(init.clock, (journal, items) => this.#report(journal, items))
  }

  /** Idempotent per epoch of the actor. */
  add(entry: ActorEntry): void {
    const key = `${entry.epoch} ${entry.incarnation} ${entry.key}`
    if (this.#releasing.has(key) || this.#stopped) return
    this.#releasing.add(key)
    // Kept in the set when done: under this epoch the actor never serves here again.
    this.#release(entry).catch(() => this.#releasing.delete(key))
  }

  stop(): void {
    this.#stopped = true
    this.#batches.stop()
  }

  async #release(entry: ActorEntry): Promise<void> {
    const { homed, journals } = this.#init
    const actor = homed(entry)
    const position = await actor.release(entry.status.kind !== 'stopping', this.#reason(entry))
    const journal = position?.journal ?? (await journals.current(entry.options.class)).key
    const backoff = new Backoff(100, 2000)
    while (!this.#stopped && this.#isPending(entry)) {
      try {
        await this.#batches.add(journal, {
          actor: entry.key,
          epoch: entry.epoch,
          index: position?.index ?? -1,
        })
      } catch {
        // No head at present.
      }
      await this.#init.sleep(backoff.next())
    }
  }

  /** Undefined: it was killed, and is told nothing. */
  #reason({ status }: ActorEntry): DeactivateReason | undefined {
    if ((status.kind === 'stopping' || status.kind === 'moving') && status.killed) return undefined
    if (status.kind === 'stopping') return 'stopping'
    const { registry, self } = this.#init.mesh
    return registry?.peers.get(self)?.leaving === true ? 'leaving' : 'moving'
  }

  async #report(journal: LogKey, items: readonly Released[]): Promise<void> {
    const length = Math.max(...items.map((item) => item.index)) + 1
    const actors = items.map(({ actor, epoch }) => ({ actor, epoch, home: null }))
    await this.#init.mesh.command({ kind: 'released', boot: this.#init.boot, journal, length, actors })
  }

  #isPending(entry: ActorEntry): boolean {
    const now = this.#init.mesh.registry?.actors.get(entry.key)
    return now?.epoch === entry.epoch && now.incarnation === entry.incarnation && now.home === this.#init.boot
  }
}
