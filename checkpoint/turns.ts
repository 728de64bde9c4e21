// Operations of one log take turns, in the order they were called; different logs go their own way.

export class Turns<Key> {
  readonly #tails = new Map<Key, Promise<unknown>>()

  /** Runs `work` after everything given earlier for this key has settled. */
  take<Result>(key: Key, work: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#tails.set(key, mine)
    const forget = () => {
      if (this.#tails.get(key) === mine) this.#tails.delete(key)
    }
    mine.then(forget, forget)
    return mine
  }

  busy(key: Key): boolean {
    return this.#tails.has(key)
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.allSettled(this.#tails.values())
  }
}
