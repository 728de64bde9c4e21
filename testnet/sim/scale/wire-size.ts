// Bytes of membership's messages on the wire, without encoding each of them: a fact is measured once.

import { encode } from '../../../checkpoint/codec.ts'
import type { Fact, MembershipMessage } from '../../../mesh/membership/types.ts'

export class WireSize {
  readonly #facts = new WeakMap<Fact, number>()
  readonly #heads = new Map<string, number>()
  /** The names of a fact's fields, once in a message that has facts. */
  #names: number | undefined

  ofMessage(message: MembershipMessage): number {
    const facts = 'facts' in message ? message.facts : []
    return this.#head(message) + this.ofFacts(facts)
  }

  ofFacts(facts: readonly Fact[]): number {
    const first = facts[0]
    if (!first) return 0
    this.#names ??= encode([first]).length - 1 - this.#fact(first)
    let bytes = this.#names
    for (const fact of facts) bytes += this.#fact(fact)
    return bytes
  }

  /** As one more in a list. */
  #fact(fact: Fact): number {
    const known = this.#facts.get(fact)
    if (known !== undefined) return known
    const bytes = encode([fact, fact]).length - encode([fact]).length
    this.#facts.set(fact, bytes)
    return bytes
  }

  #head(message: MembershipMessage): number {
    const known = this.#heads.get(message.kind)
    if (known !== undefined) return known
    const bytes = encode('facts' in message ? { ...message, facts: [] } : message).length
    this.#heads.set(message.kind, bytes)
    return bytes
  }
}
