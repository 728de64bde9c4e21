// What an actor still has to do: calls to send to others, and calls to make to itself at a time. As durable as its state:
// it changes in the records that change the state, and is part of every snapshot.
//
//  Q1 The table after a record follows from the table before it and the record's changes alone, so that a replay gives
//     what the live actor had.
//  Q2 A number is given once in the life of an incarnation, and later ones are higher, even where records of a lost host
//     went with it: those of a home lie above those of every home before it, because they begin at its epoch.
//  Q3 An alarm has no number until it is begun. So a low number is never held by something that is due in a year, and
//     the floors that numbers make (call-table.ts) go on rising.

import type { ActorKey } from './mesh-types.ts'

/** A call to another actor, to be made once the record that says so is acknowledged. */
export interface SendEntry {
  readonly n: number
  readonly target: ActorKey
  /** The only life of the target that it is meant for; 0: it did not exist, and the call may create its first; -1: its second… */
  readonly incarnation: number
  readonly method: string
  /** Encoded. */
  readonly args: Uint8Array
  /** Encoded arguments for the target's first start; empty: none. */
  readonly init: Uint8Array
}

/** A call of the actor to itself. */
export interface AlarmEntry {
  readonly id: string
  /** Wall-clock milliseconds. */
  readonly at: number
  /** Milliseconds from one to the next; 0: once. */
  readonly every: number
  readonly method: string
  /** Encoded. */
  readonly args: Uint8Array
  /** 0 until it is begun (Q3). */
  readonly n: number
  /** Times it was begun and threw. */
  readonly failures: number
}

export type AgendaChange =
  | readonly ['send', ...entry: SendLine]
  /** The send was answered. */
  | readonly ['answered', n: number]
  /** An alarm, instead of any other of its id. `drawn`: the number that its id was made of, else 0. */
  | readonly ['set', id: string, at: number, every: number, method: string, args: Uint8Array, drawn: number]
  | readonly ['begun', id: string, n: number]
  /** It threw, and is tried again at that time. */
  | readonly ['failed', id: string, at: number]
  /** It is done, or not wanted any more. */
  | readonly ['gone', id: string]

type SendLine = readonly [
  n: number,
  target: ActorKey,
  incarnation: number,
  method: string,
  args: Uint8Array,
  init: Uint8Array,
]
type AlarmLine = readonly [
  id: string,
  at: number,
  every: number,
  method: string,
  args: Uint8Array,
  n: number,
  failures: number,
]

/** The table as a snapshot stores it: the last number that was given, and the entries. */
export type AgendaData = readonly [last: number, sends: readonly SendLine[], alarms: readonly AlarmLine[]]

/** More sends, and more beginnings of alarms, than one home has time for; many more only reach into the next epoch's. */
const NUMBERS_PER_EPOCH = 2 ** 25
/** More changes of home than an actor sees, and few enough that 64 rescues of the registry fit into a safe integer. */
const EPOCHS_PER_GENERATION = 2 ** 22

/** What the numbers given by a home are above of (Q2). `generation`: rescues, each of which may take epochs back. */
export const numbersFrom = (generation: number, epoch: number): number =>
  (generation * EPOCHS_PER_GENERATION + epoch) * NUMBERS_PER_EPOCH

export class Agenda {
  #last = 0
  #sendBytes = 0
  // Most actors have nothing in them.
  #sends: Map<number, SendEntry> | undefined
  #alarms: Map<string, AlarmEntry> | undefined

  static from(data: AgendaData | undefined): Agenda {
    const agenda = new Agenda()
    if (data === undefined) return agenda
    const [last, sends, alarms] = data
    for (const line of sends) agenda.#send(line)
    for (const [id, at, every, method, args, n, failures] of alarms)
      agenda.#alarm({ id, at, every, method, args, n, failures })
    agenda.#last = last
    return agenda
  }

  /** Undefined while it was never used. */
  toData(): AgendaData | undefined {
    if (this.#last === 0 && this.alarmCount === 0) return undefined
    return [
      this.#last,
      [...this.sends()].map(({ n, target, incarnation, method, args, init }) => [
        n,
        target,
        incarnation,
        method,
        args,
        init,
      ]),
      [...this.alarms()].map(({ id, at, every, method, args, n, failures }) => [
        id,
        at,
        every,
        method,
        args,
        n,
        failures,
      ]),
    ]
  }

  /** The highest number given so far. */
  get last(): number {
    return this.#last
  }
  get sendCount(): number {
    return this.#sends?.size ?? 0
  }
  /** Of all sends' arguments. */
  get sendBytes(): number {
    return this.#sendBytes
  }
  get alarmCount(): number {
    return this.#alarms?.size ?? 0
  }
  /** In the order of their numbers. */
  sends(): Iterable<SendEntry> {
    return this.#sends?.values() ?? []
  }
  alarms(): Iterable<AlarmEntry> {
    return this.#alarms?.values() ?? []
  }
  send(n: number): SendEntry | undefined {
    return this.#sends?.get(n)
  }
  alarm(id: string): AlarmEntry | undefined {
    return this.#alarms?.get(id)
  }

  /** The alarm that is due first. */
  first(): AlarmEntry | undefined {
    let first: AlarmEntry | undefined
    for (const alarm of this.alarms()) if (first === undefined || alarm.at < first.at) first = alarm
    return first
  }

  apply(change: AgendaChange): void {
    switch (change[0]) {
      case 'send': {
        const [, ...line] = change
        this.#send(line)
        break
      }
      case 'answered':
        this.#drop(change[1])
        break
      case 'set': {
        const [, id, at, every, method, args, drawn] = change
        this.#alarms?.delete(id) // the newest comes last
        this.#alarm({ id, at, every, method, args, n: 0, failures: 0 })
        this.#raise(drawn)
        break
      }
      case 'begun': {
        const [, id, n] = change
        this.#change(id, (alarm) => ({ ...alarm, n }))
        this.#raise(n)
        break
      }
      case 'failed': {
        const [, id, at] = change
        this.#change(id, (alarm) => ({ ...alarm, at, failures: alarm.failures + 1 }))
        break
      }
      case 'gone':
        this.#alarms?.delete(change[1])
    }
  }

  #send([n, target, incarnation, method, args, init]: SendLine): void {
    this.#drop(n)
    this.#sends ??= new Map()
    this.#sends.set(n, { n, target, incarnation, method, args, init })
    this.#sendBytes += args.length + init.length
    this.#raise(n)
  }

  #drop(n: number): void {
    const entry = this.#sends?.get(n)
    if (entry === undefined) return
    this.#sends?.delete(n)
    this.#sendBytes -= entry.args.length + entry.init.length
  }

  #alarm(alarm: AlarmEntry): void {
    this.#alarms ??= new Map()
    this.#alarms.set(alarm.id, alarm)
  }

  #change(id: string, changed: (alarm: AlarmEntry) => AlarmEntry): void {
    const alarm = this.alarm(id)
    if (alarm !== undefined) this.#alarm(changed(alarm))
  }

  #raise(n: number): void {
    this.#last = Math.max(this.#last, n)
  }
}
