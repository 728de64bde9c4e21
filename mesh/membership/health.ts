// A peer's opinion of itself (Lifeguard). Most false deaths are the accuser's fault: its own event loop stood still,
// and the answers it misses lie unread in its sockets. So it doubts itself first:
//  - a late step extends everything that waits by the time during which nobody listened;
//  - a long stall voids all open questions, and they are asked again;
//  - every sign of trouble lengthens its probe time-outs, every answer shortens them again.

/** Lateness that counts, in ms. Above eight 25 ms ticks, below the probe time-out that it would otherwise eat. */
export const LATE_MS = 200
/** Beyond this everybody else may have moved on: open questions are void. Below what makes the others suspect us. */
export const STALL_MS = 1000
/** After any lateness nothing is judged for this long: unread messages are read first. */
export const GRACE_MS = 100
/** Time-outs grow to at most (1 + this) times: detection gets slow under overload, but never stops. */
export const MAX_SCORE = 3

export type Lateness = { readonly kind: 'none' } | { readonly kind: 'late' | 'stalled'; readonly ms: number }

export class LocalHealth {
  #score = 0

  /** Factor for probe time-outs: 1 when all is well. */
  get multiplier(): number {
    return 1 + this.#score
  }

  worse(): void {
    this.#score = Math.min(MAX_SCORE, this.#score + 1)
  }

  better(): void {
    this.#score = Math.max(0, this.#score - 1)
  }

  /** Called first at every step with the time at which a step was due. */
  notice(now: number, dueAt: number): Lateness {
    const ms = now - dueAt
    if (!(ms > LATE_MS)) return { kind: 'none' }
    this.worse()
    return { kind: ms > STALL_MS ? 'stalled' : 'late', ms }
  }
}
