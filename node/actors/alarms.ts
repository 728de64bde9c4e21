// The alarms of one actor, at one home: each is run at its time, as a call of the actor to itself.
//
//  M1 It is begun with a record of its own, which gives it a number (Q3): what its method calls has the same id at every
//     home. The record's acknowledgement, or a confirmation, also proves that this home was not replaced.
//  M2 The record of the method's change takes it out of the agenda, or sets it to its next time: whatever else happens it
//     takes effect once.
//  M3 What was cancelled or replaced since is not run: the entry is looked at again when its turn comes.
//  M4 When it is run is up to the wall clock of the host, and nothing else is: a clock that is wrong makes alarms early or late.

import type { ActorLog } from '../../checkpoint/actor-log.ts'
import type { Agenda, AgendaChange, AlarmEntry } from '../../checkpoint/agenda.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import { ALARM_ATTEMPTS, ALARM_RETRY_MS } from './agenda-limits.ts'
import type { AgendaServices } from './agenda-services.ts'
import type { Answer } from './frames.ts'
import type { OpenNumbers } from './open-numbers.ts'
import { fromFrame } from './remote-error.ts'

export interface AlarmsInit {
  readonly services: AgendaServices
  readonly actor: ActorKey
  readonly log: ActorLog
  readonly open: OpenNumbers
  /** Commits and hears of the commit, as for any other change of the agenda. */
  readonly commit: (changes: readonly AgendaChange[]) => Promise<void>
  readonly confirm: () => Promise<void>
  /** Runs it in its turn. Neither result nor error: it did not run. */
  readonly run: (alarm: AlarmEntry) => Promise<Answer>
}

export class Alarms {
  readonly #init: AlarmsInit
  #ringing = false
  #stopped = false

  constructor(init: AlarmsInit) {
    this.#init = init
  }

  /** One is being run, or about to be. */
  get isRinging(): boolean {
    return this.#ringing
  }

  /** Has what is due run, and asks to be woken for the rest. */
  ring(): void {
    if (this.#ringing || this.#stopped) return
    if (this.#due() === undefined) this.#arm()
    else void this.#ring()
  }

  stop(): void {
    this.#stopped = true
  }

  async #ring(): Promise<void> {
    this.#ringing = true
    try {
      for (let due = this.#due(); due !== undefined && !this.#stopped; due = this.#due()) {
        if (!(await this.#runOne(due))) break
      }
    } catch {
      // The actor is over here.
    }
    this.#ringing = false
    this.#arm()
  }

  #arm(): void {
    const { services, actor, log } = this.#init
    if (!this.#stopped) services.wakeAt(actor, log.agenda.first()?.at)
  }

  #due(): AlarmEntry | undefined {
    const first = this.#init.log.agenda.first()
    return first !== undefined && first.at <= this.#init.services.clock.wall() ? first : undefined
  }

  /** False when the actor runs nothing at present. */
  async #runOne(due: AlarmEntry): Promise<boolean> {
    const { log, open, commit, confirm, run } = this.#init
    const isBegun = due.n > 0
    const alarm = isBegun ? due : { ...due, n: open.take() }
    await (isBegun ? confirm() : commit([['begun', alarm.id, alarm.n]])) // M1
    const answer = await run(alarm)
    if (answer.kind === 'result') return true
    if (answer.kind !== 'error') return false
    if (isWanted(log.agenda, alarm))
      await this.#failed(alarm, fromFrame(answer.error, this.#init.services.makeRef))
    return true
  }

  async #failed(alarm: AlarmEntry, error: unknown): Promise<void> {
    const { services, actor, commit } = this.#init
    const { id, method, failures } = alarm
    const isLast = alarm.every > 0 || failures + 1 >= ALARM_ATTEMPTS
    const again = services.clock.wall() + ALARM_RETRY_MS * 4 ** failures
    await commit([isLast ? afterRun(alarm, services.clock.wall()) : ['failed', id, again]])
    const event = { actor, id, method, attempt: failures + 1, willRetry: !isLast, error }
    queueMicrotask(() => services.alarmFailed(event)) // what a listener throws is not the agenda's
  }
}

/** Whether it is still there as it was begun: neither cancelled nor replaced (M3). */
export const isWanted = (agenda: Agenda, { id, n }: AlarmEntry): boolean => agenda.alarm(id)?.n === n

/** What becomes of an alarm that was run: gone, or its next time that is not over yet (M2). */
export function afterRun({ id, at, every, method, args }: AlarmEntry, wall: number): AgendaChange {
  if (every === 0) return ['gone', id]
  const missed = Math.max(0, Math.floor((wall - at) / every))
  return ['set', id, at + (missed + 1) * every, every, method, args, 0]
}
