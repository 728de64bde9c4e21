// Blocks of one journal on their way from one peer: each once, however many restores wait for it. One question is under way
// at a time; what is asked for meanwhile goes into the next one together.

/** What a question brings: blocks by index; it may bring some of those asked for only. Rejects with why there is none. */
export type AskBlocks = (indexes: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>

export class BlockFetch {
  readonly #ask: AskBlocks
  readonly #atATime: number
  readonly #wanted = new Map<number, PromiseWithResolvers<Uint8Array>>()
  #asking = false

  constructor(ask: AskBlocks, atATime: number) {
    this.#ask = ask
    this.#atATime = atATime
  }

  /** Nobody waits for a block. */
  get idle(): boolean {
    return !this.#asking
  }

  /** The blocks in the order of their indexes. Rejects when the peer does not answer, or sends none of what was asked for. */
  async get(indexes: readonly number[]): Promise<readonly Uint8Array[]> {
    const blocks = Promise.all(indexes.map((index) => this.#want(index)))
    if (!this.#asking) void this.#work()
    return blocks
  }

  #want(index: number): Promise<Uint8Array> {
    const wanted = this.#wanted.get(index) ?? Promise.withResolvers<Uint8Array>()
    this.#wanted.set(index, wanted)
    return wanted.promise
  }

  async #work(): Promise<void> {
    this.#asking = true
    while (this.#wanted.size > 0) {
      const asked = [...this.#wanted.keys()].sort((a, b) => a - b).slice(0, this.#atATime)
      try {
        const brought = await this.#ask(asked)
        if (!asked.some((index) => brought.has(index)))
          throw new Error('sent none of the blocks that it was asked for')
        for (const [index, block] of brought) this.#take(index)?.resolve(block)
      } catch (error) {
        for (const index of asked) this.#take(index)?.reject(error)
      }
    }
    this.#asking = false
  }

  #take(index: number): PromiseWithResolvers<Uint8Array> | undefined {
    const wanted = this.#wanted.get(index)
    this.#wanted.delete(index)
    return wanted
  }
}
