// When a type's calls are written: each before it is answered, or some of them later.

import { BadInputError } from '../errors.ts'
import type { ActorOptionsInput, CheckpointPolicy } from './types.ts'

/** When at the latest what was answered is written. Infinity in both: when the class says so. */
export interface Relaxed {
  readonly everyMs: number
  readonly everyCalls: number
}

/** By method; undefined: every call is written before it is answered. */
export type RelaxedOf = (method: string) => Relaxed | undefined

/** Throws BadInputError, with class and option. */
export function relaxedOf(type: string, input: ActorOptionsInput, methods: ReadonlySet<string>): RelaxedOf {
  const { checkpoint = 'every-call', checkpointPerMethod = {} } = input
  const all = relaxed(`${type}.options.checkpoint`, checkpoint)
  const own = new Map<string, Relaxed | undefined>()
  for (const [method, policy] of Object.entries(checkpointPerMethod)) {
    const option = `${type}.options.checkpointPerMethod`
    if (!methods.has(method))
      throw new BadInputError(`${option} names ${method}, which is not a method of ${type}`)
    own.set(method, relaxed(`${option}.${method}`, policy))
  }
  return (method) => (own.has(method) ? own.get(method) : all)
}

function relaxed(option: string, policy: CheckpointPolicy): Relaxed | undefined {
  if (policy === 'every-call') return undefined
  if (policy === 'manual') return { everyMs: Number.POSITIVE_INFINITY, everyCalls: Number.POSITIVE_INFINITY }
  const wrong = new BadInputError(
    `${option} is ${JSON.stringify(policy)}: 'every-call', 'manual', or { everyMs, everyCalls } with one of them or both, whole numbers from 1`,
  )
  if (typeof policy !== 'object' || policy === null) throw wrong
  const { everyMs, everyCalls, ...rest } = policy
  const given = [everyMs, everyCalls].filter((value) => value !== undefined)
  if (given.length === 0 || Object.keys(rest).length > 0) throw wrong
  if (!given.every((value) => Number.isSafeInteger(value) && value >= 1)) throw wrong
  return { everyMs: everyMs ?? Number.POSITIVE_INFINITY, everyCalls: everyCalls ?? Number.POSITIVE_INFINITY }
}
