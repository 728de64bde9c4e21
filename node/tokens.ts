// Promises that wait for an answer of the core, by token.

interface Waiting {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

export class Tokens {
  readonly #waiting = new Map<number, Waiting>()
  #next = 1

  add<Result>(resolve: (result: Result) => void, reject: (error: Error) => void): number {
    const token = this.#next++
    this.#waiting.set(token, { resolve: resolve as (result: never) => void, reject })
    return token
  }

  drop(token: number): void {
    this.#waiting.delete(token)
  }

  resolve(token: number, result: unknown): void {
    const waiting = this.#waiting.get(token)
    this.#waiting.delete(token)
    waiting?.resolve(result as never)
  }

  reject(token: number, error: Error): void {
    const waiting = this.#waiting.get(token)
    this.#waiting.delete(token)
    waiting?.reject(error)
  }

  rejectAll(error: Error): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const waiting of all) waiting.reject(error)
  }
}
