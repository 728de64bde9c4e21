// The numbers of an actor's own calls that may still be asked for, and the next one to give.

import { type Agenda, numbersFrom } from '../../checkpoint/agenda.ts'
import type { ActorKey } from '../../mesh/ids.ts'

export class OpenNumbers {
  readonly #agenda: Agenda
  readonly #first: () => number
  #next = 0
  /** Of sends, ascending: they are opened in the order of their numbers. */
  #sends: Map<number, ActorKey> | undefined
  #byTarget: Map<ActorKey, Set<number>> | undefined
  #alarms: Set<number> | undefined

  /** `generation` and `epoch`: of the home (Q2 in agenda.ts). */
  constructor(agenda: Agenda, generation: () => number, epoch: number) {
    this.#agenda = agenda
    this.#first = () => numbersFrom(generation(), epoch)
    for (const { n, target } of agenda.sends()) this.openSend(n, target)
    for (const { n } of agenda.alarms()) if (n > 0) this.openAlarm(n)
  }

  /** Never given before, above all that were (Q2). Not all that are given are used. */
  take(): number {
    this.#next = Math.max(this.#next, this.#agenda.last, this.#first()) + 1
    return this.#next
  }

  openSend(n: number, target: ActorKey): void {
    this.#sends ??= new Map()
    this.#sends.set(n, target)
    this.#byTarget ??= new Map()
    this.#byTarget.set(target, (this.#byTarget.get(target) ?? new Set()).add(n))
  }

  openAlarm(n: number): void {
    this.#alarms ??= new Set()
    this.#alarms.add(n)
  }

  close(n: number): void {
    this.#alarms?.delete(n)
    const target = this.#sends?.get(n)
    if (target === undefined) return
    this.#sends?.delete(n)
    const numbers = this.#byTarget?.get(target)
    numbers?.delete(n)
    if (numbers?.size === 0) this.#byTarget?.delete(target)
  }

  /** Of all that are open; where there are none, above all that were given. */
  lowest(): number {
    return Math.min(firstOf(this.#sends?.keys()) ?? this.#above(), ...(this.#alarms ?? []))
  }

  lowestTo(target: ActorKey): number {
    return firstOf(this.#byTarget?.get(target)) ?? this.#above()
  }

  #above(): number {
    return Math.max(this.#next, this.#agenda.last) + 1
  }
}

function firstOf(numbers: Iterable<number> | undefined): number | undefined {
  for (const n of numbers ?? []) return n
  return undefined
}
