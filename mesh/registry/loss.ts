// Whether what is missing of a lost boot may be given up: only where waiting can't be shown to be enough.

import type { Env } from '../env.ts'
import type { BootId } from '../ids.ts'
import type { Keeper } from '../log-types.ts'
import type { Membership } from '../membership/membership.ts'
import { majority } from '../quorum.ts'
import type { Recovery } from '../recovery.ts'
import { journalsOf } from './recover.ts'
import type { JournalEntry, RegistryState } from './types.ts'

export interface LossParts {
  readonly env: Env
  readonly membership: Membership
  readonly recovery: Recovery | undefined
}

/** Why loss is not accepted for this boot, in words; null where it is. Unknown boots are for the registry to refuse. */
export function lossRefusal(state: RegistryState, boot: BootId, parts: LossParts): string | null {
  const entry = state.boots.get(boot)
  if (!entry) return null
  const { env, recovery } = parts
  if (recovery) {
    if (recovery.lacksKeepers) return null
    return 'it is being recovered without loss at this moment: look at "mesh reports" in a few seconds'
  }
  if (entry.status !== 'dead')
    return 'it is not lost: its peer is here, or was here a moment ago and is still waited for'
  const journals = journalsOf(state, boot)
  // A majority has all of each (V1), so of a majority that is here one has: to wait for its answer is enough. Who of fewer has what
  // they say when they are sealed, and nothing is lost that one of them has.
  const isWhole = ({ keepers }: JournalEntry): boolean =>
    keepers.filter((keeper) => isHere(keeper, parts)).length >= majority(keepers.length)
  if (!journals.every(isWhole)) return null
  return journals.length === 0
    ? 'it was recovered, and nothing of it is needed any more'
    : `it was recovered, and each of the ${journals.length} journals still needed of it has a majority of its keepers connected to ${env.self}`
}

function isHere({ peer, store }: Keeper, { env, membership }: LossParts): boolean {
  return env.reaches(peer) && membership.get(peer)?.description.store === store
}
