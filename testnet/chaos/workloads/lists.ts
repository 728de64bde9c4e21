// From histories of numbered states to the checker of lists: whatever an actor does, its states are a list, and each
// answer says at which length of it it was given.

import { checkList, type ListOperation } from '../../check/linearizability.ts'
import type { Problem, Recorded } from '../workload.ts'

/** What one acknowledged operation says of the list: it made, or saw, its state number `size`. */
export interface Says {
  readonly size: number
  /** Made: with this value. Seen: undefined, and maybe the values that were seen. */
  readonly appended?: string
  readonly values?: readonly string[]
}

/** What an operation would append if it happened; undefined for one that changes nothing. */
export type Intent = (operation: Recorded) => string | undefined

export function checkLists(
  history: readonly Recorded[],
  intent: Intent,
  says: (operation: Recorded) => Says,
): readonly Problem[] {
  const byActor = new Map<string, Recorded[]>()
  for (const operation of history) {
    const key = `${operation.type}/${operation.name}`
    const known = byActor.get(key)
    if (known === undefined) byActor.set(key, [operation])
    else known.push(operation)
  }
  return [...byActor].flatMap(([actor, operations]) => {
    const listed = operations.flatMap((operation) => listOperation(operation, intent, says))
    return checkList(listed).wrong.map(
      (text): Problem => ({ promise: promiseOf(text), text: `${actor}: ${text}` }),
    )
  })
}

function listOperation(
  operation: Recorded,
  intent: Intent,
  says: (operation: Recorded) => Says,
): ListOperation[] {
  const { id, start, end, outcome } = operation
  const would = intent(operation)
  if (outcome === 'refused') return []
  if (outcome === 'unknown' || end === undefined)
    return would === undefined ? [] : [{ kind: 'append', value: would, start }]
  const { size, appended, values } = says(operation)
  const place = { life: 0, size }
  return appended === undefined
    ? [{ kind: 'read', what: id, start, end, place, ...(values && { values }) }]
    : [{ kind: 'append', value: appended, start, end, place }]
}

/** The checker speaks of places and orders; which promise that is, its words say. */
export function promiseOf(text: string): Problem['promise'] {
  if (text.includes('applied twice')) return 'twice'
  if (text.includes(' there is ') || text.includes('no append can have filled')) return 'lost'
  return 'order'
}
