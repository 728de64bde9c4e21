// The delivery of one actor's sends, at one home. Each is an ordinary call whose caller is the actor itself.
//
//  S1 An entry leaves only after its record is acknowledged. So what was sent is known to every later home, under the same
//     number, and a number stands for one call.
//  S2 Its caller is the actor's incarnation, whatever boot it lives on: a target's call table recognises what a former home
//     delivered (G3), and keeps that for as long as the incarnation may ask again.
//  S3 A number counts as open in the floors until the record that takes its entry out is acknowledged. So another home,
//     which delivers again what it finds in its agenda, gets the first answer, and never `expired`.
//  S4 To one target one at a time, in the order of their numbers. After an error, which no record of the target knows of, the
//     next waits until the entry is out for good: a repeat could take effect after it otherwise.
//  S5 An entry is meant for one incarnation of its target; another one is another actor.

import type { AgendaChange, SendEntry } from '../../checkpoint/agenda.ts'
import type { CallFloors } from '../../checkpoint/call-table.ts'
import { type ActorCaller, type ActorKey, nameOfActor, typeOfActor } from '../../mesh/ids.ts'
import {
  DELIVERY_PAUSE_FIRST_MS,
  DELIVERY_PAUSE_MOST_MS,
  EXECUTION_MS,
  MAX_TARGETS_AT_ONCE,
  SETTLE_MS,
} from './agenda-limits.ts'
import type { AgendaServices } from './agenda-services.ts'
import type { OpenNumbers } from './open-numbers.ts'
import { Backoff, Debounce } from './timing.ts'

export interface SendsInit {
  readonly services: AgendaServices
  readonly actor: ActorKey
  readonly caller: ActorCaller
  readonly open: OpenNumbers
  /** Resolves when the record is acknowledged; throws, or rejects, when the actor is over here. */
  readonly commit: (changes: readonly AgendaChange[]) => Promise<void>
}

export class Sends {
  readonly #init: SendsInit
  /** Entries that may leave, by target; the first of each is under way where the target is among `#serving`. */
  readonly #queues = new Map<ActorKey, SendEntry[]>()
  readonly #serving = new Set<ActorKey>()
  #answered: number[] = []
  readonly #settle: Debounce
  #stopped = false

  constructor(init: SendsInit) {
    this.#init = init
    this.#settle = new Debounce(init.services.clock, SETTLE_MS, () => void this.#commit().catch(() => {}))
  }

  /** Nothing is under way, and nothing is left to be written. */
  get isQuiet(): boolean {
    return this.#queues.size === 0 && this.#answered.length === 0
  }

  /** Its record is acknowledged (S1). */
  add(entry: SendEntry): void {
    const queue = this.#queues.get(entry.target)
    if (queue === undefined) this.#queues.set(entry.target, [entry])
    else queue.push(entry)
    this.#work()
  }

  /** Takes what the next record has to say: entries that were answered. */
  settled(): readonly AgendaChange[] {
    const answered = this.#answered
    this.#answered = []
    this.#settle.stop()
    return answered.map((n) => ['answered', n])
  }

  /** Nothing leaves any more; what was answered goes into one more record. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#commit().catch(() => {})
  }

  #work(): void {
    for (const target of this.#queues.keys()) {
      if (this.#stopped || this.#serving.size >= MAX_TARGETS_AT_ONCE) return
      if (this.#serving.has(target)) continue
      this.#serving.add(target)
      void this.#serve(target).finally(() => {
        this.#serving.delete(target)
        if (this.#queues.get(target)?.length === 0) this.#queues.delete(target)
        this.#work()
      })
    }
  }

  /** Ends when the target's queue is empty, or the actor is over here. */
  async #serve(target: ActorKey): Promise<void> {
    const queue = this.#queues.get(target)!
    try {
      for (let entry = queue[0]; entry !== undefined && !this.#stopped; entry = queue[0]) {
        const error = await this.#deliver(entry)
        if (this.#stopped) break
        queue.shift() // S4
        this.#answered.push(entry.n)
        if (error === undefined) {
          this.#settle.ask()
          continue
        }
        await this.#commit() // S4
        this.#report(entry, error)
      }
    } catch {
      queue.length = 0 // over here: another home has them
    }
  }

  /** The error that it was answered with; undefined: a result. Rejects when the actor is over here. */
  async #deliver(entry: SendEntry): Promise<unknown> {
    const { services, actor, caller, open } = this.#init
    const pause = new Backoff(DELIVERY_PAUSE_FIRST_MS, DELIVERY_PAUSE_MOST_MS)
    const { n, target, incarnation, method, args, init } = entry
    const floors = (): CallFloors => ({ own: open.lowestTo(target), all: open.lowest() }) // S3
    const call = {
      target: services.target(target, init),
      incarnation,
      method,
      args,
      chain: [],
      identify: () => ({ id: { caller, n, path: '' }, floors }), // S2
      timeoutMs: EXECUTION_MS,
      retries: -1,
      signal: undefined,
    }
    for (;;) {
      if (this.#stopped) throw new Error(`${actor} is over here`)
      try {
        const { error } = await services.deliver(call, () => this.#stopped)
        return error
      } catch {
        await services.sleep(pause.next()) // nobody answered: it is asked again, under its number
      }
    }
  }

  async #commit(): Promise<void> {
    const changes = this.settled()
    if (changes.length > 0) await this.#init.commit(changes)
  }

  #report({ target, method }: SendEntry, error: unknown): void {
    const { services, actor } = this.#init
    const event = { from: actor, type: typeOfActor(target), name: nameOfActor(target), method, error }
    queueMicrotask(() => services.sendFailed(event)) // what a listener throws is not the agenda's
  }
}
