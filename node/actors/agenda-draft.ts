// A running call's view of its actor's agenda: what the call adds and takes away becomes part of its record, or is dropped
// with it when the method throws.

import type { Agenda, AgendaChange, AlarmEntry } from '../../checkpoint/agenda.ts'
import { decodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { AgendaFullError, BadInputError, TooLargeError } from '../errors.ts'
import {
  MAX_AHEAD_MS,
  MAX_ALARM_BYTES,
  MAX_ALARMS,
  MAX_ID_LENGTH,
  MAX_SEND_BYTES,
  MAX_SENDS,
  MIN_INTERVAL_MS,
} from './agenda-limits.ts'
import { encodeArguments, type Target } from './creation.ts'
import { checkMethod, type TypeInfo } from './type-info.ts'
import type { ScheduledCall } from './types.ts'

export interface AgendaDraftInit {
  readonly agenda: Agenda
  readonly info: TypeInfo
  /** Makes references in arguments usable. */
  readonly makeRef: MakeRef
  /** The next number (Q2). */
  readonly take: () => number
  /** Wall-clock milliseconds. */
  readonly wall: () => number
  /** The life of an actor that a send of now is meant for; see {@link SendEntry}. */
  readonly lifeOf: (target: Target) => number
  /** What becomes of the agenda when the call succeeds, whatever it does. */
  readonly first?: AgendaChange
}

export class AgendaDraft {
  readonly changes: AgendaChange[] = []
  readonly info: TypeInfo
  readonly #init: AgendaDraftInit
  /** Alarms that the changes concern, as they leave them. */
  readonly #alarms = new Map<string, AlarmEntry | undefined>()
  #sends = 0
  #sendBytes = 0

  constructor(init: AgendaDraftInit) {
    this.#init = init
    this.info = init.info
    if (init.first !== undefined) this.#change(init.first)
  }

  wall(): number {
    return this.#init.wall()
  }

  /** Throws AgendaFullError. */
  send(target: Target, method: string, args: Uint8Array): void {
    const { agenda, info, take, lifeOf } = this.#init
    const bytes = this.#sendBytes + args.length + target.init.length
    if (agenda.sendCount + this.#sends >= MAX_SENDS || agenda.sendBytes + bytes > MAX_SEND_BYTES) {
      throw new AgendaFullError(
        `${info.name} has ${agenda.sendCount + this.#sends} sends of ${agenda.sendBytes + this.#sendBytes} bytes that wait to be delivered, and the limits are ${MAX_SENDS} and ${MAX_SEND_BYTES}: send less at a time, or call and await the answers`,
      )
    }
    this.#sends++
    this.#sendBytes = bytes
    this.#change(['send', take(), target.key, lifeOf(target), method, args, target.init])
  }

  /** Returns the id. Throws BadInputError, UnknownMethodError, TooLargeError, AgendaFullError. */
  set(
    id: string | undefined,
    at: number,
    every: number | undefined,
    method: string,
    values: readonly unknown[],
  ): string {
    const { agenda, info, take, wall } = this.#init
    checkMethod(info, method, 'call')
    checkTime(info, at - wall(), every)
    const args = encodeArguments(values, `${info.name}.${method}`)
    if (args.length > MAX_ALARM_BYTES) {
      throw new TooLargeError(
        `the arguments of an alarm of ${info.name} take ${args.length} bytes, beyond the limit of ${MAX_ALARM_BYTES}: keep them in the state`,
      )
    }
    if (id !== undefined) checkId(id)
    const isNew = id === undefined || this.#find(id) === undefined
    if (isNew && this.#count() >= MAX_ALARMS) {
      throw new AgendaFullError(
        `${info.name} has ${MAX_ALARMS} alarms, its limit (${agenda.alarmCount} before this call): give those that replace each other one id, or keep a list in the state behind one alarm`,
      )
    }
    const drawn = id === undefined ? take() : 0
    const own = id ?? `#${drawn}`
    this.#change(['set', own, at, every ?? 0, method, args, drawn])
    return own
  }

  /** Whether there was one. */
  cancel(id: string): boolean {
    if (this.#find(id) === undefined) return false
    this.#change(['gone', id])
    return true
  }

  /** By time. */
  list(): readonly ScheduledCall[] {
    const untouched = [...this.#init.agenda.alarms()].filter(({ id }) => !this.#alarms.has(id))
    return [...untouched, ...this.#alarms.values()]
      .flatMap((alarm) => alarm ?? [])
      .sort((a, b) => a.at - b.at)
      .map(({ id, at, every, method, args, failures }) => ({
        id,
        at: new Date(at),
        everyMs: every === 0 ? undefined : every,
        method,
        args: decodeUser(args, this.#init.makeRef) as readonly unknown[],
        failures,
      }))
  }

  #find(id: string): AlarmEntry | undefined {
    return this.#alarms.has(id) ? this.#alarms.get(id) : this.#init.agenda.alarm(id)
  }

  #count(): number {
    let count = this.#init.agenda.alarmCount
    for (const [id, alarm] of this.#alarms) {
      if (this.#init.agenda.alarm(id) !== undefined) count--
      if (alarm !== undefined) count++
    }
    return count
  }

  #change(change: AgendaChange): void {
    this.changes.push(change)
    if (change[0] === 'gone') this.#alarms.set(change[1], undefined)
    if (change[0] !== 'set') return
    const [, id, at, every, method, args] = change
    this.#alarms.delete(id)
    this.#alarms.set(id, { id, at, every, method, args, n: 0, failures: 0 })
  }
}

function checkTime({ name }: TypeInfo, aheadMs: number, every: number | undefined): void {
  if (!(aheadMs <= MAX_AHEAD_MS))
    throw new BadInputError(
      `an alarm of ${name} can't be set ${Number.isNaN(aheadMs) ? 'at an invalid time' : `${aheadMs} ms ahead`}: times are in milliseconds, at most ten years ahead`,
    )
  if (every !== undefined && every < MIN_INTERVAL_MS)
    throw new BadInputError(
      `an interval of ${every} ms is too short for ${name}: at least ${MIN_INTERVAL_MS} ms; what comes more often belongs into a loop of your app`,
    )
}

function checkId(id: string): void {
  if (typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH && !id.startsWith('#')) return
  throw new BadInputError(
    `an alarm's id is a text of 1 to ${MAX_ID_LENGTH} characters that does not begin with #, not ${JSON.stringify(id)}`,
  )
}
