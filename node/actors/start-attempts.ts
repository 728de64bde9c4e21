// The starts of an actor's objects at one home: tried again, ever later, until one works. Each that fails is counted in the
// registry (starts.ts), and who waits is told why.

import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { HomeServices } from './home-services.ts'
import { UnfitState } from './migration.ts'
import { textOf } from './remote-error.ts'
import { SeatLost } from './seat.ts'
import { START_MOST_MS } from './starts.ts'
import { Backoff } from './timing.ts'

/** The pause after the first start that throws; it grows up to START_MOST_MS. */
const START_AGAIN_MS = 50

export const startBackoff = (): Backoff => new Backoff(START_AGAIN_MS, START_MOST_MS)

export interface StartAttempts<Started> {
  readonly entry: ActorEntry
  readonly services: HomeServices
  /** `made`: the object is there, and what fails from now on is its hook. */
  readonly start: (made: () => void) => Promise<Started>
  /** Throws when no further one is wanted. */
  readonly check: () => void
  /** One that can't be made for the first time will never be; one with a state may wait for something to be repaired. */
  readonly hasState: () => boolean
  /** Of who waits for it. */
  readonly tell: (problem: string) => void
}

/** Rejects with what `check` throws, and with nothing else. */
export async function untilStarted<Started>(attempts: StartAttempts<Started>): Promise<Started> {
  const { entry, services, start, check, hasState, tell } = attempts
  const backoff = startBackoff()
  for (;;) {
    check()
    let isMade = false
    const made = (): void => {
      isMade = true
    }
    try {
      return await start(made)
    } catch (error) {
      check()
      const isLost = error instanceof SeatLost
      const isUnfit = error instanceof UnfitState
      const what = isLost ? 'its worker' : isMade ? 'onActivate' : 'its constructor'
      const cause = isLost || isUnfit ? error.message : `${what} failed: ${textOf(error)}`
      services.warn(entry, 'an actor can not be started', error)
      const again = isLost || isMade || hasState()
      tell(`${cause} (on ${services.mesh.self})`)
      await Promise.all([
        services.starts.failed(entry, causeFor(entry, what, cause), { again, counts: !isUnfit }),
        services.sleep(backoff.next()),
      ])
    }
  }
}

/** The registry is on everybody's disk, and a message may have something of the state in it. */
export const causeFor = ({ options }: ActorEntry, what: string, cause: string): string =>
  options.keyId === undefined ? cause : `${what} failed: see the log of its host`
