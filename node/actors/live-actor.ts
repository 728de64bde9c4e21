// One actor at its home: its mailbox and the execution of its calls. It exists for one incarnation and epoch.
//
//  L1 Writes run one at a time, each on a draft of the state the previous one left; the next starts when the previous
//     has returned, not when its record is acknowledged.
//  L2 Nothing leaves — result, error, call to another actor — before every record that its base depends on is
//     acknowledged (G5), and what is not proved by its own record is confirmed: the journal was not sealed after the call
//     arrived. So a host that was replaced without knowing it answers nothing.
//  L3 A call that is running or waiting is never started again: a retry attaches to it.
//  L4 What a method threw, or returned without changing anything, is remembered until its caller has it, so that a copy of
//     the call can't run it again after its caller was told. Only a passivated actor has it in a record: at a new home the
//     call may run again, on a state that it did not change.
//  L5 A call is cancelled when nobody waits for it any more: one that has not started never starts, one that runs is told
//     and goes on to its end, with its effect if it returns.
//  L6 A call under a relaxed policy may be answered before its record is written, as long as nobody but its caller knows of
//     it (checkpoints.ts). What leaves to others waits as ever, and has everything before it written.

import type { Patches } from 'mutative'
import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { AgendaChange, AlarmEntry } from '../../checkpoint/agenda.ts'
import type { Receipt } from '../api.ts'
import type { AgendaDraft } from './agenda-draft.ts'
import { AgendaRunner } from './agenda-runner.ts'
import { isWanted } from './alarms.ts'
import { isSend } from './callers.ts'
import { Cancellation } from './cancelling.ts'
import type { Relaxed } from './checkpoint-policy.ts'
import { Checkpoints } from './checkpoints.ts'
import { explain, tooLarge } from './execution.ts'
import type { Answer, CallFrame, CancelFrame, MoreFrame } from './frames.ts'
import type { HookChange } from './hooks.ts'
import { type Job, Jobs, mailboxFull, type Reply } from './jobs.ts'
import type { LiveActorInit } from './live-actor-init.ts'
import { OpenSeries } from './open-series.ts'
import { OWN_CALLS, runOwn } from './own-calls.ts'
import { prove, wantsProof } from './proofs.ts'
import { Remembered } from './remembered.ts'
import { type ErrorFrame, errorAnswer, toFrame } from './remote-error.ts'
import { outside } from './scope.ts'
import { type Done, type Outcome, type Seat, SeatLost, type Version, type Work } from './seat.ts'
import { checkMethod, type TypeInfo } from './type-info.ts'

/** In place of a send's result, which nobody hears: a target may have many senders, and keeps a line for each. */
const NOTHING = new Uint8Array()
/** What a call that changes nothing reads. */
interface View {
  readonly base: Version
  /** Before it may be answered; before it may call others. */
  readonly gate: Promise<void>
  readonly leave: () => Promise<void>
}

export class LiveActor {
  readonly log: ActorLog
  readonly agenda: AgendaRunner
  readonly #init: LiveActorInit
  readonly #jobs = new Jobs()
  readonly #remembered: Remembered
  /** Undefined until a call was answered before it was written. */
  #checkpoints: Checkpoints | undefined
  /** Undefined until there is one. */
  #series: OpenSeries | undefined
  /** What was there before its first call: a fresh state, what onActivate did. */
  #begun: number
  #usedAt: number
  /** Methods that have not returned. */
  #running = 0
  /** Fields of its object may be half changed: no call gets it any more (O2 in own-state.ts). */
  #spoiled = false
  #pumping = false
  #draining: { readonly idle: () => void } | undefined
  #dead = false

  constructor(init: LiveActorInit) {
    this.#init = init
    this.log = init.log
    this.#begun = init.log.sequence
    this.#usedAt = init.services.now()
    this.#remembered = new Remembered(init.log, init.services.isGone)
    this.agenda = new AgendaRunner(init, (frame, alarm) => this.#runAlarm(frame, alarm))
  }

  get info(): TypeInfo {
    return this.#init.info
  }
  get restored(): boolean {
    return this.#init.restored
  }
  get seat(): Seat {
    return this.#init.seat
  }
  get isSpoiled(): boolean {
    return this.#spoiled
  }
  /** The state that the next call finds. */
  get version(): Version {
    const { sequence, state, durable } = this.log
    return { sequence, state, durable }
  }

  /** It serves from now on: what was there before is written, or on its way. */
  begin(): void {
    this.#begun = this.log.sequence
  }

  /** What a hook did: a change that no call made, before the first one or after the last. */
  change({ name, patches, agenda }: HookChange): void {
    if (patches !== undefined || agenda.length > 0)
      this.#record(agenda, patches, () => this.log.commit(patches, undefined, agenda, false, `#hook ${name}`))
    this.#begun = this.log.sequence
  }

  /** Calls under way or waiting. */
  get load(): number {
    return this.#jobs.size + (this.#series?.size ?? 0)
  }

  /** Nothing happened here since then, or is under way; what is left to do has its time, and wakes the actor then. */
  isIdleSince(time: number): boolean {
    const isBusy = this.load > 0 || this.#running > 0 || this.#pumping
    return this.#usedAt <= time && !isBusy && this.agenda.isQuiet
  }

  receive(frame: CallFrame, reply: Reply): void {
    if (this.#dead) return
    this.#usedAt = this.#init.services.now()
    if (frame.series === true) return this.#openSeries(frame, reply)
    if (this.#jobs.attach(frame, reply)) return // L3
    this.#remembered.raise(frame)
    if (this.#remembered.answer(frame, reply, this.#relaxed(frame) !== undefined, this)) return
    try {
      checkMethod(this.#init.info, frame.method, 'call')
    } catch (error) {
      reply(errorAnswer(error))
      return
    }
    if (this.#draining !== undefined) reply({ kind: 'retry', why: 'the actor is moving' })
    else if (this.load >= this.#init.services.limits.mailboxLimit && !this.#makeRoom(frame))
      reply(this.#full(frame))
    else {
      const replies = new Map([[frame.token, reply]])
      const deadline = this.#init.services.now() + frame.leftMs
      this.#accept({ frame, replies, cancellation: new Cancellation(), deadline, isRunning: false })
    }
  }

  cancel(frame: CancelFrame): void {
    this.#series?.close(frame.token)
    this.#jobs.cancel(frame)
  }

  /** False when no such series runs here. */
  more(frame: MoreFrame): boolean {
    return this.#series?.more(frame) === true
  }

  /** Accepts nothing new, sends what has not started back, resolves when the last call that runs has returned. */
  async drain(): Promise<void> {
    this.agenda.stop()
    if (this.#dead) return
    for (const job of this.#jobs.takeQueued())
      this.#answer(job, { kind: 'retry', why: 'the actor is moving' })
    this.#series?.closeAll({ kind: 'retry', why: 'the actor is moving' })
    await new Promise<void>((idle) => {
      this.#draining = { idle }
      this.seat.tell(true)
      if (this.#running === 0) idle()
    })
  }

  /** It lives elsewhere or nowhere: nothing that happens here counts any more. */
  kill(answer: Answer, error: unknown): void {
    if (this.#dead) return
    this.log.fail(error)
    this.abandon(answer)
  }

  /**
   * What runs here comes to nothing, calls nobody any more, and nobody waits for it; what it did before stays in the log.
   * `begun`: for who waits for a method that runs.
   */
  abandon(answer: Answer, begun = answer): void {
    if (this.#dead) return
    this.#dead = true
    this.agenda.stop()
    this.#checkpoints?.stop()
    this.#jobs.abandon(answer, begun)
    this.#series?.closeAll(begun)
    this.seat.tell(true)
    this.seat.end()
    this.#draining?.idle()
  }

  /** Settles like a call, but nobody can ask for it again: it is in the agenda until its record takes it out. */
  #runAlarm(frame: CallFrame, alarm: AlarmEntry): Promise<Answer> {
    return new Promise((reply) => {
      if (this.#dead || this.#draining !== undefined) reply({ kind: 'retry', why: 'the actor is moving' })
      else
        this.#accept({
          frame,
          replies: new Map([[frame.token, reply]]),
          cancellation: new Cancellation(),
          deadline: this.#init.services.now() + frame.leftMs,
          alarm,
          isRunning: false,
        })
    })
  }

  /** Resolves when the record is as durable as the call wants it, with the receipt that it asked for. */
  prove(record: number, frame: CallFrame): Promise<Receipt | undefined> {
    const { log, journal, entry } = this.#init
    return prove({ log, journal, level: entry.options.class.level }, record, frame)
  }

  #accept(job: Job): void {
    this.#jobs.add(job)
    if (this.#isRead(job) && !this.#init.info.ownState) {
      void outside(() => this.#read(job))
      return
    }
    this.#jobs.queue(job)
    void outside(() => this.#pump())
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#jobs.queued > 0 && !this.#dead) {
        // Memory is bounded: a keeper set that does not acknowledge stops the actor, not the process.
        if (this.#init.journal.congested()) await this.log.whenDurable(this.log.sequence)
        if (this.#spoiled) await this.#renew()
        const job = this.#jobs.next()
        if (job === undefined || this.#dead) continue
        // Its caller has given up, so there is nobody to hear of it: after a jam the actor catches up at once.
        if (this.#init.services.now() > job.deadline || this.#isExpired(job))
          this.#answer(job, { kind: 'retry', why: 'it waited for too long' })
        else if (this.#isRead(job))
          await this.#read(job) // O3
        else await this.#write(job) // L1
      }
    } catch {
      // The log failed, or the seat was lost, so this object is being given up.
    } finally {
      this.#pumping = false
    }
  }

  async #renew(): Promise<void> {
    await this.#init.owner.renew()
    this.#spoiled = false
  }

  /** A call came to nothing, or the state is another one. */
  #spoil(): void {
    this.#spoiled = this.#init.info.ownState
  }

  #isRead({ alarm, frame }: Job): boolean {
    return alarm === undefined && this.#init.info.readOnly.has(frame.method)
  }

  /** An alarm is none of the calls in the table, although the actor may be its own caller there. */
  #isExpired({ alarm, frame }: Job): boolean {
    return alarm === undefined && this.#remembered.isExpired(frame.id)
  }

  async #write(job: Job): Promise<void> {
    if (job.alarm !== undefined && !isWanted(this.log.agenda, job.alarm))
      return this.#answer(job, { kind: 'retry', why: 'it is not wanted any more' }) // M3
    if (OWN_CALLS.has(job.frame.method)) return this.#runOwn(job)
    const base = this.version
    const agenda = this.agenda.draft(job.alarm)
    const outcome = await this.#execute('write', job, base, () => this.#gate(base.sequence), agenda)
    if (this.#dead) return
    const gate = (): Promise<void> => this.#readGate(job.frame, base.sequence)
    if ('error' in outcome) return this.#settleThrow(job, base.sequence, outcome.error, gate())
    const { result, patches, left } = outcome
    // What was sent is always settled by a record: delivered again it must find that, wherever the actor lives then.
    if (patches === undefined && agenda.changes.length === 0 && !isSend(job.frame.id)) {
      this.#remember(job, base.sequence, { kind: 'result', result })
      return this.#settle(job, left ? this.#gate(base.sequence) : gate(), outcome, base.sequence)
    }
    try {
      this.#commit(job, outcome, agenda.changes)
    } catch (error) {
      this.#settleThrow(job, base.sequence, this.#frameOf(job, error), gate())
    }
  }

  /** A call of the runtime's: no method runs, and nothing happens but what its record says. */
  async #runOwn(job: Job): Promise<void> {
    const { sequence, state, version } = this.log
    const { entry, info, services } = this.#init
    const { past, makeRef, cipher, limits } = services
    const call = { frame: job.frame, entry, info, state, version, sequence, past, makeRef, cipher }
    try {
      const { result, did, patches } = await this.#busy(() => runOwn(call))
      if (this.#dead) return
      const size = Math.max(patches?.length ?? 0, result.length)
      if (size > limits.maxBytes) throw tooLarge('state', size, limits.maxBytes)
      if (patches !== undefined) this.#spoil() // Its fields are of another state.
      if (did !== undefined) return this.#commit(job, { result, patches, left: true }, [], did)
      this.#remember(job, sequence, { kind: 'result', result })
      this.#settle(job, this.#gate(sequence), { result }, sequence)
    } catch (error) {
      if (!this.#dead) this.#settleThrow(job, sequence, this.#frameOf(job, error), this.#gate(sequence))
    }
  }

  #commit(
    job: Job,
    { result, patches, left }: Done,
    added: readonly AgendaChange[],
    did = job.alarm === undefined ? job.frame.method : `#alarm ${job.frame.method}`,
  ): void {
    const { id, floors } = job.frame
    const kept = isSend(id) ? NOTHING : result
    const call = job.alarm === undefined ? { ...id, floors, result: kept } : undefined
    const changes = [...this.agenda.settled(), ...added]
    const isKnown = left || added.length > 0 || job.alarm !== undefined
    const relaxed = isKnown ? undefined : this.#relaxed(job.frame) // L6
    const putOff = relaxed !== undefined
    this.#record(changes, patches, () => this.log.commit(patches, call, changes, putOff, did))
    this.seat.tell(false)
    const record = this.log.sequence
    if (relaxed === undefined) return this.#settle(job, this.log.whenDurable(record), { result }, record) // L2: its record is its proof
    this.#checkpoints ??= new Checkpoints(this.log, this.#init.services.clock)
    this.#settle(job, this.#checkpoints.answer(relaxed), { result }, record)
  }

  #record(changes: readonly AgendaChange[], patches: Uint8Array | undefined, commit: () => Patches): void {
    const applied = this.agenda.record(changes, commit)
    if (patches !== undefined) this.seat.changed(this.version, patches, applied)
  }

  async #read(job: Job): Promise<void> {
    const { base, gate, leave } = this.#view(job.frame)
    try {
      const outcome = await this.#execute('read', job, base, leave, undefined)
      if (this.#dead) return
      if ('error' in outcome) this.#settleThrow(job, base.sequence, outcome.error, gate)
      else this.#settle(job, outcome.left ? leave() : gate, outcome, base.sequence)
    } catch (error) {
      if (!(error instanceof SeatLost)) throw error // who waits hears of it from there
    }
  }

  /** What a call that changes nothing reads, and what that needs before anybody may see it. */
  #view(frame: CallFrame): View {
    // Before what it began with is durable there is nothing that a stale read may show.
    const local = this.#init.info.localReads && this.log.durable >= this.#begun
    const { log } = this
    const base = local
      ? { sequence: log.durable, state: log.durableState, durable: log.durable }
      : this.version
    const gate = local ? Promise.resolve() : this.#readGate(frame, base.sequence)
    gate.catch(() => {}) // who waits for it takes its outcome
    return { base, gate, leave: () => (local ? gate : this.#gate(base.sequence)) }
  }

  /** Rejects when the seat is lost: then this object is being given up. */
  #execute(
    kind: Work['kind'],
    job: Job,
    base: Version,
    gate: () => Promise<void>,
    agenda: AgendaDraft | undefined,
  ): Promise<Outcome> {
    const { deadline, cancellation } = job
    const { id, floors, method, args, chain: callers, actor } = job.frame
    const chain = [...callers, actor]
    const goesOn = (): boolean => !this.#dead
    const scope = { id, floors, chain, deadline, cancellation, gate, goesOn, agenda }
    job.isRunning = true
    return this.#busy(() => this.seat.run({ kind, method, args, base, scope }), job)
  }

  /** As long as that takes, something runs. */
  async #busy<T>(work: () => Promise<T>, job?: Job): Promise<T> {
    this.#running++
    try {
      const done = await work()
      if (job !== undefined) job.isRunning = false
      return done
    } finally {
      this.#running--
      if (this.#running === 0) this.#draining?.idle()
    }
  }

  #openSeries(frame: CallFrame, reply: Reply): void {
    const { token, method } = frame
    if (this.#series?.more({ token, taken: 0, again: true })) return
    const { info, seat, services } = this.#init
    const { clock, limits } = services
    try {
      checkMethod(info, method, 'series')
    } catch (error) {
      reply(errorAnswer(error))
      return
    }
    if (this.#draining !== undefined) return reply({ kind: 'retry', why: 'the actor is moving' })
    if (this.load >= limits.mailboxLimit) return reply(this.#full(frame))
    const { base, leave } = this.#view(frame)
    const gate = leave()
    gate.catch(() => {}) // it takes its outcome itself
    const ended = (): void => {
      this.#usedAt = services.now()
    }
    this.#series ??= new OpenSeries()
    this.#series.run({ seat, clock, frame, reply, base, gate, ended })
  }

  /** What a base needs before anybody may see it (L2). */
  async #gate(base: number): Promise<void> {
    await Promise.all([this.log.whenDurable(base), this.#init.journal.confirm()])
  }

  /** When a call that changed nothing, and that nobody else knows of, may be answered: another peer is not the host by then. */
  #readGate(frame: CallFrame, base: number): Promise<void> {
    return this.#relaxed(frame) === undefined ? this.#gate(base) : this.#init.journal.confirm()
  }

  /** Undefined where it is answered after its record is acknowledged. */
  #relaxed({ id, method, durability }: CallFrame): Relaxed | undefined {
    // What was there before its first call is durable before any answer (H2 in homed-actor.ts).
    if (durability !== undefined || isSend(id) || this.log.durable < this.#begun) return undefined
    return this.#init.info.relaxed(method)
  }

  #settleThrow(job: Job, base: number, error: ErrorFrame, gate: Promise<void>): void {
    this.#spoil() // O2
    this.#remember(job, base, { kind: 'error', error })
    this.#settle(job, gate, { error }, base)
  }

  #frameOf({ frame }: Job, error: unknown): ErrorFrame {
    return toFrame(explain(this.#init.info, frame.method, error))
  }

  /** L4; of an alarm nobody asks again but the agenda, and that has it run once more. */
  #remember({ alarm, frame }: Job, base: number, answer: Answer): void {
    if (alarm === undefined) this.#remembered.tell(frame, base, answer)
  }

  #settle(
    job: Job,
    gate: Promise<void>,
    outcome: { readonly result: Uint8Array } | { readonly error: ErrorFrame },
    record: number,
  ): void {
    const isProven = wantsProof(job.frame, 'result' in outcome ? 'result' : 'error')
    const proven = isProven ? gate.then(() => this.prove(record, job.frame)) : gate
    proven.then(
      (receipt) => {
        if ('result' in outcome)
          this.#answer(job, { kind: 'result', result: outcome.result, ...(receipt && { receipt }) })
        else this.#answer(job, { kind: 'error', error: outcome.error })
      },
      () => {}, // killed, or about to be: the replies are made there
    )
  }

  #answer(job: Job, answer: Answer): void {
    if (this.#jobs.answer(job, answer)) this.#usedAt = this.#init.services.now()
  }

  /** Has another caller's call give way, which has not begun (M3). */
  #makeRoom(frame: CallFrame): boolean {
    const job = this.#jobs.givingWay(frame)
    if (job !== undefined) this.#answer(job, this.#full(job.frame))
    return job !== undefined
  }

  #full(frame: CallFrame): Answer {
    return mailboxFull(frame, this.#init.info.name, this.#init.services.limits.mailboxLimit)
  }
}
