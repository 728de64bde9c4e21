// What a command is: one entry of the table in commands.ts, one file each.

import type { Command } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import type { Io, Services } from './io.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly dataDir: string
  readonly json: boolean
  readonly verbose: boolean
}

export interface CommandSpec {
  /** The name and its arguments, as commander reads them: `call <actor> <method> [args...]`. */
  readonly usage: string
  readonly summary: string
  /** What else `mesh help <command>` says. */
  readonly details?: string
  /** `mesh <command> <subcommand>`; without one of them, `run`. */
  readonly subcommands?: readonly CommandSpec[]
  /** Adds the command's own options. */
  options?(command: Command): void
  /** Resolves with the exit code; nothing means 0. Errors become one line and a code (errors.ts, exit-codes.ts). */
  run(run: Run): Promise<ExitCode | undefined>
}

/** One run of a command. */
export interface Run {
  readonly args: readonly (string | readonly string[])[]
  options<Options extends CommonOptions>(): Options
  readonly io: Io
  readonly services: Services
  /** Prints `value` as JSON with --json, else the text. */
  print(value: unknown, text: () => string): void
}

/** An option's value when it may be given several times. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
]

export const argument = (run: Run, index: number): string => {
  const value = run.args[index]
  if (typeof value !== 'string') throw new TypeError(`argument ${index} is missing`) // commander checked it
  return value
}
