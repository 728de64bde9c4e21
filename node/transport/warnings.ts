// Warnings for people, without repeating oneself: a peer with a wrong secret knocks every few seconds.

import { WARNING_REPEAT_MS } from './limits.ts'

export class Warnings {
  readonly #said = new Map<string, number>()
  readonly #say: (code: string, text: string) => void

  constructor(say: (code: string, text: string) => void) {
    this.#say = say
  }

  /** `about`: whom it concerns; the same code about the same peer is said once per {@link WARNING_REPEAT_MS}. */
  warn(code: string, about: string, text: string, now: number = performance.now()): void {
    for (const [old, at] of this.#said) if (now - at >= WARNING_REPEAT_MS) this.#said.delete(old)
    const key = `${code} ${about}`
    if (this.#said.has(key)) return
    this.#said.set(key, now)
    this.#say(code, text)
  }
}
