// Clients that ask for histories and make copies of ledgers. A record, once listed, is what it is for ever, and what is not
// listed is said to be missing; a copy is a read of its origin.

import type { RegistryState } from '../../../mesh/registry/types.ts'
import type { Runtime } from '../../../node/actors/runtime.ts'
import type { ActorHistory } from '../../../node/api.ts'
import { MeshError } from '../../../node/errors.ts'
import type { History } from '../history.ts'
import type { Listed } from '../ledger.ts'
import type { Named } from './workload.ts'

/** Short enough for faults to be longer, long enough for many reads to be answered by the one before. */
const MAX_LAG_MS = 800

export interface Looker {
  readonly runtime: Runtime
  readonly alive: () => boolean
  readonly now: () => number
  readonly timeoutMs: number
  readonly registry: () => RegistryState | undefined
}

export class LookingBack {
  readonly #history: History
  /** By life and number. */
  readonly #listed = new Map<string, string>()

  constructor(history: History) {
    this.#history = history
  }

  async list({ runtime, alive, registry }: Looker, { type, name, key }: Named): Promise<void> {
    const life = (): number | undefined => registry()?.actors.get(key)?.incarnation
    const before = life()
    const limit = 1 + (this.#listed.size % 20)
    const page = await quietly(runtime.ref(type, name).history({ limit }))
    if (page === undefined || !alive() || before === undefined || life() !== before) return
    for (const problem of gaps(page)) this.#history.wrong.push(`${key}: ${problem}`)
    for (const { record, kind, method, caller, at } of page.records) {
      const told = `${kind} ${method} by ${caller} at ${at}`
      const known = this.#listed.get(`${key} ${before} ${record}`)
      if (known === undefined) this.#listed.set(`${key} ${before} ${record}`, told)
      else if (known !== told)
        this.#history.wrong.push(`${key}: R10 record ${record} was ${known}, and is ${told}`)
    }
  }

  /** A read that may be a little old is one that began that much earlier. What a loose one says may be lost after it. */
  async bounded(
    { runtime, alive, now, timeoutMs }: Looker,
    { type, name, key }: Named,
    loose: boolean,
  ): Promise<void> {
    const start = now()
    const ref = runtime.ref(type, name).with({ timeoutMs, reads: { maxLagMs: MAX_LAG_MS } })
    const seen = (await quietly(ref['all']!())) as Listed | undefined
    // Floating-point milliseconds.
    if (seen && alive() && !loose) this.#history.read(key, 'bounded', seen, start - MAX_LAG_MS - 1, now())
  }

  async copy(
    { runtime, alive, now, timeoutMs }: Looker,
    { type, name, key }: Named,
    token: string,
  ): Promise<void> {
    const start = now()
    const as = `copy ${token}`
    const made = await quietly(
      runtime
        .ref(type, name)
        .with({ timeoutMs })
        .fork(as)
        .then(() => true),
    )
    const end = now()
    const read =
      made && ((await quietly(runtime.call(type, as, 'all', [], { timeoutMs }))) as Listed | undefined)
    if (read && alive()) this.#history.read(key, 'copy', read, start, end)
    await quietly(runtime.delete(type, as, timeoutMs))
  }
}

/** What is not there for the moment says nothing; everything else that is thrown is a mistake. */
async function quietly<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof MeshError) return undefined
    throw error
  }
}

/** Every number from the newest down is listed once, or in one range of what is missing. */
function gaps({ records, missing }: ActorHistory): readonly string[] {
  const numbers = records.map(({ record }) => record)
  for (const { from, to } of missing) for (let n = from; n <= to; n++) numbers.push(n)
  numbers.sort((a, b) => b - a)
  const wrong = numbers.findIndex((number, at) => at > 0 && number !== numbers[at - 1]! - 1)
  return wrong < 0 ? [] : [`its history goes from ${numbers[wrong - 1]} to ${numbers[wrong]}`]
}
