// What a type says of its isolation, checked.

import { z } from 'zod'
import { BadInputError } from '../errors.ts'
import { moduleOf } from './modules.ts'
import type { ActorClass, ActorOptionsInput } from './types.ts'

export interface Isolation {
  /** URL of the module that exports the class; undefined where nobody said. */
  readonly module: string | undefined
  readonly unresponsiveMs: number
  readonly memoryMb: number | undefined
}

/** Longer than any method should go without an await, short against what a hanging actor costs its callers. */
const UNRESPONSIVE_MS = 5000
/** A busy machine may keep a thread from running for this long. */
const MIN_UNRESPONSIVE_MS = 250
/** Less is no room for the runtime itself. */
const MIN_MEMORY_MB = 16

const schema = z.strictObject({
  worker: z.union([z.instanceof(URL), z.url()]).optional(),
  unresponsiveMs: z
    .number()
    .min(MIN_UNRESPONSIVE_MS)
    .max(2 ** 31 - 1)
    .default(UNRESPONSIVE_MS),
  memoryMb: z.int().min(MIN_MEMORY_MB).optional(),
})

/** Throws BadInputError. */
export function isolationOf(name: string, type: ActorClass, input: ActorOptionsInput): Isolation | undefined {
  if (input.isolation === undefined) return undefined
  const parsed = schema.safeParse(input.isolation === 'worker' ? {} : input.isolation)
  if (!parsed.success)
    throw new BadInputError(
      `${name}.options.isolation is none: write 'worker', or { worker: new URL('./its-module.js', import.meta.url), unresponsiveMs: at least ${MIN_UNRESPONSIVE_MS}, memoryMb: at least ${MIN_MEMORY_MB} }, each of them optional`,
    )
  const { worker, unresponsiveMs, memoryMb } = parsed.data
  return { module: worker === undefined ? moduleOf(type) : String(worker), unresponsiveMs, memoryMb }
}

/** Throws BadInputError where a class is to run that no worker could load. */
export function checkModule(name: string, isolation: Isolation | undefined): void {
  if (isolation !== undefined && isolation.module === undefined)
    throw new BadInputError(
      `${name} asks for a worker, which has to load its class again, and nobody says from where: set options.isolation to { worker: new URL('./its-module.js', import.meta.url) }`,
    )
}
