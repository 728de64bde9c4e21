// An actor that the registry gives to this boot, from that moment to its end here: restored when first needed, made into
// an object, served, copied into the present journal, passivated, released. One per incarnation and epoch; a passivated
// one leaves its `Passive` and gets another of these when it is needed again.
//
//  H1 Its state comes from its sources, and none of them is passed over: homed-log.ts.
//  H2 A fresh state, and one that was migrated, is a change: its snapshot is acknowledged before anything is answered.
//  H3 After a release nothing is accepted or written under this epoch again, whatever this peer's registry still says.

import type { ActorLog, Position } from '../../checkpoint/actor-log.ts'
import type { Agenda } from '../../checkpoint/agenda.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { MeshUnavailableError } from '../errors.ts'
import { type Arrival, Arrivals } from './arrivals.ts'
import { callerGone } from './call-errors.ts'
import { initOf } from './encryption.ts'
import { type FirstState, firstStateOf } from './first-state.ts'
import type { Answer, CallFrame, CancelFrame, MoreFrame } from './frames.ts'
import type { HomeServices } from './home-services.ts'
import { HomedLog, type LogOwner } from './homed-log.ts'
import { runHook } from './hooks.ts'
import type { Reply } from './jobs.ts'
import { LiveActor } from './live-actor.ts'
import type { LiveActorOwner } from './live-actor-init.ts'
import { migrateState } from './migration.ts'
import { BECOME, type DecodedInit, decodeInit } from './own-calls.ts'
import { newestOf, type Passive, passiveOf } from './passive.ts'
import type { Newest } from './restore-frames.ts'
import type { Saved } from './runtime-types.ts'
import { type Seat, SeatLost } from './seat.ts'
import { causeFor, startBackoff, untilStarted } from './start-attempts.ts'
import { STEADY_MS } from './starts.ts'
import type { Backoff } from './timing.ts'
import type { TypeInfo } from './type-info.ts'
import type { DeactivateReason } from './types.ts'

export interface HomedActorInit {
  readonly info: TypeInfo | undefined
  readonly services: HomeServices
  /** What is left of it, when it was passivated here. */
  readonly passive: Passive | undefined
  /** It became passive: this object has nothing of it any more. */
  readonly rested: (homed: HomedActor, passive: Passive) => void
}

const nobody = (): void => {}

export class HomedActor implements LogOwner, LiveActorOwner {
  readonly entry: ActorEntry
  readonly #services: HomeServices
  readonly #info: TypeInfo | undefined
  /** Calls that wait for its object; undefined when there is none. */
  #arrivals: Arrivals | undefined
  /** What it was before, when it was passive. */
  readonly #passive: Passive | undefined
  readonly #rested: HomedActorInit['rested']
  #activating: Promise<LiveActor> | undefined
  #deactivating: Promise<void> | undefined
  #live: LiveActor | undefined
  readonly #log: HomedLog
  #arrived: () => void = nobody
  #releasing = false
  /** It was killed: nothing that its object still does counts, or is waited for. */
  #isAbandoned = false
  /** Ends the wait for an object that is told that it ends. */
  #leaveAlone: () => void = nobody
  /** Who uses its log at present, beside its object (P1). */
  #users = 0
  #ended: { readonly error: unknown } | undefined
  /** Before its next object, after one was lost. */
  #pause: Backoff | undefined
  #servedAt = 0
  /** Ends an object in a thread of its own that may not be live yet. */
  #unseat: AbortController | undefined
  /** Why it does not serve yet; empty while nothing is wrong. */
  #problem = ''

  constructor(entry: ActorEntry, { info, services, passive, rested }: HomedActorInit) {
    this.entry = entry
    this.#info = info
    this.#services = services
    this.#passive = passive
    this.#rested = rested
    this.#log = new HomedLog({ entry, services, passive, owner: this })
  }

  get problem(): string {
    return this.#problem
  }
  get position(): Position | undefined {
    return this.#log.position
  }
  /** Its last durable record, and how many there are beyond that; undefined while it is not in memory. */
  get saved(): Saved | undefined {
    const log = this.#log.now
    return log && { durable: log.durable, unsaved: log.sequence - log.durable }
  }
  /** Its newest acknowledged record here; undefined: there is none, or it is on its way out (H3). */
  get newest(): Newest | undefined {
    const log = this.#log.now
    if (this.#ended !== undefined || this.#releasing) return undefined
    if (log === undefined) return newestOf(this.#passive)
    return log.position && { sequence: log.durable, ...log.position }
  }
  /** What it still has to do; undefined while it is not live. */
  get agenda(): Agenda | undefined {
    return this.#log.now?.agenda
  }

  /** An alarm is due. */
  wake(): void {
    if (this.#ended !== undefined || this.#releasing) return // H3
    this.activate().then(
      ({ agenda }) => agenda.ring(),
      () => {}, // it ended before: another home has it
    )
  }

  receive(frame: CallFrame, reply: Reply): void {
    if (this.#releasing || this.#ended !== undefined)
      reply({ kind: 'retry', why: 'the actor is moving' }) // H3
    else if (this.#live !== undefined) this.#live.receive(frame, reply)
    else this.#hold(frame, reply)
  }

  cancel(frame: CancelFrame): void {
    this.#arrivals?.cancel(frame)
    this.#live?.cancel(frame)
  }

  /** False when no such series runs or waits here. */
  more(frame: MoreFrame): boolean {
    return this.#live?.more(frame) ?? this.#arrivals?.has(frame.token) ?? false
  }

  /** Makes it live, whatever that takes. Rejects when it ends before. */
  activate(): Promise<LiveActor> {
    this.#activating ??= this.#activate()
    this.#activating.catch(() => {}) // who waits for it handles it
    return this.#activating
  }

  /** Writes its whole state into the journal of the moment, unless that is where it is by now. A passive one stays so. */
  async copy(isOld: (position: Pick<Position, 'journal'>) => boolean): Promise<Position> {
    this.#users++
    try {
      return await this.#copy(isOld)
    } finally {
      this.#users--
      this.#rest()
    }
  }

  /**
   * Gives its object up when nobody has called it for its type's time, and all but its position when everything of it is
   * in one record. A call that arrives meanwhile makes another object.
   */
  passivate(): void {
    const idleMs = this.#info?.idleMs ?? this.#services.limits.idleMs
    const log = this.#log.now
    if (idleMs === 0 || log === undefined || this.#users > 0 || this.#ended !== undefined) return
    const isIdle =
      this.#live === undefined
        ? this.#activating === undefined
        : this.#live.isIdleSince(this.#services.now() - idleMs)
    if (!isIdle || this.#releasing) return
    if (log.durable === log.sequence)
      void this.#passivate(log) // P1
    else log.whenDurable(log.sequence).catch(() => {}) // what was put off is written first
  }

  async #passivate(log: ActorLog): Promise<void> {
    const live = this.#live
    this.#live = undefined
    this.#activating = undefined
    live?.agenda.stop() // Its alarms are known to the host, which wakes it for them.
    this.#users++
    try {
      await this.#deactivate(live, 'passivated')
      if (!this.#releasing && log.whole === undefined) await log.writeWhole() // H3
    } catch {
      // The log failed, so this actor is being ended.
    } finally {
      live?.seat.end()
      this.#users--
      this.#rest()
    }
  }

  /** Tells the object that it ends. Until that is done, or the actor is killed, no other one is made. */
  #deactivate(live: LiveActor | undefined, reason: DeactivateReason): Promise<void> | undefined {
    if (live === undefined || live.isSpoiled || this.#info?.hooks.has('onDeactivate') !== true)
      return undefined
    const closed = this.#close(live, reason)
    const abandoned = new Promise<void>((resolve) => {
      this.#leaveAlone = resolve
      if (this.#isAbandoned) resolve()
    })
    this.#deactivating = Promise.race([closed, abandoned]).finally(() => {
      this.#deactivating = undefined
      this.#leaveAlone = nobody
    })
    return this.#deactivating
  }

  async #close(live: LiveActor, reason: DeactivateReason): Promise<void> {
    const { info, seat, log, version: base } = live
    const gate = async (): Promise<void> => {
      await Promise.all([log.whenDurable(base.sequence), this.#log.side.confirm()])
    }
    try {
      const about = { type: info.name, actor: this.entry.key, agenda: undefined, services: this.#services }
      const goesOn = (): boolean => this.#ended === undefined && !this.#isAbandoned
      const run = { ...about, seat, base, gate, goesOn }
      const change = await runHook(run, { name: 'onDeactivate', argument: reason })
      if (goesOn()) live.change(change)
    } catch (error) {
      if (this.#isAbandoned) return
      this.#services.warn(this.entry, 'onDeactivate failed: what it changed is dropped', error)
    }
  }

  /** The end of this object, unless anybody needs more of the actor than where it is written (P1). */
  #rest(): void {
    const log = this.#log.now
    const isNeeded = this.#users > 0 || this.#live !== undefined || this.#activating !== undefined
    if (isNeeded || this.#releasing || this.#ended !== undefined || log?.whole === undefined) return
    this.#ended = { error: new MeshUnavailableError(`${this.entry.key} is passive`) }
    this.#rested(this, passiveOf(this.entry, log.sequence, log.whole))
  }

  async #copy(isOld: (position: Pick<Position, 'journal'>) => boolean): Promise<Position> {
    const own = this.#passive === undefined ? this.#log.now : await this.#log.load() // T3
    const log = own ?? (await this.activate()).log
    if (this.#releasing) throw new MeshUnavailableError(`${this.entry.key} is moving`) // H3
    // What went into a journal that was closed without it will never be acknowledged there.
    if (log.writtenTo !== undefined && isOld({ journal: log.writtenTo })) await log.writeSnapshot()
    await log.whenDurable(log.sequence)
    if (log.position === undefined || isOld(log.position)) await log.writeSnapshot()
    return log.position!
  }

  /**
   * Writes it again if it waits for what an old journal was closed without. A running actor is copied for that; of one
   * that is on its way out neither the last calls nor the release would ever be acknowledged.
   */
  writeAgain(isOld: (position: Pick<Position, 'journal'>) => boolean): void {
    const log = this.#log.now
    if (log?.writtenTo === undefined || log.durable === log.sequence) return
    if (isOld({ journal: log.writtenTo })) log.rewrite()
  }

  /**
   * Ends it here with its state in an acknowledged release record; undefined when there was never anything to write, or
   * nothing of it is needed (`keepState` false) and nothing was written under this epoch.
   */
  async release(keepState: boolean, reason: DeactivateReason | undefined): Promise<Position | undefined> {
    this.#releasing = true // H3
    for (const { reply } of this.#takeArrivals()) reply({ kind: 'retry', why: 'the actor is moving' })
    await this.#deactivating
    await this.#live?.drain()
    if (reason !== undefined) await this.#deactivate(this.#live, reason)
    this.#live?.seat.end()
    this.#unseat?.abort()
    const log = keepState ? await this.#log.load() : this.#log.now
    if (log === undefined) return undefined
    await log.writeSnapshot('release')
    return log.position
  }

  /** It was killed: its object ends at once, in the middle of what it does. */
  abandon(): void {
    this.#releasing = true // H3
    this.#isAbandoned = true
    this.#leaveAlone()
    this.#live?.abandon({ kind: 'retry', why: 'the actor was killed' })
    this.#unseat?.abort()
  }

  /** It lives elsewhere, or nowhere; or this boot is over. */
  end(answer: Answer, error: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = { error }
    for (const { reply } of this.#takeArrivals()) reply(answer)
    this.#arrived()
    this.#live?.kill(answer, error)
    this.#unseat?.abort()
    this.#log.now?.fail(error)
  }

  #hold(frame: CallFrame, reply: Reply): void {
    this.#arrivals ??= new Arrivals(this.entry.key, this.#services.limits.mailboxLimit)
    const deadline = this.#services.now() + frame.leftMs
    if (!this.#arrivals.add({ frame, reply, deadline })) return
    this.#arrived()
    if (this.#problem !== '') reply({ kind: 'waiting', why: this.#problem })
    void this.activate()
  }

  async #activate(): Promise<LiveActor> {
    if (this.#deactivating !== undefined) await this.#deactivating
    await this.#pauseAfterFailures()
    await this.#log.load()
    const first = await this.#firstState()
    return this.#untilStarted(async (made) => {
      const live = await this.#make(first)
      made()
      try {
        await this.#open(live)
        return this.#serve(live)
      } catch (error) {
        live.seat.end()
        throw error
      }
    })
  }

  /** Another object for a live actor whose own one is not what the log says any more (O2 in own-state.ts). */
  async renew(): Promise<void> {
    const live = this.#live
    if (live === undefined) throw new MeshUnavailableError(`${this.entry.key} is not in use`)
    await this.#untilStarted(
      async (made) => {
        await live.seat.renew(live.version)
        made()
        await this.#open(live)
        this.#problem = ''
        this.#services.starts.succeeded(this.entry)
      },
      () => live.seat.check(),
    )
  }

  /** Rejects when it ends here before, and with what `check` throws. */
  #untilStarted<Started>(
    start: (made: () => void) => Promise<Started>,
    check: () => void = () => {},
  ): Promise<Started> {
    return untilStarted({
      entry: this.entry,
      services: this.#services,
      start,
      check: () => {
        this.#checkStaying()
        check()
      },
      hasState: () => this.#log.now !== undefined,
      tell: (problem) => this.tell(problem),
    })
  }

  /** An actor that lost one host after the other may have brought them down. */
  async #pauseAfterFailures(): Promise<void> {
    const { starts, sleep } = this.#services
    const delayMs =
      this.#passive === undefined && this.#log.now === undefined ? starts.delayMs(this.entry) : 0
    if (delayMs === 0) return
    this.tell(`its host was lost again and again; it is started in ${Math.round(delayMs)} ms`)
    await sleep(delayMs)
  }

  /** An object that does not serve yet, on a log: of the state it was restored with, or of what its constructor set. */
  async #make(first: FirstState | undefined): Promise<LiveActor> {
    const { entry } = this
    const services = this.#services
    const info = this.#info
    if (info === undefined) throw new Error(`this peer does not know the type of ${entry.key}`)
    const context = services.context(entry, this.#log.now !== undefined)
    const { init } = this.#decodedInit()
    const isInitial = this.#log.now === undefined && first === undefined
    if (info.isolation !== undefined) this.#unseat = new AbortController()
    const { signal } = this.#unseat ?? {}
    const lost = (seat: Seat, cause: string): void => this.#lost(seat, cause)
    const seat = await services.openSeat({ info, context, init, isFresh: isInitial, signal, lost })
    try {
      this.#checkStaying()
      const { state, version } = first ?? { state: seat.initial, version: info.version }
      const log = this.#log.now ?? this.#log.fresh(state, version)
      migrateState(info, log, services.makeRef)
      const { side: journal } = this.#log
      const live = new LiveActor({
        entry,
        info,
        seat,
        log,
        journal,
        services,
        owner: this,
        restored: context.restored,
      })
      await seat.begin(live.version, isInitial)
      this.#checkStaying()
      return live
    } catch (error) {
      seat.end()
      throw error
    }
  }

  /** What ran there comes to nothing, as on a lost host; its log is here, and another object goes on from that. */
  #lost(seat: Seat, cause: string): void {
    const live = this.#live
    if (live?.seat !== seat) return // what waits for it, a start or a last hook, hears of it itself
    this.#services.warn(this.entry, 'an actor is started again', new SeatLost(cause))
    if (this.#services.now() - this.#servedAt >= STEADY_MS) this.#pause = undefined
    if (!this.#releasing) {
      this.#live = undefined
      this.#activating = this.#startAgain(live.log, cause)
      this.#activating.catch(() => {}) // who waits for it handles it
    }
    live.abandon({ kind: 'retry', why: cause }, { kind: 'lost', why: cause })
  }

  async #startAgain(log: ActorLog, cause: string): Promise<LiveActor> {
    const { starts, sleep } = this.#services
    this.#pause ??= startBackoff()
    const pause = this.#pause
    this.tell(`${cause} (on ${this.#services.mesh.self})`)
    await Promise.all([
      starts.failed(this.entry, causeFor(this.entry, 'its worker', cause), { again: true, counts: true }),
      sleep(pause.next()),
    ])
    // What the former object had answered, which its last record says, stays open for its successor's agenda until it is
    // written (S3 in sends.ts).
    await log.whenDurable(log.sequence)
    return this.#activate()
  }

  #decodedInit(): DecodedInit {
    return decodeInit(initOf(this.entry, this.#services.cipher), this.#services.makeRef)
  }

  /** Before the first call: what its class has to do then. */
  async #open(live: LiveActor): Promise<void> {
    const { info, seat, log, version: base } = live
    if (!info.hooks.has('onActivate')) return
    const restored = log === this.#log.now
    const gate = async (): Promise<void> => {
      this.#checkStaying()
      if (log.sequence === 0) this.#log.begin(log)
      await Promise.all([log.whenDurable(log.sequence), this.#log.side.confirm()])
    }
    const goesOn = (): boolean => this.#ended === undefined && !this.#releasing
    const about = { type: info.name, actor: this.entry.key, services: this.#services }
    const agenda = live.agenda.draft(undefined)
    const run = { ...about, seat, base, gate, goesOn, agenda }
    const change = await runHook(run, { name: 'onActivate', argument: restored })
    this.#checkStaying()
    seat.check() // I1 in seat.ts
    live.change(change)
  }

  #serve(live: LiveActor): LiveActor {
    live.seat.check() // from here on its loss is told
    const { log } = live
    if (log !== this.#log.now) this.#log.begin(log) // H2: every base is at or after it
    live.begin()
    this.#live = live
    this.#servedAt = this.#services.now()
    this.#problem = ''
    this.#services.starts.succeeded(this.entry)
    const { key: actor, epoch } = this.entry
    this.#services.events.started?.({ actor, epoch, restored: live.restored })
    const recovered = this.#log.takeRecovered()
    if (recovered !== undefined) this.#services.reportRecovered(this.entry, recovered)
    for (const { frame, reply, deadline } of this.#takeArrivals()) {
      const leftMs = deadline - this.#services.now()
      // Its results went with it, so a call that waited here while its caller was given up may have been executed before.
      if (this.#services.isGone(frame.id.caller)) reply(callerGone(frame, 'unknown'))
      else if (leftMs > 0) live.receive({ ...frame, leftMs }, reply)
      else reply({ kind: 'retry', why: 'it waited for too long' })
    }
    live.agenda.start()
    return live
  }

  #takeArrivals(): readonly Arrival[] {
    const arrivals = this.#arrivals?.takeAll() ?? []
    this.#arrivals = undefined
    return arrivals
  }

  /** What a copy begins with (N1); undefined: it is none, or it has a state. */
  async #firstState(): Promise<FirstState | undefined> {
    const { copyOf } = this.#decodedInit()
    if (copyOf === undefined || this.#log.now !== undefined) return undefined
    return firstStateOf(this.entry, {
      copyOf,
      services: this.#services,
      brought: () => this.#arrivals?.find(BECOME),
      arrival: () =>
        new Promise((resolve) => {
          this.#arrived = resolve
        }),
      tell: (problem) => this.tell(problem),
      check: () => this.#checkStaying(),
    })
  }

  /** For its log: throws when it has ended here. */
  check(): void {
    if (this.#ended !== undefined) throw this.#ended.error
  }

  /** Throws when it has ended here, or is about to (H3). */
  #checkStaying(): void {
    this.check()
    if (this.#releasing) throw new MeshUnavailableError(`${this.entry.key} is moving`)
  }

  /** Who waits for it hears why. */
  tell(problem: string): void {
    if (problem === this.#problem) return
    this.#problem = problem
    this.#arrivals?.tell({ kind: 'waiting', why: problem })
  }
}
