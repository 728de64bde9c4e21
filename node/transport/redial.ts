// Endless redial of the peers that are wanted: at once when wanted or lost, then with growing pauses and jitter, for ever.
// libp2p itself gives up after five attempts.
//
// D1 At most one dial per peer at a time, and none while the peer is connected.
// D2 A peer no longer wanted is not dialled again.

import { compareIds, type PeerId } from '../../mesh/ids.ts'
import {
  MAX_DIAL_PATIENCE,
  REDIAL_COURTESY_MS,
  REDIAL_EAGER_CAP_MS,
  REDIAL_EAGER_MS,
  REDIAL_FIRST_MS,
  REDIAL_PATIENT_CAP_MS,
} from './limits.ts'
import type { DialOutcome } from './meeting.ts'

/** Pause before the next attempt, without jitter. `sinceMs`: how long the peer has been looked for. */
export const pauseBefore = (attempt: number, sinceMs: number): number =>
  Math.min(
    REDIAL_FIRST_MS * 2 ** Math.min(attempt, 16),
    sinceMs < REDIAL_EAGER_MS ? REDIAL_EAGER_CAP_MS : REDIAL_PATIENT_CAP_MS,
  )

interface Target {
  addresses: readonly string[]
  attempt: number
  since: number
  timer: NodeJS.Timeout | undefined
  dialling: boolean
  /** Factor for the time-outs of the next attempt. */
  patience: number
}

export interface RedialerInit {
  readonly self: PeerId
  isConnected(peer: PeerId): boolean
  /** One attempt; resolves when it is over, whatever became of it. Must not reject. */
  dial(peer: PeerId, addresses: readonly string[], patience: number): Promise<DialOutcome>
}

export class Redialer {
  readonly #init: RedialerInit
  readonly #targets = new Map<PeerId, Target>()

  constructor(init: RedialerInit) {
    this.#init = init
  }

  addressesOf(peer: PeerId): readonly string[] {
    return this.#targets.get(peer)?.addresses ?? []
  }

  wants(peer: PeerId): boolean {
    return this.#targets.has(peer)
  }

  want(peers: ReadonlyMap<PeerId, readonly string[]>): void {
    for (const [peer, target] of this.#targets) {
      if (peers.has(peer)) continue
      clearTimeout(target.timer)
      this.#targets.delete(peer) // D2
    }
    for (const [peer, addresses] of peers) {
      if (peer === this.#init.self) continue
      const known = this.#targets.get(peer)
      if (known !== undefined && sameAddresses(known.addresses, addresses)) continue
      if (known === undefined) {
        this.#targets.set(peer, {
          addresses,
          attempt: 0,
          since: performance.now(),
          timer: undefined,
          dialling: false,
          patience: 1,
        })
      } else known.addresses = addresses
      const courtesy = known === undefined && compareIds(this.#init.self, peer) > 0
      this.#restart(peer, courtesy ? REDIAL_COURTESY_MS : 0)
    }
  }

  /** The link to the peer is gone: look for it again as if it had just been wanted. */
  lost(peer: PeerId): void {
    this.#restart(peer, compareIds(this.#init.self, peer) > 0 ? REDIAL_COURTESY_MS : 0)
  }

  stop(): void {
    this.want(new Map())
  }

  #restart(peer: PeerId, delayMs: number): void {
    const target = this.#targets.get(peer)
    if (target === undefined) return
    target.attempt = 0
    target.since = performance.now()
    this.#schedule(peer, target, delayMs)
  }

  #schedule(peer: PeerId, target: Target, delayMs: number): void {
    clearTimeout(target.timer)
    target.timer = setTimeout(() => void this.#attempt(peer, target), delayMs)
    target.timer.unref()
  }

  async #attempt(peer: PeerId, target: Target): Promise<void> {
    if (target.dialling || this.#targets.get(peer) !== target || this.#init.isConnected(peer)) return // D1
    target.dialling = true
    const outcome = await this.#init.dial(peer, target.addresses, target.patience)
    target.dialling = false
    target.patience = outcome === 'late' ? Math.min(target.patience * 2, MAX_DIAL_PATIENCE) : 1
    if (this.#targets.get(peer) !== target || this.#init.isConnected(peer)) return
    const pause = pauseBefore(target.attempt, performance.now() - target.since)
    target.attempt += 1
    this.#schedule(peer, target, pause * (0.5 + Math.random()))
  }
}

const sameAddresses = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((address, index) => address === b[index])
