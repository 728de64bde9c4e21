// The log of `mesh node`: pino either way. With --json its lines as they are; for people a time and the message.

import { type Logger, pino } from 'pino'
import type { Io } from './io.ts'
import { printable } from './output.ts'

const WARN = 40

export interface NodeLog {
  /** What the command itself tells. */
  readonly tell: Logger
  /** For the node: warnings, and with --verbose everything. */
  readonly library: Logger
}

export function nodeLog(io: Io, options: { readonly json: boolean; readonly verbose: boolean }): NodeLog {
  const write = options.json ? (line: string) => io.out(line) : (line: string) => io.out(forPeople(line))
  const logger = pino({ level: options.verbose ? 'debug' : 'info', base: null }, { write })
  return {
    tell: logger,
    library: logger.child({ from: 'node' }, { level: options.verbose ? 'debug' : 'warn' }),
  }
}

function forPeople(line: string): string {
  const { time, level, msg, err, ...rest } = JSON.parse(line) as {
    time: number
    level: number
    msg?: string
    err?: { message?: string; stack?: string }
  } & Record<string, unknown>
  const clock = new Date(time).toTimeString().slice(0, 8)
  // The node's own lines carry fields that say what its messages leave out; the command's are whole sentences.
  const { from, ...fields } = rest
  const detail = from === 'node' && Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : ''
  const mark = level >= WARN && !msg?.startsWith('warning') ? 'warning: ' : ''
  return `${clock}  ${mark}${printable(msg ?? err?.message ?? '')}${detail}\n`
}
