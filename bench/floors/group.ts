// One write at a time to something that takes many blocks at once: what comes meanwhile goes into the next.

export class Group {
  readonly #write: (blocks: readonly Uint8Array[]) => Promise<unknown>
  #waiting: { readonly block: Uint8Array; readonly done: () => void }[] = []
  #busy = false

  constructor(write: (blocks: readonly Uint8Array[]) => Promise<unknown>) {
    this.#write = write
  }

  add(block: Uint8Array): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ block, done })
      if (!this.#busy) this.#run().catch(failed)
    })
  }

  async #run(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      await this.#write(batch.map(({ block }) => block))
      for (const { done } of batch) done()
    }
    this.#busy = false
  }
}
