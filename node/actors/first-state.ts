// An actor that was created as a copy waits for its state, which whoever made it brings by a call.
//
//  N1 Until then it has none: nothing is answered, and its constructor's state is never one.
//  N2 One whose state does not come is given up, so that nothing is kept for it. From then on this home does not take the
//     state any more, and what gives it up names its epoch: what another home has taken meanwhile stays.

import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { CallFrame } from './frames.ts'
import type { HomeServices } from './home-services.ts'
import { stateIn } from './own-calls.ts'

/** Encoded, and of which version of its class. */
export interface FirstState {
  readonly state: Uint8Array
  readonly version: number
}

/** Twice what the call that brings it has by default. */
const PATIENCE_MS = 60_000
const AGAIN_MS = 5000

export interface FirstStateParts {
  readonly copyOf: string
  readonly services: Pick<HomeServices, 'mesh' | 'now' | 'sleep' | 'within' | 'makeRef'>
  /** The call that brings it, once it is here. */
  readonly brought: () => CallFrame | undefined
  /** Resolves when a call comes, or the actor ends here. */
  readonly arrival: () => Promise<void>
  readonly tell: (problem: string) => void
  /** Throws when it has ended here. */
  readonly check: () => void
}

export async function firstStateOf(
  { key: actor, incarnation, epoch }: ActorEntry,
  { copyOf, services, brought, arrival, tell, check }: FirstStateParts,
): Promise<FirstState> {
  const until = services.now() + PATIENCE_MS
  for (;;) {
    check()
    const frame = brought()
    if (frame !== undefined) return stateIn(frame, services.makeRef)
    const leftMs = until - services.now()
    if (leftMs <= 0) break
    tell(`it is to be a copy of ${copyOf}, and its state has not come yet`) // N1
    await services.within(arrival(), leftMs, undefined)
  }
  for (;;) {
    tell(`it was to be a copy of ${copyOf}, and its state did not come: it is given up`)
    await services.mesh
      .command({ kind: 'kill', actor, incarnation, epoch, restart: false }) // N2
      .catch(() => {})
    await services.sleep(AGAIN_MS)
    check()
  }
}
