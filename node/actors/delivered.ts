// Which calls of a caller came to an actor here before, as far as their numbers tell: what lets a host say of a call that it
// refuses that it did not execute it either.

import type { CallId } from '../../checkpoint/call-table.ts'
import { type CallerId, isBoot } from '../../mesh/ids.ts'
import type { RegistryState } from '../../mesh/registry/types.ts'

export class DeliveredCalls {
  readonly #newest = new Map<CallerId, number>()

  add({ caller, n }: CallId): void {
    if (isBoot(caller) && n > (this.#newest.get(caller) ?? 0)) this.#newest.set(caller, n)
  }

  /** False only where it did not; callers count up, so a number beyond all of its caller's is new. */
  has({ caller, n, path }: CallId): boolean {
    return path !== '' || !isBoot(caller) || n <= (this.#newest.get(caller) ?? 0)
  }

  /** Calls of a caller that the registry does not know are not refused but held. */
  forget({ boots }: RegistryState): void {
    for (const caller of this.#newest.keys())
      if (isBoot(caller) && !boots.has(caller)) this.#newest.delete(caller)
  }
}
