// Calls that their callers do not want any more: at the caller an AbortSignal, at the host the running call's own.

import { CallCancelledError } from '../errors.ts'
import { outside } from './scope.ts'

/** Aborted as soon as one of them is; undefined when there is none. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}

/** Settles as `work` does, or rejects with what `abandon` gives at the moment of an abort: then nobody looks at `work`. */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  abandon: () => Error,
): Promise<T> {
  if (signal === undefined) return work
  work.catch(() => {})
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(abandon())
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Whether one call at its host was cancelled. The signal is made when somebody looks at it: most calls never do. */
export class Cancellation {
  #controller: AbortController | undefined
  #cancelled = false
  #heard: (() => void) | undefined

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#cancelled) this.#controller.abort(reason())
    return this.#controller.signal
  }

  cancel(): void {
    this.#cancelled = true
    outside(() => this.#controller?.abort(reason()))
    this.#heard?.()
  }

  /** For where the call runs, if that is elsewhere. */
  listen(heard: () => void): void {
    this.#heard = heard
    if (this.#cancelled) heard()
  }
}

const reason = (): CallCancelledError =>
  new CallCancelledError('the caller of this method cancelled the call: end what it does', {
    executed: 'unknown',
  })

/** The newest so many of some texts. */
export class Recent {
  readonly #limit: number
  readonly #texts = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  has(text: string): boolean {
    return this.#texts.has(text)
  }

  add(text: string): void {
    this.#texts.add(text)
    if (this.#texts.size <= this.#limit) return
    for (const oldest of this.#texts) {
      this.#texts.delete(oldest)
      return
    }
  }
}
