// All planted bugs, by area.

import type { Mutant } from '../mutant.ts'
import { agendaMutants } from './agenda.ts'
import { callMutants } from './calls.ts'
import { cancellingMutants } from './cancelling.ts'
import { historyMutants } from './history.ts'
import { homeMutants } from './homes.ts'
import { isolationMutants } from './isolation.ts'
import { journalMutants } from './journals.ts'
import { keeperMutants } from './keeper.ts'
import { kvMutants } from './kv.ts'
import { lifecycleMutants } from './lifecycle.ts'
import { mailboxMutants } from './mailbox.ts'
import { placementMutants } from './placement.ts'
import { registryMutants } from './registry.ts'
import { relayMutants } from './relays.ts'
import { seriesMutants } from './series.ts'
import { stateMutants } from './state.ts'
import { storeMutants } from './store.ts'
import { takeOverMutants } from './take-over.ts'
import { writerMutants } from './writer.ts'

export const MUTANTS: readonly Mutant[] = [
  ...keeperMutants,
  ...writerMutants,
  ...takeOverMutants,
  ...registryMutants,
  ...journalMutants,
  ...homeMutants,
  ...placementMutants,
  ...callMutants,
  ...stateMutants,
  ...lifecycleMutants,
  ...isolationMutants,
  ...agendaMutants,
  ...historyMutants,
  ...cancellingMutants,
  ...mailboxMutants,
  ...seriesMutants,
  ...relayMutants,
  ...storeMutants,
  ...kvMutants,
]
