// Marks that questions carry and answers repeat. A peer that restarted gets answers to questions of its former process, so
// a mark must be of this very start (R6).

import type { BootId } from '../../mesh/ids.ts'

/** Of the boot's 128-bit nonce: enough that two starts of one peer don't share it. */
const NONCE_DIGITS = 16

export class Tokens {
  readonly #prefix: string
  #next = 1

  constructor(boot: BootId) {
    this.#prefix = boot.slice(-NONCE_DIGITS)
  }

  next(): string {
    return `${this.#prefix}.${this.#next++}`
  }
}
