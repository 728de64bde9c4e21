// The one real clock and the one real source of randomness.

import { randomBytes } from 'node:crypto'
import type { Random } from '../mesh/env.ts'
import type { Clock } from './ports.ts'

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Everybody else's turn, and no more: a timer would give the processor away, which on a busy machine is long. */
export const realPause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const realRandom: Random = {
  id: () => randomBytes(16).toString('hex'),
  number: () => Math.random(),
}
