// Which logs of this store nobody needs any more, by the committed registry.
//
// U1 what a rescue or a recovery with loss left out is not "not needed": it is kept aside for people, for as long as they
//    like. That is: registry logs of an earlier generation, journals that only a lost registry knew, and copies that
//    are longer than where their journal was ended.

import { generationOf } from './generation.ts'
import type { StoreId } from './ids.ts'
import type { Pointer } from './log-types.ts'
import type { KeptLog, KeptLogs } from './logs/kept-logs.ts'
import type { Follower } from './registry/follower.ts'
import type { RegistryState } from './registry/types.ts'

/** A journal opened before the newest one known here, and not in the registry any more, was retired. */
export function retireUnneededLogs(
  logs: KeptLogs,
  follower: Follower,
  pointer: Pointer,
  store: StoreId,
): void {
  const { state, stateTerm } = follower
  if (!state) return
  for (const log of logs.held()) {
    const { key, class: logClass, order, promised } = log.facts
    if (logClass === 'registry') {
      const aside = generationOf(order) < generationOf(pointer.term) // U1
      if (!aside && order >= 0 && order < pointer.term - 1) logs.retire(key)
      continue
    }
    const entry = state.journals.get(key)
    // A log first heard of by its seal: the registry tells its order, and its ballot the term that still had it.
    if (entry && order < 0 && promised) logs.hold(key, logClass, entry.order)
    const known = order > 0 ? order < state.nextOrder : (promised?.n ?? Infinity) < stateTerm
    if (!entry && known && !isAside(state, log, stateTerm)) logs.retire(key)
  }
  logs.forgetRetired(state.nextOrder, () => {
    const kept = [...state.journals.values()].filter(({ keepers }) =>
      keepers.some((keeper) => keeper.store === store),
    )
    return kept.map(({ key, order, class: { level } }) => ({ key, class: level, order }))
  })
}

/** U1. */
function isAside(
  { lostOrders, cutJournals }: RegistryState,
  { facts, length }: KeptLog,
  term: number,
): boolean {
  const { key, order, promised } = facts
  const lost =
    order > 0
      ? order >= (lostOrders[generationOf(order)] ?? Infinity)
      : generationOf(promised?.n ?? 0) < generationOf(term)
  return (lost && length > 0) || length > (cutJournals.get(key) ?? Infinity)
}
