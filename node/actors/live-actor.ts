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

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { AgendaChange, AlarmEntry } from '../../checkpoint/agenda.ts'
import type { SettledCall } from '../../checkpoint/call-table.ts'
import type { AgendaDraft } from './agenda-draft.ts'
import { AgendaRunner } from './agenda-runner.ts'
import { isWanted } from './alarms.ts'
import { isSend } from './callers.ts'
import { Cancellation } from './cancelling.ts'
import type { Answer, CallFrame, CancelFrame, MoreFrame } from './frames.ts'
import type { HookChange } from './hooks.ts'
import { HostedSeries } from './hosted-series.ts'
import { type Job, Jobs, mailboxFull, type Reply } from './jobs.ts'
import type { LiveActorInit } from './live-actor-init.ts'
import { Remembered } from './remembered.ts'
import { type ErrorFrame, errorAnswer, toFrame } from './remote-error.ts'
import { outside } from './scope.ts'
import { type Outcome, type Seat, SeatLost, type Version } from './seat.ts'
import { checkMethod, type TypeInfo } from './type-info.ts'

/** In place of a send's result, which nobody hears: a target may have many senders, and keeps a line for each. */
const NOTHING = new Uint8Array()
export class LiveActor {
  readonly log: ActorLog
  readonly agenda: AgendaRunner
  readonly #init: LiveActorInit
  readonly #jobs = new Jobs()
  readonly #remembered: Remembered
  /** By the attempts that opened them; undefined until there is one. */
  #series: Map<string, HostedSeries> | undefined
  /** What was there before its first call: a fresh state, what onActivate did. */
  #begun: number
  #running = 0
  #usedAt: number
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
  /** The state that the next call finds. */
  get version(): Version {
    const { sequence, state, durable } = this.log
    return { sequence, state, durable }
  }

  /** What a hook did: a change that no call made, before the first one or after the last. */
  change({ patches, agenda }: HookChange): void {
    if (patches !== undefined || agenda.length > 0) this.#record(agenda, patches, undefined)
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
    if (this.#remembered.answer(frame, reply)) return
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
    this.#series?.get(frame.token)?.close()
    this.#jobs.cancel(frame)
  }

  /** False when no such series runs here. */
  more({ token, taken, again }: MoreFrame): boolean {
    const series = this.#series?.get(token)
    series?.more(taken, again)
    return series !== undefined
  }

  /** Accepts nothing new, sends what has not started back, resolves when the last call that runs has returned. */
  async drain(): Promise<void> {
    this.agenda.stop()
    if (this.#dead) return
    for (const job of this.#jobs.takeQueued())
      this.#answer(job, { kind: 'retry', why: 'the actor is moving' })
    for (const series of this.#series?.values() ?? [])
      series.close({ kind: 'retry', why: 'the actor is moving' })
    await new Promise<void>((idle) => {
      this.#draining = { idle }
      if (this.#running === 0) idle()
    })
  }

  /** It lives elsewhere or nowhere: nothing that happens here counts any more. */
  kill(answer: Answer, error: unknown): void {
    if (this.#dead) return
    this.log.fail(error)
    this.abandon(answer)
  }

  /** What runs here comes to nothing, and nobody waits for it; what it did before stays in the log. */
  abandon(answer: Answer, begun = answer): void {
    this.seat.end()
    if (this.#dead) return
    this.#dead = true
    this.agenda.stop()
    this.#jobs.abandon(answer, begun)
    for (const series of this.#series?.values() ?? []) series.close(begun)
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

  #accept(job: Job): void {
    this.#jobs.add(job)
    if (job.alarm === undefined && this.#init.info.readOnly.has(job.frame.method)) {
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
        const job = this.#jobs.next()
        if (job === undefined || this.#dead) continue
        // Its caller has given up, so there is nobody to hear of it: after a jam the actor catches up at once.
        if (this.#init.services.now() > job.deadline || this.#isExpired(job))
          this.#answer(job, { kind: 'retry', why: 'it waited for too long' })
        else await this.#write(job) // L1
      }
    } catch {
      // The log failed, so this actor is being killed.
    } finally {
      this.#pumping = false
    }
  }

  /** An alarm is none of the calls in the table, although the actor may be its own caller there. */
  #isExpired({ alarm, frame }: Job): boolean {
    return alarm === undefined && this.#remembered.isExpired(frame.id)
  }

  async #write(job: Job): Promise<void> {
    if (job.alarm !== undefined && !isWanted(this.log.agenda, job.alarm))
      return this.#answer(job, { kind: 'retry', why: 'it is not wanted any more' }) // M3
    const base = this.version
    const gate = (): Promise<void> => this.#gate(base.sequence)
    const agenda = this.agenda.draft(job.alarm)
    const outcome = await this.#execute('write', job, base, gate, agenda)
    if (this.#dead) return
    if ('error' in outcome) return this.#settleThrow(job, base.sequence, outcome.error)
    const { result, patches } = outcome
    // What was sent is always settled by a record: delivered again it must find that, wherever the actor lives then.
    if (patches === undefined && agenda.changes.length === 0 && !isSend(job.frame.id)) {
      this.#remember(job, base.sequence, { kind: 'result', result })
      return this.#settle(job, gate(), outcome)
    }
    try {
      this.#commit(job, patches, result, agenda.changes)
    } catch (error) {
      this.#settleThrow(job, base.sequence, toFrame(error))
    }
  }

  #commit(
    job: Job,
    patches: Uint8Array | undefined,
    result: Uint8Array,
    added: readonly AgendaChange[],
  ): void {
    const { id, floors } = job.frame
    const kept = isSend(id) ? NOTHING : result
    const call = job.alarm === undefined ? { ...id, floors, result: kept } : undefined
    this.#record([...this.agenda.settled(), ...added], patches, call)
    this.#settle(job, this.log.whenDurable(this.log.sequence), { result }) // L2: its record is its proof
  }

  #record(
    changes: readonly AgendaChange[],
    patches: Uint8Array | undefined,
    call: SettledCall | undefined,
  ): void {
    const applied = this.agenda.record(changes, () => this.log.commit(patches, call, changes))
    if (patches !== undefined) this.seat.changed(this.version, patches, applied)
  }

  async #read(job: Job): Promise<void> {
    const { base, gate } = this.#view()
    try {
      const outcome = await this.#execute('read', job, base, () => gate, undefined)
      if (this.#dead) return
      if ('error' in outcome) this.#settleThrow(job, base.sequence, outcome.error, gate)
      else this.#settle(job, gate, outcome)
    } catch (error) {
      if (!(error instanceof SeatLost)) throw error
    }
  }

  /** What a call that changes nothing reads, and what that needs before anybody may see it. */
  #view(): { readonly base: Version; readonly gate: Promise<void> } {
    // Before what it began with is durable there is nothing that a stale read may show.
    const local = this.#init.info.localReads && this.log.durable >= this.#begun
    const { durable, durableState } = this.log
    const base = local ? { sequence: durable, state: durableState, durable } : this.version
    const gate = local ? Promise.resolve() : this.#gate(base.sequence)
    gate.catch(() => {}) // who waits for it takes its outcome
    return { base, gate }
  }

  #openSeries(frame: CallFrame, reply: Reply): void {
    const { token, method } = frame
    if (this.more({ t: 'more', token, actor: frame.actor, taken: 0, again: true })) return
    const { info, seat, services } = this.#init
    const { clock } = services
    try {
      checkMethod(info, method, 'series')
    } catch (error) {
      reply(errorAnswer(error))
      return
    }
    if (this.#draining !== undefined) return reply({ kind: 'retry', why: 'the actor is moving' })
    if (this.load >= services.limits.mailboxLimit) return reply(this.#full(frame))
    const { base, gate } = this.#view()
    const ended = (): void => {
      this.#series?.delete(token)
      this.#usedAt = services.now()
    }
    const series = new HostedSeries({ seat, clock, frame, reply, base, gate, ended })
    this.#series ??= new Map()
    this.#series.set(token, series)
    void outside(() => series.run())
  }

  /** Rejects when the seat is lost: then this object is being given up. */
  async #execute(
    kind: 'write' | 'read',
    job: Job,
    base: Version,
    gate: () => Promise<void>,
    agenda: AgendaDraft | undefined,
  ): Promise<Outcome> {
    const { deadline, cancellation } = job
    const { id, floors, method, args, chain: callers, actor } = job.frame
    const chain = [...callers, actor]
    this.#running++
    job.isRunning = true
    try {
      const scope = { id, floors, chain, deadline, cancellation, gate, agenda }
      const outcome = await this.seat.run({ kind, method, args, base, scope })
      job.isRunning = false
      return outcome
    } finally {
      this.#running--
      if (this.#running === 0) this.#draining?.idle()
    }
  }

  /** What a base needs before anybody may see it (L2). */
  async #gate(base: number): Promise<void> {
    await Promise.all([this.log.whenDurable(base), this.#init.journal.confirm()])
  }

  #settleThrow(job: Job, base: number, error: ErrorFrame, gate = this.#gate(base)): void {
    this.#remember(job, base, { kind: 'error', error })
    this.#settle(job, gate, { error })
  }

  /** L4; of an alarm nobody asks again but the agenda, and that has it run once more. */
  #remember({ alarm, frame }: Job, base: number, answer: Answer): void {
    if (alarm === undefined) this.#remembered.tell(frame, base, answer)
  }

  #settle(
    job: Job,
    gate: Promise<void>,
    outcome: { readonly result: Uint8Array } | { readonly error: ErrorFrame },
  ): void {
    gate.then(
      () => {
        if ('result' in outcome) this.#answer(job, { kind: 'result', result: outcome.result })
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
