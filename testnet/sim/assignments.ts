// What the committed registry may say about actors, boots and terms, whoever applied it and whenever (A1, A2, R4, G2, G6).
//
//  1. An epoch of an actor has one home, for ever and at every peer.
//  2. Seen by one process, epochs and incarnations only grow, and what was stopped or died does not run again as the same
//     incarnation.
//  3. A boot that is dead stays dead, is nobody's home, and there is a report of it that names every actor it had.
//  4. A term is one log, written by one boot.
//  5. No boot has more actors than its peer has room for, nor neighbours that keep apart (room.ts).

import type { PeerId } from '../../mesh/ids.ts'
import type { Pointer } from '../../mesh/log-types.ts'
import type { ActorEntry, BootEntry, RegistryState } from '../../mesh/registry/types.ts'
import { overcommitted } from './room.ts'

/** What one process saw last. */
interface Last {
  readonly actors: ReadonlyMap<string, ActorEntry>
  readonly boots: ReadonlyMap<string, BootEntry>
}

const isOver = ({ status }: ActorEntry): boolean => status.kind === 'stopped' || status.kind === 'dead'

export class Assignments {
  readonly #fail: (text: string) => void
  readonly #homes = new Map<string, string>()
  readonly #terms = new Map<string, string>()
  /** Actor and epoch of those whose host was told to kill them: it must have seen that before it released one. */
  readonly #killed = new Set<string>()

  constructor(fail: (text: string) => void) {
    this.#fail = fail
  }

  /** One watcher per process; all of one mesh share what is true for ever. */
  watcher(peer: PeerId): (state: RegistryState) => void {
    let last: Last | undefined
    // A name may be deleted in between: its numbers are not given again all the same.
    const ever = new Map<string, ActorEntry>()
    return (state) => {
      for (const actor of state.actors.values()) {
        this.#actor(peer, state, actor, ever.get(actor.key))
        ever.set(actor.key, actor)
      }
      for (const text of overcommitted(state)) this.#fail(`${peer}: ${text}`)
      if (last) for (const boot of state.boots.values()) this.#boot(peer, state, boot, last)
      last = { actors: new Map(state.actors), boots: new Map(state.boots) }
    }
  }

  pointer(peer: PeerId, { rescues, term, key, writer }: Pointer): void {
    this.#once(this.#terms, `${rescues.length}/${term}`, `${key} by ${writer}`, `${peer}: R3 term ${term}`)
  }

  #actor(peer: PeerId, state: RegistryState, actor: ActorEntry, before: ActorEntry | undefined): void {
    const { key, incarnation, epoch, home, status } = actor
    if (status.kind === 'moving' && status.killed) this.#killed.add(`${key} ${epoch}`)
    if (home !== null) {
      // An entry is another object once it has changed.
      if (actor !== before)
        this.#once(
          this.#homes,
          `${key} ${incarnation} ${epoch}`,
          home,
          `${peer}: A2 epoch ${epoch} of ${key}`,
        )
      if (!isOver(actor) && state.boots.get(home)?.status === 'dead')
        this.#fail(`${peer}: A1 ${key} is at home on ${home}, which is dead`)
    }
    if (!before) return
    if (epoch < before.epoch || incarnation < before.incarnation)
      this.#fail(`${peer}: A2 ${key} went back from epoch ${before.epoch} to ${epoch}`)
    const isNewLife = incarnation > before.incarnation
    if (isNewLife && epoch <= before.epoch)
      this.#fail(`${peer}: A7 ${key} was made again under epoch ${epoch}`)
    if (incarnation === before.incarnation && isOver(before) && !isOver(actor))
      this.#fail(`${peer}: ${key} was ${before.status.kind} and is ${actor.status.kind}`)
  }

  #boot(peer: PeerId, { reports, actors }: RegistryState, { boot, status }: BootEntry, last: Last): void {
    const before = last.boots.get(boot)?.status
    if (before === 'dead' && status !== 'dead') this.#fail(`${peer}: A3 ${boot} was dead and is ${status}`)
    if (before === undefined || before === 'dead' || status !== 'dead') return
    const report = reports.find((each) => each.boot === boot && each.kind === 'lost')
    if (!report) return this.#fail(`${peer}: G6 there is no report of ${boot}`)
    for (const { key, home, epoch, restarts } of last.actors.values()) {
      const isNamed = report.more > 0 || report.actors.some(({ actor }) => actor === key)
      // This process may have missed that it was released before: only a recovery, or a kill, counts a restart.
      const now = actors.get(key)
      const isRecovered =
        now?.epoch === epoch + 1 && now.restarts === restarts + 1 && !this.#killed.has(`${key} ${epoch}`)
      if (home === boot && isRecovered && !isNamed)
        this.#fail(`${peer}: G6 the report of ${boot} does not name ${key}`)
    }
  }

  #once(known: Map<string, string>, what: string, value: string, who: string): void {
    const before = known.get(what)
    if (before === undefined) known.set(what, value)
    else if (before !== value) this.#fail(`${who} is ${value}, and was ${before}`)
  }
}
