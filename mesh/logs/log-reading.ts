// Reads a registry log up to a length into this store and from it: what the own copy lacks comes verified from a holder.

import type { Env } from '../env.ts'
import type { LogKey, PeerId } from '../ids.ts'
import type { LogMessage } from '../messages.ts'

export interface ReadingInit {
  readonly log: LogKey
  readonly length: number
  readonly holder: PeerId
  /** Tells the answers to this reading from others; not 0, which is a repair's. */
  readonly id: number
  /** Has it on disk that this store has the log, before it gets blocks of it; then goes on. */
  readonly hold: (then: () => void) => void
  /** Blocks arrived: it goes on. */
  readonly progressed: () => void
  /** All blocks, in order. */
  readonly done: (blocks: readonly Uint8Array[]) => void
}

export class LogReading {
  readonly #env: Env
  readonly #init: ReadingInit
  #length = 0
  #state: 'looking' | 'fetching' | 'stopped' = 'looking'

  constructor(env: Env, init: ReadingInit) {
    this.#env = env
    this.#init = init
    init.hold(() => env.ingest(init.log, [], (held) => this.#reached(held ?? 0)))
  }

  stop(): void {
    this.#state = 'stopped'
  }

  /** Asks (again) for what is missing. */
  ask(): void {
    if (this.#state !== 'fetching') return
    const { log, length: upTo, holder, id } = this.#init
    this.#env.send(holder, { kind: 'fetch', log, from: this.#length, upTo, id })
  }

  handle(from: PeerId, message: LogMessage & { kind: 'fetched' }): void {
    const { log, holder, id, progressed } = this.#init
    if (this.#state !== 'fetching' || from !== holder || message.id !== id || message.log !== log) return
    this.#env.ingest(log, message.proofs, (held) => {
      if (this.#state !== 'fetching' || held === null || held <= this.#length) return
      progressed()
      this.#reached(held)
    })
  }

  #reached(held: number): void {
    if (this.#state === 'stopped') return
    const { log, length, done } = this.#init
    this.#length = Math.min(held, length)
    if (this.#length < length) {
      this.#state = 'fetching'
      return this.ask()
    }
    this.#env.read(log, 0, length, (blocks) => {
      if (this.#state === 'stopped') return
      this.#state = 'stopped'
      done(blocks)
    })
  }
}
