// Calls that arrived before what they refer to: the caller's copy of the registry is ahead of this peer's. They wait for
// the registry to move on, for a bounded time and in a bounded number.

import type { Clock } from '../ports.ts'
import type { CallFrame } from './frames.ts'
import type { Reply } from './jobs.ts'

/** A peer that is connected catches up within a heartbeat; this leaves room for a change of head. */
const HOLD_MS = 2000
const MAX_HELD = 10_000

interface Held {
  readonly frame: CallFrame
  readonly reply: Reply
  readonly timer: { cancel(): void }
}

export class HeldCalls {
  readonly #clock: Clock
  #held = new Map<string, Held>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  hold(frame: CallFrame, reply: Reply): void {
    const why = 'its host has not heard yet what its caller knows'
    if (this.#held.size >= MAX_HELD) {
      reply({ kind: 'retry', why })
      return
    }
    const key = frame.token
    this.#held.get(key)?.timer.cancel()
    const timer = this.#clock.setTimer(HOLD_MS, () => {
      this.#held.delete(key)
      reply({ kind: 'retry', why })
    })
    this.#held.set(key, { frame, reply, timer })
  }

  has(token: string): boolean {
    return this.#held.has(token)
  }

  drop(token: string): void {
    this.#held.get(token)?.timer.cancel()
    this.#held.delete(token)
  }

  /** Hands each over again; those still too early come back. */
  release(again: (frame: CallFrame, reply: Reply) => void): void {
    const held = this.#held
    this.#held = new Map()
    for (const { frame, reply, timer } of held.values()) {
      timer.cancel()
      again(frame, reply)
    }
  }
}
