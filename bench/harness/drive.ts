// A closed loop: so many calls are under way at any time, for so long. Who waits for an answer sends nothing meanwhile, so a
// slow system is asked less; latencies under a fixed number in flight are comparable between systems, and that is all they say.

import { type Measured, measured } from './statistics.ts'

export interface Plan {
  readonly inFlight: number
  readonly forMs: number
  /** Bytes of payload in each call, and in its answer. */
  readonly bytes: number
}

/** Part of the time that is not counted: the first calls find cold code and empty caches. */
const WARM_UP_SHARE = 0.2

/** `call(n)` is the n-th call; one that rejects ends the measurement with its error. */
export async function drive(call: (n: number) => Promise<unknown>, plan: Plan): Promise<Measured> {
  const times: number[] = []
  const start = performance.now()
  const countFrom = start + plan.forMs * WARM_UP_SHARE
  const until = start + plan.forMs
  let issued = 0
  const lane = async (): Promise<void> => {
    for (let at = performance.now(); at < until; ) {
      await call(issued++)
      const ended = performance.now()
      if (ended >= countFrom) times.push(ended - at)
      at = ended
    }
  }
  await Promise.all(Array.from({ length: plan.inFlight }, lane))
  return measured(times, performance.now() - countFrom)
}

/** Each of `count` calls once, so many at a time. */
export async function each(
  count: number,
  inFlight: number,
  call: (n: number) => Promise<unknown>,
): Promise<Measured> {
  const times: number[] = []
  const start = performance.now()
  let issued = 0
  const lane = async (): Promise<void> => {
    while (issued < count) {
      const at = performance.now()
      await call(issued++)
      times.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane))
  return measured(times, performance.now() - start)
}

/** Different in every byte of a row of 251, so that it compresses badly and a shift shows. */
export const payload = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, n) => n % 251)
