// How long a suspicion lasts before the suspect counts as dead (Lifeguard). It starts at its maximum, because one
// peer's word may only mean that this peer is in trouble, and falls towards its minimum as others independently fail
// to reach the suspect: the first confirmation says most, hence the logarithm.
//
// A suspicion belongs to one incarnation of one boot; whoever refutes ends it by a newer fact.

import type { PeerId } from '../ids.ts'

/** Extensions of one suspicion, in multiples of its longest duration. */
const PATIENCE = 3

/** Milliseconds from a suspicion's beginning to death. */
export function suspicionTimeoutMs(options: {
  /** Peers beside the first that suspect it too. */
  readonly confirmations: number
  /** Confirmations that bring it to the minimum; 0 when nobody else is there to confirm, and the maximum applies. */
  readonly expected: number
  readonly minMs: number
  readonly maxMs: number
}): number {
  const { confirmations, expected, minMs, maxMs } = options
  if (expected < 1 || confirmations < 1 || maxMs <= minMs) return Math.max(minMs, maxMs)
  const share = Math.log(confirmations + 1) / Math.log(expected + 1)
  return Math.max(minMs, Math.round(maxMs - (maxMs - minMs) * share))
}

export class Suspicion {
  readonly expected: number
  readonly #limits: { readonly minMs: number; readonly maxMs: number }
  readonly #first: PeerId
  readonly #others = new Set<PeerId>()
  #since: number
  /** Milliseconds of {@link extend} still granted: a peer that never stops stalling judges in the end. */
  #patience: number

  constructor(
    first: PeerId,
    expected: number,
    limits: { readonly minMs: number; readonly maxMs: number },
    now: number,
  ) {
    this.#first = first
    this.expected = expected
    this.#limits = limits
    this.#since = now
    this.#patience = PATIENCE * limits.maxMs
  }

  /** True when this peer's opinion is news and still counts. */
  confirm(by: PeerId): boolean {
    if (by === this.#first || this.#others.has(by) || this.#others.size >= this.expected) return false
    this.#others.add(by)
    return true
  }

  get settled(): boolean {
    return this.#others.size >= this.expected
  }

  get deadline(): number {
    const confirmations = this.#others.size
    return this.#since + suspicionTimeoutMs({ confirmations, expected: this.expected, ...this.#limits })
  }

  /** This peer was not listening for `ms`: a refutation may be waiting to be read. */
  extend(ms: number): void {
    const granted = Math.min(ms, this.#patience)
    this.#patience -= granted
    this.#since += granted
  }

  /** This peer was away so long that what it knows of the suspicion is worth nothing. */
  restart(now: number): void {
    this.#since = now
    this.#others.clear()
  }
}
