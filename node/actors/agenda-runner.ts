// The agenda of one live actor: what its calls add to it is carried out here, and what came of it written down.

import type { AgendaChange, AlarmEntry } from '../../checkpoint/agenda.ts'
import { actorCaller } from '../../mesh/ids.ts'
import { AgendaDraft } from './agenda-draft.ts'
import { EXECUTION_MS } from './agenda-limits.ts'
import type { AgendaServices } from './agenda-services.ts'
import { Alarms, afterRun } from './alarms.ts'
import type { Answer, CallFrame } from './frames.ts'
import type { LiveActorInit } from './live-actor-init.ts'
import { OpenNumbers } from './open-numbers.ts'
import { Sends } from './sends.ts'

/** Runs the alarm's method in its turn; see {@link Alarms}. */
export type AlarmRun = (frame: CallFrame, alarm: AlarmEntry) => Promise<Answer>

export class AgendaRunner {
  readonly #init: LiveActorInit
  readonly #run: AlarmRun
  // Most actors have no agenda: what carries it out is made when there is one.
  #numbers: OpenNumbers | undefined
  #sends: Sends | undefined
  #alarms: Alarms | undefined
  #stopped = false
  /** Numbers up to this one were given before. */
  readonly #before: number

  constructor(init: LiveActorInit, run: AlarmRun) {
    this.#init = init
    this.#run = run
    this.#before = init.log.agenda.last
  }

  /**
   * Goes on with what was there before, all of it acknowledged: at the home before, or by this one. What onActivate has
   * added follows when that is, too (S1 in sends.ts).
   */
  start(): void {
    const { agenda } = this.#init.log
    for (const entry of agenda.sends()) if (entry.n <= this.#before) this.#ofSends.add(entry)
    if (agenda.alarmCount > 0) this.ring()
  }

  /** Nothing has to be delivered or written: only alarms are left, and they say when. */
  get isQuiet(): boolean {
    const isSent = this.#init.log.agenda.sendCount === 0 && (this.#sends?.isQuiet ?? true)
    return isSent && this.#alarms?.isRinging !== true
  }

  /** For one call; for an alarm's, which begins with what becomes of the alarm. */
  draft(alarm: AlarmEntry | undefined): AgendaDraft {
    const { info, log } = this.#init
    const services = this.#services
    const wall = (): number => services.clock.wall()
    return new AgendaDraft({
      agenda: log.agenda,
      info,
      makeRef: services.makeRef,
      take: () => this.#ofNumbers.take(),
      wall,
      lifeOf: services.lifeOf,
      ...(alarm === undefined ? {} : { first: afterRun(alarm, wall()) }),
    })
  }

  /** What the next record has to say beside what its call changed. */
  settled(): readonly AgendaChange[] {
    return this.#sends?.settled() ?? []
  }

  /** Around every commit that has changes of the agenda. */
  record<Result>(changes: readonly AgendaChange[], commit: () => Result): Result {
    if (changes.length === 0) return commit()
    const { log } = this.#init
    const closing = this.#closedBy(changes)
    const result = commit()
    let alarms = false
    for (const change of changes) {
      if (change[0] === 'send') this.#ofNumbers.openSend(change[1], change[2])
      else if (change[0] === 'begun') this.#ofNumbers.openAlarm(change[2])
      alarms ||= change[0] !== 'send' && change[0] !== 'answered'
    }
    void log.whenDurable(log.sequence).then(
      () => this.#acknowledged(changes, closing),
      () => {}, // over here
    )
    if (alarms) this.ring()
    return result
  }

  /** Something may be due. */
  ring(): void {
    if (!this.#stopped) this.#ofAlarms.ring()
  }

  /** Nothing is sent or run any more. The log may still take a last record. */
  stop(): void {
    if (this.#stopped) return
    this.#alarms?.stop()
    this.#sends?.stop()
    this.#stopped = true
  }

  #acknowledged(changes: readonly AgendaChange[], closing: readonly number[]): void {
    for (const n of closing) this.#ofNumbers.close(n) // S3
    for (const [kind, n] of changes) {
      const entry = kind === 'send' ? this.#init.log.agenda.send(n) : undefined
      if (entry !== undefined && !this.#stopped) this.#ofSends.add(entry) // S1
    }
  }

  /** Numbers that nobody will ask for any more once these changes are acknowledged. */
  #closedBy(changes: readonly AgendaChange[]): readonly number[] {
    const { agenda } = this.#init.log
    return changes.flatMap((change) => {
      if (change[0] === 'answered') return change[1]
      if (change[0] !== 'gone' && change[0] !== 'set') return []
      return agenda.alarm(change[1])?.n || []
    })
  }

  #commit(changes: readonly AgendaChange[]): Promise<void> {
    const { log, entry } = this.#init
    if (this.#stopped) return Promise.reject(new Error(`${entry.key} is over here`))
    return this.record(changes, () => log.commitAgenda(changes))
  }

  get #services(): AgendaServices {
    return this.#init.services.agenda
  }

  get #ofNumbers(): OpenNumbers {
    const { log, entry } = this.#init
    this.#numbers ??= new OpenNumbers(log.agenda, this.#services.generation, entry.epoch)
    return this.#numbers
  }

  get #ofSends(): Sends {
    const { entry } = this.#init
    this.#sends ??= new Sends({
      services: this.#services,
      actor: entry.key,
      caller: actorCaller(entry.key, entry.incarnation),
      open: this.#ofNumbers,
      commit: (changes) => this.#commit(changes),
    })
    return this.#sends
  }

  get #ofAlarms(): Alarms {
    const { entry, log, journal } = this.#init
    this.#alarms ??= new Alarms({
      services: this.#services,
      actor: entry.key,
      log,
      open: this.#ofNumbers,
      commit: (changes) => this.#commit(changes),
      confirm: journal.confirm,
      run: (alarm) => this.#run(this.#frameOf(alarm), alarm),
    })
    return this.#alarms
  }

  /** An alarm's run as the call that it is: of the actor, to itself. */
  #frameOf({ n, method, args }: AlarmEntry): CallFrame {
    const { key, incarnation, epoch } = this.#init.entry
    const open = this.#ofNumbers
    // As it is when the method asks, in its turn: until then a call before it may have taken numbers that it has not recorded (S3).
    const floors = {
      own: 0,
      get all() {
        return open.lowest()
      },
    }
    return {
      t: 'call',
      token: '',
      id: { caller: actorCaller(key, incarnation), n, path: '' },
      floors,
      chain: [],
      actor: key,
      incarnation,
      epoch,
      method,
      args,
      leftMs: EXECUTION_MS,
    }
  }
}
