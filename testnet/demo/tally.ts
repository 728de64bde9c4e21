// The demo's book-keeping, without any mesh: what was acknowledged, what the actors hold at the end, and for each kill
// when it was noticed and when each lost actor answered again.

import type { Ack } from '../ipc.ts'

export interface Kill {
  /** `busiest host`, `head`. */
  readonly what: string
  readonly peer: number
  readonly peerId: string
  /** Wall-clock milliseconds. */
  readonly at: number
  /** Names of the actors it hosted. */
  readonly lost: readonly string[]
  /** Surviving peer → milliseconds from the kill until it held the peer for dead. */
  readonly detectedMs: Map<number, number>
  /** Actor → milliseconds from the kill to the first acknowledged call that another peer executed. */
  readonly answeredMs: Map<string, number>
  /** Milliseconds until every actor had all its copies on live peers again. */
  wholeMs: number | undefined
}

export interface Comparison {
  /** Acknowledged, and in no ledger: must be none. */
  readonly lost: readonly string[]
  /** More than once in a ledger: must be none. */
  readonly twice: readonly string[]
  /** Without an acknowledgement, and applied: allowed, the caller was told that the outcome is unknown. */
  readonly unacknowledged: number
}

export class Tally {
  readonly kills: Kill[] = []
  readonly #acknowledged = new Map<string, string[]>()
  #count = 0
  #failed = 0

  get acknowledged(): number {
    return this.#count
  }
  /** Calls that ended with an error. */
  get failed(): number {
    return this.#failed
  }

  killed(kill: Pick<Kill, 'what' | 'peer' | 'peerId' | 'at' | 'lost'>): Kill {
    const entry: Kill = { ...kill, detectedMs: new Map(), answeredMs: new Map(), wholeMs: undefined }
    this.kills.push(entry)
    return entry
  }

  /** A surviving peer's event. */
  lostPeer(by: number, peerId: string, at: number): void {
    const kill = this.kills.find((each) => each.peerId === peerId)
    if (kill !== undefined && !kill.detectedMs.has(by)) kill.detectedMs.set(by, at - kill.at)
  }

  ack(ack: Ack): void {
    this.#count += 1
    const tokens = this.#acknowledged.get(ack.name)
    if (tokens === undefined) this.#acknowledged.set(ack.name, [ack.token])
    else tokens.push(ack.token)
    // The newest kill that took the actor. A reply that the dead peer still sent does not count: another one executed this.
    const kill = this.kills.findLast((each) => each.lost.includes(ack.name))
    if (kill !== undefined && ack.by !== kill.peerId && !kill.answeredMs.has(ack.name))
      kill.answeredMs.set(ack.name, ack.at - kill.at)
  }

  fail(): void {
    this.#failed += 1
  }

  /** Against what the ledgers hold at the end. */
  compare(ledgers: ReadonlyMap<string, readonly string[]>): Comparison {
    const lost: string[] = []
    const twice: string[] = []
    let applied = 0
    for (const [name, tokens] of this.#acknowledged) {
      const held = new Set(ledgers.get(name))
      lost.push(...tokens.filter((token) => !held.has(token)))
    }
    for (const tokens of ledgers.values()) {
      const seen = new Set<string>()
      for (const token of tokens) {
        if (seen.has(token)) twice.push(token)
        seen.add(token)
      }
      applied += seen.size
    }
    return { lost, twice, unacknowledged: applied - (this.#count - lost.length) }
  }
}
