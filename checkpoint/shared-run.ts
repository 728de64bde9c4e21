// One expensive action that many callers want at once: everybody who asks while a run is under way shares the next
// one. A run serves only those who asked before it began, which is what makes a shared sync safe.

export class SharedRun {
  readonly #run: () => Promise<void>
  #current: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(run: () => Promise<void>) {
    this.#run = run
  }

  /** Resolves when a run that begins after this call has ended; rejects as that run does. */
  request(): Promise<void> {
    this.#next ??= this.#begin()
    return this.#next
  }

  async #begin(): Promise<void> {
    // Always at least one turn, so that callers of one turn share a run even when none is under way.
    await this.#current.catch(() => {})
    this.#current = this.#next ?? this.#current
    this.#next = undefined
    await this.#run()
  }
}
