// The actors of one boot of this peer. Follows the committed registry (R9): what it gives to this boot is served here,
// copied into the present journal, or released; what it takes away is dropped. When the boot is over the host is thrown
// away as a whole and a new one is made (R6: nothing of the old boot can reach the new).

import { type ActorKey, type BootId, typeOfActor } from '../../mesh/ids.ts'
import type { ActorEntry, RegistryState } from '../../mesh/registry/types.ts'
import { ActorDiedError, MailboxFullError, MeshUnavailableError, UnknownTypeError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { ActorTypes } from './actor-types.ts'
import { callerGone } from './call-errors.ts'
import { isSend, standingOf } from './callers.ts'
import { Recent } from './cancelling.ts'
import { Copier } from './copier.ts'
import { DeliveredCalls } from './delivered.ts'
import type { Answer, CallFrame, CancelFrame, MoreFrame } from './frames.ts'
import { HeldCalls } from './held-calls.ts'
import type { HomeServices } from './home-services.ts'
import { HomedActor } from './homed-actor.ts'
import type { Reply } from './jobs.ts'
import { newestOf, type Passive } from './passive.ts'
import { Releaser } from './releaser.ts'
import { errorAnswer } from './remote-error.ts'
import type { Newest } from './restore-frames.ts'
import type { Saved } from './runtime-types.ts'
import { Debounce } from './timing.ts'
import type { WakeUps } from './wake-ups.ts'

/** The whole registry is looked through this long after it changed, once for all changes in between. */
const SCAN_DELAY_MS = 10
/** Nor does it take more than a tenth of the time, however many actors there are. */
const SCAN_REST = 9
/** Copies of a frame come within moments of each other, so the newest attempts that are over are the ones to know. */
const MAX_OVER = 10_000

/** Looking at 10,000 actors takes a millisecond: this often it is nothing. */
const IDLE_LOOK_MOST_MS = 30_000

export interface HostInit extends HomeServices {
  readonly boot: BootId
  readonly clock: Clock
  readonly types: ActorTypes
  readonly wakeUps: WakeUps
}

export class Host {
  readonly #init: HostInit
  readonly #homed = new Map<ActorKey, HomedActor>()
  readonly #passive = new Map<ActorKey, Passive>()
  readonly #held: HeldCalls
  /** Attempts that their callers gave up. */
  readonly #cancelled = new Recent(MAX_OVER)
  /** Attempts that were told "not executed", which has to stay true. */
  readonly #refused = new Recent(MAX_OVER)
  readonly #delivered = new DeliveredCalls()
  readonly #copier: Copier
  readonly #releaser: Releaser
  readonly #scan: Debounce
  readonly #idle: Debounce
  readonly #idleEveryMs: number
  /** How long the last look through the registry took. */
  #scanMs = 0
  #over = false

  constructor(init: HostInit) {
    this.#init = init
    this.#held = new HeldCalls(init.clock)
    const homed = (entry: ActorEntry): HomedActor => this.#homedFor(entry)
    this.#copier = new Copier({ ...init, homed })
    this.#releaser = new Releaser({ ...init, homed })
    this.#scan = new Debounce(init.clock, SCAN_DELAY_MS, () => this.#lookThrough())
    this.#idleEveryMs = idleEvery(init)
    this.#idle = new Debounce(init.clock, this.#idleEveryMs, () => this.#passivate())
    this.#scan.ask()
  }

  /** Actors with an object here. */
  get count(): number {
    return this.#homed.size
  }
  /** Actors of which only their position is in memory. */
  get passive(): number {
    return this.#passive.size
  }

  /** The newest acknowledged record of a life that is at home here; undefined: there is none, or it is not. */
  newest({ key, incarnation, epoch }: Pick<ActorEntry, 'key' | 'incarnation' | 'epoch'>): Newest | undefined {
    const homed = this.#homed.get(key)
    const life = homed?.entry ?? this.#passive.get(key)
    if (this.#over || life === undefined || !isSameLife(life, { incarnation, epoch })) return undefined
    return homed === undefined ? newestOf(this.#passive.get(key)) : homed.newest
  }

  problemOf(actor: ActorKey): string {
    return this.#homed.get(actor)?.problem ?? ''
  }

  savedOf(actor: ActorKey): Saved | undefined {
    const passive = this.#passive.get(actor)
    return passive ? { durable: passive.sequence, unsaved: 0 } : this.#homed.get(actor)?.saved
  }

  receive(frame: CallFrame, reply: Reply): void {
    if (this.#over) {
      reply({ kind: 'retry', why: 'its host lost its journals' })
      return
    }
    if (this.#cancelled.has(frame.token)) return // a late copy: nobody waits for its answer
    const decision = this.#decide(frame)
    if (decision === 'hold') this.#held.hold(frame, reply)
    else if (decision instanceof HomedActor) this.#deliver(decision, frame, reply)
    else reply(decision)
  }

  /** Sends and alarms that the actors here still have before them; at least one alarm for each that was not read back yet. */
  get agenda(): { readonly sends: number; readonly alarms: number } {
    let sends = 0
    let alarms = 0
    for (const { agenda } of this.#homed.values()) {
      sends += agenda?.sendCount ?? 0
      alarms += agenda?.alarmCount ?? 1
    }
    // Of a passive actor only its next alarm is known.
    for (const key of this.#passive.keys()) if (this.#init.wakeUps.dueAt(key) !== undefined) alarms++
    return { sends, alarms }
  }

  /** An alarm of it is due. */
  wake(actor: ActorKey): void {
    const entry = this.#init.mesh.registry?.actors.get(actor)
    if (entry !== undefined && entry.status.kind === 'running' && this.#isHere(entry))
      this.#homedFor(entry).wake()
  }

  /** Whatever became of the attempt so far, it is not begun from now on. */
  cancel(frame: CancelFrame): void {
    this.#cancelled.add(frame.token)
    this.#held.drop(frame.token)
    this.#homed.get(frame.actor)?.cancel(frame)
  }

  more(frame: MoreFrame, reply: Reply): void {
    if (this.#held.has(frame.token) || this.#homed.get(frame.actor)?.more(frame) === true) return
    reply({ kind: 'retry', why: 'its host does not know of it any more' })
  }

  registryChanged(): void {
    this.#held.release((frame, reply) => this.receive(frame, reply))
    this.#look()
  }

  rolled(): void {
    this.#look()
  }

  /** This boot is over: nothing is acknowledged any more. */
  stop(error: unknown): void {
    this.#over = true
    this.#scan.stop()
    this.#idle.stop()
    this.#copier.stop()
    this.#releaser.stop()
    this.#init.starts.stop()
    this.#init.wakeUps.stop()
    this.#init.journals.stop()
    const answer: Answer = { kind: 'retry', why: 'its host lost its journals' }
    for (const actor of this.#homed.values()) actor.end(answer, error)
    this.#homed.clear()
    this.#passive.clear()
    this.#held.release((_frame, reply) => reply(answer))
  }

  #decide(frame: CallFrame): HomedActor | Answer | 'hold' {
    const registry = this.#init.mesh.registry
    const entry = registry?.actors.get(frame.actor)
    if (registry === undefined || entry === undefined || isBehind(entry, frame)) return 'hold'
    if (entry.incarnation > frame.incarnation) return moved(entry)
    if (entry.status.kind === 'dead' || entry.status.kind === 'stopped') return died(entry)
    // A call of an older epoch is late: what came of it since then, this life may not know. Its caller sends it again.
    if (entry.home !== this.#init.boot || entry.epoch > frame.epoch) return moved(entry)
    if (entry.status.kind !== 'running') return { kind: 'retry', why: `the actor is ${entry.status.kind}` }
    const standing = standingOf(registry, frame.id.caller)
    if (standing === 'unknown') return 'hold' // this copy of the registry is behind, or the caller left for good
    if (standing === 'over') return callerGone(frame, this.#delivered.has(frame.id) ? 'unknown' : 'no')
    const type = typeOfActor(frame.actor)
    if (this.#init.types.find(type) !== undefined) return this.#homedFor(entry)
    const why = `the host of ${frame.actor} does not know its type ${type}: start it with that actor class`
    return isSend(frame.id) ? { kind: 'retry', why } : errorAnswer(new UnknownTypeError(why))
  }

  #deliver(homed: HomedActor, frame: CallFrame, reply: Reply): void {
    const { token, actor } = frame
    this.#delivered.add(frame.id) // C5
    if (this.#refused.has(token))
      reply(errorAnswer(new MailboxFullError(`the mailbox of ${actor} was full when this call came`)))
    else
      homed.receive(frame, (answer) => {
        if (answer.kind === 'error' && answer.error.code === 'MAILBOX_FULL') this.#refused.add(token)
        reply(answer)
      })
  }

  #homedFor(entry: ActorEntry): HomedActor {
    const known = this.#homed.get(entry.key)
    if (known !== undefined && isSameLife(known.entry, entry)) return known
    this.#drop(known, entry)
    const { key } = entry
    const passive = this.#passive.get(key)
    this.#passive.delete(key)
    const homed = new HomedActor(entry, {
      info: this.#init.types.find(typeOfActor(key)),
      services: this.#init,
      passive: passive && isSameLife(passive, entry) ? passive : undefined, // P3
      rested: this.#rested,
    })
    this.#homed.set(key, homed)
    if (this.#idleEveryMs > 0) this.#idle.ask()
    return homed
  }

  readonly #rested = (homed: HomedActor, passive: Passive): void => {
    const { key } = homed.entry
    if (this.#homed.get(key) !== homed || this.#over) return
    this.#homed.delete(key)
    this.#passive.set(key, passive)
    this.#init.events.passivated?.({ actor: key, epoch: passive.epoch })
  }

  #passivate(): void {
    for (const homed of [...this.#homed.values()]) homed.passivate()
    if (this.#homed.size > 0) this.#idle.ask()
  }

  #look(): void {
    this.#scan.ask(Math.max(SCAN_DELAY_MS, this.#scanMs * SCAN_REST))
  }

  #lookThrough(): void {
    const registry = this.#init.mesh.registry
    if (registry === undefined || this.#over) return
    const since = this.#init.clock.now()
    this.#delivered.forget(registry)
    for (const [key, homed] of this.#homed) {
      const entry = registry.actors.get(key)
      if (entry !== undefined && this.#isHere(entry) && isSameLife(homed.entry, entry)) continue
      this.#homed.delete(key)
      this.#drop(homed, entry)
    }
    for (const [key, passive] of this.#passive) {
      const entry = registry.actors.get(key)
      if (entry !== undefined && this.#isHere(entry) && isSameLife(passive, entry)) continue
      this.#passive.delete(key) // P3
      this.#tellStopped(key, passive.epoch, entry)
    }
    for (const entry of registry.actors.values()) if (this.#isHere(entry)) this.#serve(entry, registry)
    this.#scanMs = this.#init.clock.now() - since
  }

  #isHere(entry: ActorEntry): boolean {
    return entry.home === this.#init.boot
  }

  #serve(entry: ActorEntry, registry: RegistryState): void {
    if (entry.status.kind === 'moving' || entry.status.kind === 'stopping') {
      if (entry.status.killed) this.#homedFor(entry).abandon()
      this.#releaser.add(entry)
      this.#homed
        .get(entry.key)
        ?.writeAgain(({ journal }) => registry.journals.get(journal)?.status.kind !== 'open')
      return
    }
    const info = this.#init.types.find(typeOfActor(entry.key))
    if (info === undefined) return
    this.#copier.consider(
      entry,
      this.#homed.get(entry.key)?.position ?? this.#passive.get(entry.key),
      registry,
    )
    if (info.daemon && info.idleMs === 0) void this.#homedFor(entry).activate()
  }

  #tellStopped(actor: ActorKey, epoch: number, entry: ActorEntry | undefined): void {
    const kind = entry?.status.kind ?? 'stopped'
    const reason = kind === 'dead' || kind === 'stopped' ? kind : 'moved'
    this.#init.events.stopped?.({ actor, epoch, reason })
  }

  #drop(homed: HomedActor | undefined, entry?: ActorEntry): void {
    if (homed === undefined) return
    this.#init.wakeUps.set(homed.entry.key, undefined)
    const dead = entry?.status.kind === 'dead' || entry?.status.kind === 'stopped'
    const answer = dead ? died(entry) : moved(entry ?? homed.entry)
    this.#tellStopped(homed.entry.key, homed.entry.epoch, entry)
    homed.end(answer, new MeshUnavailableError(`${homed.entry.key} is not at home here any more`))
  }
}

/** How often to look for idle actors: a fraction of the shortest time, so that they rest not much later; 0 for never. */
function idleEvery({ types, limits }: HostInit): number {
  const times = types.all.map(({ idleMs }) => idleMs ?? limits.idleMs).filter((ms) => ms > 0)
  return times.length === 0 ? 0 : Math.min(IDLE_LOOK_MOST_MS, Math.min(...times) / 4)
}

const moved = ({ incarnation, epoch }: ActorEntry): Answer => ({ kind: 'moved', incarnation, epoch })

type Life = Pick<ActorEntry, 'epoch' | 'incarnation'>
const isSameLife = (a: Life, b: Life): boolean => a.epoch === b.epoch && a.incarnation === b.incarnation

const isBehind = (entry: ActorEntry, frame: CallFrame): boolean =>
  entry.incarnation < frame.incarnation ||
  (entry.incarnation === frame.incarnation && entry.epoch < frame.epoch)

export function died(entry: ActorEntry): Answer {
  return errorAnswer(diedError(entry))
}

export function diedError(entry: ActorEntry): ActorDiedError {
  const why = entry.status.kind === 'dead' ? `is dead: ${entry.status.cause}` : 'was stopped'
  return new ActorDiedError(
    `${entry.key} ${why}. It will not come back by itself; create it again to start afresh`,
    { executed: 'unknown' },
  )
}
