// The command line's entry: builds the commands from their table, runs one, turns errors into a line and an exit code.

import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { ControlClient } from '../node/control/client.ts'
import type { CommandSpec, CommonOptions, Run } from './command.ts'
import { COMMANDS } from './commands.ts'
import { viewError } from './errors.ts'
import { EXIT, EXIT_CODE_TABLE, type ExitCode, exitCodeOf } from './exit-codes.ts'
import { type Io, processIo, type Services } from './io.ts'

/** Where commands look for a node when neither --data-dir nor MESH_DATA_DIR says otherwise. */
export const DEFAULT_DATA_DIR = './mesh-data'

/** Long enough for an answer that is on its way out. */
const EXIT_GRACE_MS = 1_000

const realServices: Services = {
  // Loaded only by the command that needs it: the others stay fast.
  createNode: async (options) => (await import('../node/index.ts')).createNode(options),
  control: (dataDir) => new ControlClient(dataDir),
}

/** Called by bin/mesh.mjs. Sets the process's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok) // `mesh actors | head`
    throw error
  })
  process.exitCode = await run(argv, processIo(), realServices)
  // Normally nothing is left to wait for; what a closed node may have forgotten must not hold the command open.
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref()
}

/** Runs one command line (without `node` and the script) and resolves with its exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io, services: Services): Promise<ExitCode> {
  const flags = { verbose: argv.includes('--verbose'), json: argv.includes('--json') }
  let exitCode: ExitCode = EXIT.ok
  const program = newProgram(io)
  for (const spec of COMMANDS) {
    addCommand(program, spec, io, services, async (spec, run) => {
      exitCode = (await spec.run(run)) ?? EXIT.ok
    })
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return afterCommander(error)
    return report(error, io, flags)
  }
}

function newProgram(io: Io): Command {
  return new Command('mesh')
    .description('Actors that outlive the machine they run on: an embedded peer-to-peer mesh.')
    .version(version(), '--version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      outputError: (text, write) =>
        write(
          `mesh: ${text
            .replace(/^error: /, '')
            .trim()
            .replace(/\s*\n\s*/g, ' ')}\n`,
        ),
    })
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_CODE_TABLE.map(([code, text]) => `  ${String(code).padStart(3)}  ${text}\n`).join('')}`,
    )
}

function addCommand(
  parent: Command,
  spec: CommandSpec,
  io: Io,
  services: Services,
  action: (spec: CommandSpec, run: Run) => Promise<void>,
): void {
  const dataDir = io.env['MESH_DATA_DIR'] || DEFAULT_DATA_DIR
  const command = parent
    .command(spec.usage)
    .summary(spec.summary)
    .description(spec.details === undefined ? spec.summary : `${spec.summary}\n\n${spec.details}`)
    .option('--data-dir <dir>', "the peer's data directory; also MESH_DATA_DIR", dataDir)
    .option('--json', 'print JSON for programs', false)
    .option('--verbose', 'say more, with stack traces of errors', false)
  spec.options?.(command)
  // What stands behind a subcommand's name is the subcommand's.
  if (spec.subcommands !== undefined) command.enablePositionalOptions()
  for (const each of spec.subcommands ?? []) addCommand(command, each, io, services, action)
  command.action(async () => {
    const options = command.opts<CommonOptions>()
    await action(spec, {
      args: command.processedArgs,
      options: <Options extends CommonOptions>() => command.opts<Options>(),
      io,
      services,
      print: (value, text) => io.out(options.json ? `${JSON.stringify(value, null, 2)}\n` : text()),
    })
  })
}

/** Commander has printed its line already; asking for help or the version is no error. */
const afterCommander = (error: CommanderError): ExitCode => (error.exitCode === 0 ? EXIT.ok : EXIT.usage)

function report(
  error: unknown,
  io: Io,
  flags: { readonly verbose: boolean; readonly json: boolean },
): ExitCode {
  const view = viewError(error)
  if (flags.json) io.err(`${JSON.stringify({ error: { code: view.code, message: view.line } })}\n`)
  else io.err(`mesh: ${view.line}\n`)
  if (flags.verbose && view.stack !== undefined) io.err(`${view.stack}\n`)
  return exitCodeOf(view.code, view.thrown)
}

function version(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<
        string,
        string
      >
      if (name === 'actor-mesh' && version !== undefined) return version
    } catch {
      // The sources lie one level higher than the built files.
    }
  }
  return 'unknown'
}
