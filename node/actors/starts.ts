// Starts that fail, and how long to wait before the next one. Two ways to fail: the class throws, which its host sees; or the
// host's process dies with the actor, which nobody can ask. Both are counted in the registry, so that an actor that takes
// one host after the other down is slowed down wherever it goes, and given up where its class says so (`maxRestarts`).

import type { BootId } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { Batches } from './batches.ts'
import { Debounce } from './timing.ts'

/** Lost hosts in a row without a pause: peers that fail one after the other are no fault of their actors. */
const FREE_STARTS = 3
/** The pause after the next one. It doubles each time… */
const START_FIRST_MS = 500
/** …up to this. Longer, and the actors of a mesh that loses one peer after the other would be away for no fault of theirs. */
const LOST_MOST_MS = 1000
/** The longest pause between starts that throw: one that is repaired is soon back. */
export const START_MOST_MS = 15_000
/** A start that ran for this long was a good one: what kills its host does so at once, mostly, and peers that fail in turn do not. */
export const STEADY_MS = 5000
/** Of a cause, in characters: the registry is in the memory and on the disk of every peer. */
const CAUSE_LENGTH = 1000
const LOOK_MS = STEADY_MS / 4

export interface StartsInit {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly boot: BootId
}

export interface FailedStart {
  /** False: it is over at once. */
  readonly again: boolean
  /** Among those that `maxRestarts` allows. */
  readonly counts: boolean
}

const clipped = (cause: string): string =>
  cause.length <= CAUSE_LENGTH ? cause : `${cause.slice(0, CAUSE_LENGTH)}…`

export class Starts {
  readonly #init: StartsInit
  /** Actors with failures that run now, and since when. */
  readonly #since = new Map<string, { readonly entry: ActorEntry; readonly at: number }>()
  readonly #batches: Batches<boolean, Pick<ActorEntry, 'key' | 'epoch'>>
  readonly #look: Debounce
  #stopped = false

  constructor(init: StartsInit) {
    this.#init = init
    this.#batches = new Batches(init.clock, (steady, actors) => this.#report(steady, actors))
    this.#look = new Debounce(init.clock, LOOK_MS, () => this.#lookThrough())
  }

  /** How long to wait before the first start at this home. */
  delayMs(entry: ActorEntry): number {
    const beyond = (entry.failures?.count ?? 0) - FREE_STARTS
    return beyond <= 0 ? 0 : Math.min(LOST_MOST_MS, START_FIRST_MS * 2 ** (beyond - 1))
  }

  /** Resolves when the registry counts it, or could not be reached. */
  async failed({ key, epoch }: ActorEntry, cause: string, how: FailedStart): Promise<void> {
    try {
      await this.#init.mesh.command(
        { kind: 'failed', actor: key, epoch, cause: clipped(cause), ...how },
        START_MOST_MS,
      )
    } catch {
      // It is tried, and reported, again.
    }
  }

  succeeded(entry: ActorEntry): void {
    const now = this.#present(entry)
    if (this.#stopped || now?.failures === undefined) return
    if (now.failures.cause !== '') this.#batches.add(false, now).catch(() => {})
    this.#since.set(entry.key, { entry: now, at: this.#init.clock.now() })
    this.#look.ask()
  }

  stop(): void {
    this.#stopped = true
    this.#look.stop()
    this.#batches.stop()
    this.#since.clear()
  }

  #lookThrough(): void {
    for (const [key, { entry, at }] of this.#since) {
      const now = this.#present(entry)
      if (now?.failures === undefined || now.home !== this.#init.boot) this.#since.delete(key)
      // What can't be reported now is tried at the next look.
      else if (this.#init.clock.now() - at >= STEADY_MS) this.#batches.add(true, now).catch(() => {})
    }
    if (this.#since.size > 0) this.#look.ask()
  }

  #present({ key, epoch, incarnation }: ActorEntry): ActorEntry | undefined {
    const now = this.#init.mesh.registry?.actors.get(key)
    return now?.epoch === epoch && now.incarnation === incarnation ? now : undefined
  }

  async #report(steady: boolean, actors: readonly Pick<ActorEntry, 'key' | 'epoch'>[]): Promise<void> {
    await this.#init.mesh.command({
      kind: 'started',
      boot: this.#init.boot,
      steady,
      actors: actors.map(({ key: actor, epoch }) => ({ actor, epoch })),
    })
  }
}
