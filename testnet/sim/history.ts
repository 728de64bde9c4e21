// The history of what callers of ledgers were told, checked against what the ledgers hold: results of one actor form one
// chain, in real-time order, without anything lost or doubled (I1, G1 to G5).

import { brief, type Listed, type Seen } from './ledger.ts'

interface Operation extends Seen {
  readonly kind: 'write' | 'read'
  readonly what: string
  readonly start: number
  readonly end: number
  /** The whole list, for reads that return it. */
  readonly tokens?: readonly string[]
  /** The last token, for writes. */
  readonly last?: string
}

export class History {
  readonly wrong: string[] = []
  readonly #operations = new Map<string, Operation[]>()
  readonly #begun = new Map<string, number>()
  /** Tokens that must never be in the ledger. */
  readonly #never = new Map<string, Set<string>>()

  get operations(): number {
    let count = 0
    for (const operations of this.#operations.values()) count += operations.length
    return count
  }

  begin(_actor: string, token: string, at: number): void {
    this.#begun.set(token, at)
  }
  never(actor: string, token: string): void {
    this.#never.set(actor, (this.#never.get(actor) ?? new Set()).add(token))
  }
  wrote(actor: string, last: string, seen: Seen, start: number, end: number): void {
    this.#add(actor, { kind: 'write', what: last, life: seen.life, size: seen.size, last, start, end })
  }
  read(actor: string, what: string, seen: Seen | Listed, start: number, end: number): void {
    const tokens = 'tokens' in seen ? { tokens: seen.tokens } : {}
    this.#add(actor, { kind: 'read', what, life: seen.life, size: seen.size, ...tokens, start, end })
  }

  /** `final`: what each actor that still exists holds after everything healed. */
  check(final: ReadonlyMap<string, Listed>): readonly string[] {
    const lives = new Map<string, string[]>()
    for (const [actor, operations] of this.#operations) {
      for (const [life, known] of this.#chains(actor, operations, final.get(actor)))
        lives.set(`${actor} ${life}`, known)
      this.#checkOrder(actor, operations)
    }
    for (const [key, tokens] of lives) this.#checkTokens(key, tokens, lives, final)
    this.#checkLives(lives)
    return this.wrong
  }

  #add(actor: string, operation: Operation): void {
    const list = this.#operations.get(actor)
    if (list) list.push(operation)
    else this.#operations.set(actor, [operation])
  }

  /** What is known of each life's list, from every answer; answers that contradict each other are reported. */
  #chains(
    actor: string,
    operations: readonly Operation[],
    final: Listed | undefined,
  ): ReadonlyMap<number, string[]> {
    const chains = new Map<number, string[]>()
    const claim = (life: number, position: number, token: string, who: string): void => {
      const chain = chains.get(life) ?? []
      chains.set(life, chain)
      const known = chain[position]
      if (known === undefined) chain[position] = token
      else if (known !== token)
        this.wrong.push(`${actor} life ${life}: ${who} has ${token} at ${position}, there is ${known}`)
    }
    if (final) final.tokens.forEach((token, at) => void claim(final.life, at, token, 'the end'))
    for (const { what, life, size, last, tokens, end } of operations) {
      const who = `${what}@${end.toFixed(0)}`
      if (final && life > final.life)
        this.wrong.push(`${actor}: ${who} saw life ${life}, the end ${final.life}`)
      if (final?.life === life && size > final.size)
        this.wrong.push(
          `${actor} life ${life}: ${who} saw ${size} tokens, at the end there are ${final.size}`,
        )
      if (last !== undefined) claim(life, size - 1, last, who)
      tokens?.forEach((token, at) => void claim(life, at, token, who))
    }
    return chains
  }

  /** What was answered before an operation began is seen by it. */
  #checkOrder(actor: string, operations: readonly Operation[]): void {
    const byEnd = [...operations].sort((a, b) => a.end - b.end)
    let next = 0
    let newest: Operation | undefined
    for (const operation of [...operations].sort((a, b) => a.start - b.start)) {
      for (; next < byEnd.length && byEnd[next]!.end < operation.start; next++)
        if (!newest || place(byEnd[next]!) > place(newest)) newest = byEnd[next]!
      if (!newest) continue
      const least = place(newest) + (operation.kind === 'write' ? 1 : 0)
      if (place(operation) < least)
        this.wrong.push(
          `${actor}: ${operation.what} (${operation.start.toFixed(0)} to ${operation.end.toFixed(0)}) saw ${operation.life}/${operation.size} after ${newest.what} (to ${newest.end.toFixed(0)}) had seen ${newest.life}/${newest.size}`,
        )
    }
  }

  #checkTokens(
    key: string,
    tokens: readonly string[],
    lives: ReadonlyMap<string, readonly string[]>,
    final: ReadonlyMap<string, Listed>,
  ): void {
    const actor = key.slice(0, key.lastIndexOf(' '))
    const present = tokens.filter((token) => token !== undefined)
    if (new Set(present).size !== present.length) {
      const twice = present.filter((token, at) => present.indexOf(token) !== at)
      this.wrong.push(`${key}: applied twice: ${twice.join(', ')}`)
    }
    for (const token of present) {
      if (this.#never.get(actor)?.has(token)) this.wrong.push(`${key}: ${token} was said not to be executed`)
      const saw = token.split(' saw ')[1]
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

const place = ({ life, size }: Seen): number => life * 1_000_000 + size
