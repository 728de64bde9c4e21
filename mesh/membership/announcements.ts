// What this peer found out about others and wants everybody to know. In a small mesh it is published at once; in a
// large one, where many find out at the same moment, each waits a random while and keeps quiet when it hears the same
// from somebody else, so that a death costs a few messages and not one per peer.

import type { PeerId } from '../ids.ts'
import type { RandomNumber } from './random.ts'
import { ANNOUNCE_AT_ONCE, ANNOUNCE_SPREAD_LIMIT_MS, ANNOUNCE_SPREAD_MS } from './settings.ts'
import type { Fact } from './types.ts'

/** Milliseconds to wait before publishing an opinion in a mesh of `size` peers. */
export const announceDelayMs = (size: number, random: RandomNumber): number =>
  size <= ANNOUNCE_AT_ONCE ? 0 : random() * Math.min(size * ANNOUNCE_SPREAD_MS, ANNOUNCE_SPREAD_LIMIT_MS)

export class Announcements {
  readonly #waiting = new Map<PeerId, { readonly fact: Fact; readonly at: number }>()

  add(fact: Fact, at: number): void {
    this.#waiting.set(fact.peer, { fact, at })
  }

  cancel(peer: PeerId): void {
    this.#waiting.delete(peer)
  }

  /** What is due, taken out. The caller checks that it is still true. */
  take(now: number): Fact[] {
    const due = [...this.#waiting.values()].filter(({ at }) => at <= now).map(({ fact }) => fact)
    for (const fact of due) this.#waiting.delete(fact.peer)
    return due
  }

  nextAt(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { at } of this.#waiting.values()) next = Math.min(next, at)
    return next
  }
}
