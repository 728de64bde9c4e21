// Which logs of this store nobody needs any more, by the committed registry.

import type { Pointer } from './log-types.ts'
import type { KeptLogs } from './logs/kept-logs.ts'
import type { Follower } from './registry/follower.ts'

/** A journal opened before the newest one known here, and not in the registry any more, was retired. */
export function retireUnneededLogs(logs: KeptLogs, follower: Follower, pointer: Pointer): void {
  const { state, stateTerm } = follower
  if (!state) return
  for (const { key, class: logClass, order, promised } of logs.held()) {
    if (logClass === 'registry') {
      const superseded = order >= 0 && order < pointer.term - 1
      if (superseded) logs.retire(key)
      continue
    }
    const entry = state.journals.get(key)
    // A log first heard of by its seal: the registry tells its order, and its ballot the term that still had it.
    if (entry && order < 0 && promised) logs.hold(key, logClass, entry.order)
    const known = order > 0 ? order < state.nextOrder : (promised?.n ?? Infinity) < stateTerm
    if (!entry && known) logs.retire(key)
  }
}
