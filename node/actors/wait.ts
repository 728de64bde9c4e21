// The first few of many promises: what is ready is worked on while the rest goes on.

import { BadInputError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { realClock } from '../real-world.ts'
import { MAX_TIMEOUT_MS } from './timing.ts'

/** How long to wait, and for how many. */
export interface WaitOptions {
  /** How many must be settled, and how many are returned as ready at most. Default 1. */
  readonly count?: number
  /** Milliseconds after which it returns with what is settled by then. 0: look without waiting. Default: no limit. */
  readonly timeoutMs?: number
}

/** The promises themselves, each in one of the two, in the order they were given in. */
export interface Waited<P> {
  /** Settled: resolved or rejected. At most `count`. */
  readonly ready: P[]
  readonly pending: P[]
}

/**
 * Resolves when `count` of the promises are settled, or `timeoutMs` are over. A rejected promise counts as ready, and as
 * handled: awaiting it tells why.
 *
 *     let pending = names.map((name) => node.actor(Page, name).render())
 *     while (pending.length > 0) {
 *       const done = await wait(pending, { count: 1 })
 *       for (const page of done.ready) show(await page)
 *       pending = done.pending
 *     }
 *
 * Rejects with `BAD_INPUT` when `count` is no whole number from 1 to the number of promises, or `timeoutMs` is negative.
 */
export const wait = <P extends PromiseLike<unknown>>(
  promises: readonly P[],
  options: WaitOptions = {},
): Promise<Waited<P>> => waitOn(realClock, promises, options)

/** {@link wait} by a clock of one's own. */
export async function waitOn<P extends PromiseLike<unknown>>(
  clock: Clock,
  promises: readonly P[],
  { count = 1, timeoutMs }: WaitOptions,
): Promise<Waited<P>> {
  const given = [...promises]
  if (given.length === 0) return { ready: [], pending: [] }
  if (!Number.isSafeInteger(count) || count < 1 || count > given.length) {
    throw new BadInputError(
      `count is ${count}: a whole number from 1 to ${given.length}, the number of promises`,
    )
  }
  if (timeoutMs !== undefined && !(timeoutMs >= 0))
    throw new BadInputError(`timeoutMs is ${timeoutMs}: a number of milliseconds, 0 or more`)
  const settled = new Set<number>()
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  for (const [index, promise] of given.entries()) {
    const settle = (): void => {
      settled.add(index)
      if (settled.size >= count) resolve()
    }
    promise.then(settle, settle)
  }
  const timer =
    timeoutMs === undefined || timeoutMs > MAX_TIMEOUT_MS ? undefined : clock.setTimer(timeoutMs, resolve)
  await enough
  timer?.cancel()
  const ready = new Set([...settled].sort((a, b) => a - b).slice(0, count))
  return {
    ready: given.filter((_promise, index) => ready.has(index)),
    pending: given.filter((_promise, index) => !ready.has(index)),
  }
}
