// The numbers of an actor's next life: above all that the name ever had, also where it was deleted in between (A7).

import type { ActorKey } from '../ids.ts'
import type { RegistryTable } from './state.ts'
import type { LifeNumbers, RegistryState } from './types.ts'

/** Names of deleted actors that are remembered each by itself: some 100 bytes each. Those beyond raise the floor of all. */
const MAX_FORGOTTEN_NAMES = 1024

export function nextLife({ actors, forgotten }: RegistryState, key: ActorKey): LifeNumbers {
  const { incarnation, epoch } = actors.get(key) ?? forgotten.names.get(key) ?? forgotten.floor
  return { incarnation: incarnation + 1, epoch: epoch + 1 }
}

/** Takes the name out of the table. */
export function forgetName(table: RegistryTable, key: ActorKey, { incarnation, epoch }: LifeNumbers): void {
  const { names } = table.forgotten
  table.actors.delete(key)
  names.set(key, { incarnation, epoch })
  for (const [oldest, numbers] of names) {
    if (names.size <= MAX_FORGOTTEN_NAMES) return
    names.delete(oldest)
    const { floor } = table.forgotten
    table.forgotten.floor = {
      incarnation: Math.max(floor.incarnation, numbers.incarnation),
      epoch: Math.max(floor.epoch, numbers.epoch),
    }
  }
}
