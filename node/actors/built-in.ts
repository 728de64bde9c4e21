// Actor types of the mesh's own. Their names are reserved: no app can take one, or reach such an actor by its name.

import { BadInputError } from '../errors.ts'

/** In front of the names of all of them. */
const PREFIX = 'mesh:'

/** What marks a class as one of them; nobody else can name it. */
export const BUILT_IN: unique symbol = Symbol('built-in')

/** Called outside of any call, after each record of the actor and when its object is about to end. */
export const CHANGED: unique symbol = Symbol('changed')

/** What an object of such a class may have beside its methods. */
export interface BuiltInActor {
  [CHANGED]?(isEnding: boolean): void
}

export const isReserved = (type: string): boolean => type.startsWith(PREFIX)

/** Throws BadInputError for a type of the mesh's own, with what to use instead. */
export function refuseReserved(type: string): void {
  if (!isReserved(type)) return
  throw new BadInputError(
    `actor types whose names begin with ${PREFIX} are the mesh's own: use node.kv for the key-value store`,
  )
}
