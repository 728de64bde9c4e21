// Worker threads in virtual time: the real guest behind the real messages, in this very thread. A message takes a moment,
// and a thread may be lost at any of them, with all that is under way in it.

import { toFrame } from '../../node/actors/remote-error.ts'
import { outside } from '../../node/actors/scope.ts'
import type { ActorClass } from '../../node/actors/types.ts'
import { Guest } from '../../node/actors/worker/guest.ts'
import type { FromWorker, ToWorker } from '../../node/actors/worker/messages.ts'
import type { StartThread, Thread, ThreadInit } from '../../node/actors/worker/thread.ts'
import type { Clock } from '../../node/ports.ts'

/** What a class says that runs in a simulated thread. */
export const SIM_ISOLATION = { worker: 'file:///simulated.ts' } as const

/** Of one message, at most. */
const MOST_MS = 3

export class SimThreads {
  readonly #classes: readonly ActorClass[]
  readonly #clock: Clock
  readonly #random: () => number
  readonly #running = new Set<SimThread>()
  /** Lost so far. */
  lost = 0
  /** So many of the next ones are lost in the very moment that their object is made. */
  stillborn = 0
  /** So many of the next ones there is no room for. */
  refused = 0

  constructor(classes: readonly ActorClass[], clock: Clock, random: () => number) {
    this.#classes = classes
    this.#clock = clock
    this.#random = random
  }

  get size(): number {
    return this.#running.size
  }

  readonly start: StartThread = (init) => {
    if (this.refused > 0) {
      this.refused--
      throw new Error('no room for another thread')
    }
    const isStillborn = this.stillborn > 0
    if (isStillborn) this.stillborn--
    const thread = new SimThread(
      isStillborn ? stillborn(init) : init,
      this.#classes,
      this.#clock,
      this.#random,
      () => this.#running.delete(thread),
    )
    this.#running.add(thread)
    return thread
  }

  /** One of them is gone; false when there is none. */
  lose(): boolean {
    const all = [...this.#running]
    const thread = all[Math.floor(this.#random() * all.length)]
    thread?.lose(this.#random() < 0.5)
    if (thread !== undefined) this.lost++
    return thread !== undefined
  }
}

/** Of a worker that has ended, its host hears the last messages and the end in one breath. */
const stillborn = (init: ThreadInit): ThreadInit => ({
  ...init,
  hear: (message) => {
    init.hear(message)
    if (message.t === 'ready') init.lost('its thread is lost')
  },
})

class SimThread implements Thread {
  readonly #init: ThreadInit
  readonly #clock: Clock
  readonly #random: () => number
  readonly #ended: () => void
  readonly #inbox: ToWorker[] = []
  readonly #outbox: FromWorker[] = []
  #guest: Guest | undefined
  #over = false

  constructor(
    init: ThreadInit,
    classes: readonly ActorClass[],
    clock: Clock,
    random: () => number,
    ended: () => void,
  ) {
    this.#init = init
    this.#clock = clock
    this.#random = random
    this.#ended = ended
    this.#later(() => this.#begin(classes))
  }

  post(message: ToWorker): void {
    this.#inbox.push(structuredClone(message))
    // Each delivery takes the oldest, so that they stay in order whatever time each takes.
    this.#later(() => this.#guest?.hear(this.#inbox.shift()!))
  }

  end(): void {
    this.#over = true
    this.#ended()
  }

  /** `isHeard`: its host hears of what was on its way in the same breath, as of a worker that ends by itself. */
  lose(isHeard: boolean): void {
    if (this.#over) return
    if (isHeard) for (const message of this.#outbox.splice(0)) this.#init.hear(message)
    this.#init.lost('its thread is lost')
  }

  #begin(classes: readonly ActorClass[]): void {
    const { start, answer } = this.#init
    const post = (message: FromWorker): void => this.#say(message)
    try {
      const [module, clock] = ['the simulator', this.#clock]
      this.#guest = new Guest({ start, module, classes, post, ask: answer, clock })
      this.#say({ t: 'ready', initial: this.#guest.initial })
    } catch (error) {
      this.#say({ t: 'broken', error: toFrame(error) })
    }
  }

  #say(message: FromWorker): void {
    if (this.#over) return
    this.#outbox.push(structuredClone(message))
    this.#later(() => this.#init.hear(this.#outbox.shift()!))
  }

  #later(work: () => void): void {
    outside(() =>
      this.#clock.setTimer(this.#random() * MOST_MS, () => {
        if (!this.#over) work()
      }),
    )
  }
}
