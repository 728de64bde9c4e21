// What callers of ledgers were told, against each other and against what the ledgers hold at the end (I1, I10, G1 to G5).

import { checkList, type ListOperation } from '../check/linearizability.ts'
import { brief, type Listed, type Seen } from './ledger.ts'
import { Lives } from './lives.ts'

/** Something that an actor's agenda has, with the life of the actor. */
export interface Owed {
  readonly kind: 'send' | 'alarm'
  readonly by: string
  readonly life: number
  readonly to: string
  readonly what: string
}

export class History {
  readonly wrong: string[] = []
  readonly lives = new Lives()
  readonly #appends = new Map<string, Map<string, ListOperation & { kind: 'append' }>>()
  readonly #reads = new Map<string, ListOperation[]>()
  /** Tokens that must never be in the ledger. */
  readonly #never = new Map<string, Set<string>>()
  readonly #owed: Owed[] = []
  #answered = 0

  /** Calls that were answered. */
  get operations(): number {
    return this.#answered
  }

  /** A call that appends the token, if it ever happens, was made. */
  begin(actor: string, token: string, start: number): void {
    const appends = this.#appends.get(actor) ?? new Map()
    this.#appends.set(actor, appends.set(token, { kind: 'append', value: token, start }))
  }
  never(actor: string, token: string): void {
    this.#never.set(actor, (this.#never.get(actor) ?? new Set()).add(token))
  }
  /** An actor answered for it that this will happen, once. */
  owes(owed: Owed): void {
    this.#owed.push(owed)
  }
  wrote(actor: string, token: string, { life, size }: Seen, start: number, end: number): void {
    this.#answered++
    this.begin(actor, token, start)
    this.#appends.get(actor)?.set(token, { kind: 'append', value: token, start, end, place: { life, size } })
  }
  read(actor: string, what: string, seen: Seen | Listed, start: number, end: number): void {
    this.#answered++
    const { life, size } = seen
    const values = 'tokens' in seen ? { values: seen.tokens } : {}
    const reads = this.#reads.get(actor) ?? []
    this.#reads.set(actor, reads)
    reads.push({ kind: 'read', what, start, end, place: { life, size }, ...values })
  }

  /** `final`: what each actor that still exists holds after everything healed, and when that was read. */
  check(final: ReadonlyMap<string, Listed>, now: number): readonly string[] {
    for (const [actor, listed] of final) this.read(actor, 'the end', listed, now, now)
    const lives = new Map<string, readonly string[]>()
    for (const actor of new Set([...this.#appends.keys(), ...this.#reads.keys()])) {
      const operations = [...(this.#appends.get(actor)?.values() ?? []), ...(this.#reads.get(actor) ?? [])]
      // Tokens of `mirror` carry what they saw, so that they are not known before.
      const { wrong, lists } = checkList(operations, false)
      this.wrong.push(...wrong.map((text) => `${actor}: ${text}`), ...this.lives.check(actor, operations))
      for (const [life, list] of lists) lives.set(`${actor} ${life}`, list)
    }
    for (const [key, tokens] of lives) this.#checkTokens(key, tokens, lives, final)
    this.#checkLives(lives)
    return this.wrong
  }

  /**
   * What is still owed when no agenda has anything left. A stop ends an agenda, so this is for runs without one. That
   * nothing happens twice is checked with everything else.
   */
  checkOwed(final: ReadonlyMap<string, Listed>, kind: Owed['kind']): void {
    for (const owed of this.#owed) {
      if (owed.kind !== kind || final.get(owed.by)?.life !== owed.life) continue
      if (final.get(owed.to)?.tokens.includes(owed.what)) continue
      this.wrong.push(`${owed.by} owes ${owed.to} the ${kind} ${owed.what}, and nothing is left of it`)
    }
  }

  #checkTokens(
    key: string,
    tokens: readonly string[],
    lives: ReadonlyMap<string, readonly string[]>,
    final: ReadonlyMap<string, Listed>,
  ): void {
    const actor = key.slice(0, key.lastIndexOf(' '))
    for (const token of tokens) {
      if (token === undefined) continue
      if (this.#never.get(actor)?.has(token)) this.wrong.push(`${key}: ${token} was said not to be executed`)
      const saw = token.split(' saw ')[1]
      if (saw === undefined && !this.#appends.get(actor)?.has(token))
        this.wrong.push(`${key}: nobody appended ${token}`)
      if (saw === undefined) continue
      const [other, life, size, last] = JSON.parse(saw) as [string, number, number, string]
      const end = final.get(other)
      if (end?.life === life && end.size < size)
        this.wrong.push(`${key}: was told of ${size} tokens of ${other}, which are ${end.size}`)
      const there = lives.get(`${other} ${life}`)?.[size - 1]
      if (size > 0 && there !== undefined && brief(there) !== last)
        this.wrong.push(`${key}: was told of ${last} at ${size - 1} of ${other}, there is ${there}`)
    }
  }

  /** A call of a caller belongs to one incarnation. One made by a method may be repeated against the next. */
  #checkLives(lives: ReadonlyMap<string, readonly string[]>): void {
    const where = new Map<string, string>()
    for (const [key, tokens] of lives)
      for (const token of tokens) {
        if (token === undefined || token.endsWith('.other') || token.includes(' saw ')) continue
        const before = where.get(token)
        if (before !== undefined && before !== key) this.wrong.push(`${token} is in ${before} and in ${key}`)
        where.set(token, key)
      }
  }
}
