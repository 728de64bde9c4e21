// Asks the workloads what they make of a history. A workload is somebody's code: what it throws or answers instead of what it
// should is an error that names it.

import { z } from 'zod'
import type { Draw, Operation, Problem, Recorded, Workload } from './workload.ts'

/** A workload that does not work: nothing can be said about the mesh. */
export class WorkloadError extends Error {
  readonly code = 'WORKLOAD'
}

const problems = z.array(
  z.object({ promise: z.enum(['lost', 'twice', 'order', 'conserved']), text: z.string() }),
)
const operation = z.object({
  type: z.string().min(1),
  name: z.string().min(1),
  method: z.string().min(1),
  args: z.array(z.unknown()),
})

export const judge = (
  workloads: readonly Workload[],
  history: readonly Recorded[],
  over: boolean,
): readonly Problem[] =>
  workloads.flatMap((workload) =>
    asked(workload, 'check', problems, 'a list of { promise, text }', () => workload.check(history, over)),
  )

export const nextOf = (workload: Workload, draw: Draw): Operation =>
  asked(workload, 'next', operation, '{ type, name, method, args }', () => workload.next(draw))

export const endsOf = (workload: Workload): readonly Operation[] =>
  asked(workload, 'final', z.array(operation), 'a list of { type, name, method, args }', () =>
    workload.final(),
  )

export const hasRested = (workload: Workload, ends: readonly Recorded[]): boolean =>
  workload.rested === undefined ||
  asked(workload, 'rested', z.boolean(), 'true or false', () => workload.rested!(ends))

function asked<Answer>(
  { name }: Workload,
  method: string,
  shape: z.ZodType<Answer>,
  expected: string,
  ask: () => unknown,
): Answer {
  let answer: unknown
  try {
    answer = ask()
  } catch (error) {
    throw new WorkloadError(`the workload ${name} does not work: its ${method} threw ${describe(error)}`, {
      cause: error,
    })
  }
  const parsed = shape.safeParse(answer)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]?.path.join('.') || 'it'
  throw new WorkloadError(
    `the workload ${name} does not work: its ${method} has to answer with ${expected}, and ${where} is something else`,
  )
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const place = /(?:file:\/\/|\()([^\s()]+:\d+):\d+/.exec(error.stack ?? '')?.[1]
  return `${error.name}: ${error.message}${place === undefined ? '' : ` (${place})`}`
}
