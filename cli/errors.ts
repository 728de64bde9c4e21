// Errors as people see them: one line that says what to do, and with --verbose where it came from.

import { ControlError, errorToWire } from '../node/control/wire.ts'

/** A wrong flag, argument or value. */
export class UsageError extends Error {
  readonly code = 'USAGE'
}

/** The actors module cannot be used. */
export class ActorsModuleError extends Error {
  readonly code = 'ACTORS_MODULE'
}

export interface ErrorView {
  readonly code: string
  /** One line. */
  readonly line: string
  /** A method's own error: its code is none of ours. */
  readonly thrown: boolean
  readonly stack?: string
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim()

export function viewError(error: unknown): ErrorView {
  const wire = error instanceof ControlError ? error.wire : errorToWire(error)
  const named = wire.className !== undefined && !wire.message.includes(wire.className)
  const line = oneLine(named ? `${wire.className}: ${wire.message}` : wire.message)
  return {
    code: wire.code,
    line,
    thrown: wire.className !== undefined,
    ...(wire.stack !== undefined && { stack: wire.stack }),
  }
}
