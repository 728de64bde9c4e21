// Which members' facts ride on pings and pongs. It remembers who changed and how often that must still be told, never
// the fact itself: what is sent is what the table says at that moment.

import type { PeerId } from '../ids.ts'
import { MAX_RUMOURS, RUMOUR_REPEATS, RUMOURS_PER_MESSAGE } from './settings.ts'

export class Rumours {
  /** Times still to tell, in order of entry. */
  readonly #left = new Map<PeerId, number>()

  /** A member's fact changed; the mesh has `size` peers. */
  add(peer: PeerId, size: number): void {
    this.#left.delete(peer)
    if (this.#left.size >= MAX_RUMOURS) {
      const oldest = this.#left.keys().next()
      if (!oldest.done) this.#left.delete(oldest.value)
    }
    this.#left.set(peer, RUMOUR_REPEATS * Math.max(1, Math.ceil(Math.log2(size + 1))))
  }

  /** The freshest rumours for one message, without those it carries anyway; counts them as told once. */
  take(without: readonly PeerId[]): PeerId[] {
    const fresh = [...this.#left].filter(([peer]) => !without.includes(peer)).sort(([, a], [, b]) => b - a)
    const taken = fresh.slice(0, RUMOURS_PER_MESSAGE)
    for (const [peer, left] of taken) {
      if (left <= 1) this.#left.delete(peer)
      else this.#left.set(peer, left - 1)
    }
    return taken.map(([peer]) => peer)
  }

  forget(peer: PeerId): void {
    this.#left.delete(peer)
  }
}
