// When two journal classes are the same: actors of the same class share one journal per boot.

import { compareIds } from '../ids.ts'
import type { JournalClass } from './types.ts'

/** A canonical key: equal exactly for equal classes. */
export function classKey(wanted: JournalClass): string {
  const labels = Object.entries(wanted.labels ?? {}).sort(([a], [b]) => compareIds(a, b))
  const peers = [...(wanted.peers ?? [])].sort(compareIds)
  return JSON.stringify([wanted.level, wanted.keepers, labels, peers])
}

export const sameClass = (a: JournalClass, b: JournalClass): boolean => a === b || classKey(a) === classKey(b)
