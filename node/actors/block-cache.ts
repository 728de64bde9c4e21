// Blocks that a restore fetched or read: one block holds the records of many actors, and after a peer's loss many of them
// are restored one after the other.

import type { LogKey } from '../../mesh/ids.ts'

export class BlockCache {
  readonly #maxBytes: number
  /** In order of use, oldest first. */
  readonly #blocks = new Map<string, Uint8Array>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(journal: LogKey, index: number): Uint8Array | undefined {
    const key = `${index} ${journal}`
    const block = this.#blocks.get(key)
    if (block === undefined) return undefined
    this.#blocks.delete(key)
    this.#blocks.set(key, block)
    return block
  }

  set(journal: LogKey, index: number, block: Uint8Array): void {
    const key = `${index} ${journal}`
    if (this.#blocks.has(key)) return
    this.#blocks.set(key, block)
    this.#bytes += block.length
    for (const [old, bytes] of this.#blocks) {
      if (this.#bytes <= this.#maxBytes || this.#blocks.size === 1) return
      this.#blocks.delete(old)
      this.#bytes -= bytes.length
    }
  }
}
