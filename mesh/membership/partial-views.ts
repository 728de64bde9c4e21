// Views longer than one message: what their senders told before the last part, which asks for an answer. Without them the
// answer would repeat all that was in the earlier parts. What a boot was known to know it knows still (M1), so that parts of
// a view whose end never came do no harm.

import type { PeerId } from '../ids.ts'
import { FACTS_PER_VIEW, MAX_MEMBERS, MAX_PARTIAL_VIEWS } from './settings.ts'
import type { Fact } from './types.ts'

export class PartialViews {
  /** By sender, oldest first. */
  readonly #parts = new Map<PeerId, readonly Fact[]>()

  /** One message of a view; returns all of that view that was heard so far. The last part asks for an answer. */
  add(from: PeerId, facts: readonly Fact[], isLast: boolean): readonly Fact[] {
    // An answer, or a farewell: nothing follows.
    if (!isLast && facts.length < FACTS_PER_VIEW) return facts
    const before = this.#parts.get(from) ?? []
    this.#parts.delete(from)
    const all = before.length + facts.length > MAX_MEMBERS ? facts : [...before, ...facts]
    if (isLast) return all
    this.#parts.set(from, all)
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= MAX_PARTIAL_VIEWS) break
      this.#parts.delete(oldest)
    }
    return all
  }

  /** Another boot may be at the other end next time. */
  forget(from: PeerId): void {
    this.#parts.delete(from)
  }
}
