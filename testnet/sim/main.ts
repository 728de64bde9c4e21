// `npm run sim`: many seeds over several processes, one report. docs/simulator.md says how to read it.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { SeedPool } from './swarm/pool.ts'
import { Report } from './swarm/report.ts'
import { runSeed } from './swarm/run-seed.ts'

/** A violated promise weighs more than an exception, and that more than something that came too late. */
const EXIT = { ok: 0, safety: 1, liveness: 2, crash: 3, usage: 64, interrupted: 130 } as const

const PROGRESS_EVERY_MS = 60_000

interface Options {
  readonly seeds: number
  readonly first: number
  readonly seed?: number
  readonly trace?: true
  readonly workers: number
  readonly json?: true
}

const integer =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 32) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${2 ** 32 - 1}.`)
  }

function parse(argv: readonly string[]): Options {
  const program = new Command('npm run sim --')
    .description(
      'Simulates whole meshes under random faults. One seed decides everything that happens in its run.',
    )
    .addOption(new Option('--seeds <n>', 'how many seeds to run').argParser(integer(1)).default(1000))
    .addOption(new Option('--first <seed>', 'the first of them').argParser(integer(0)).default(1))
    .addOption(
      new Option('--seed <seed>', 'run this one alone').argParser(integer(0)).conflicts(['seeds', 'first']),
    )
    .addOption(new Option('--trace', 'with --seed: tell everything that happens, with its virtual time'))
    .addOption(new Option('--workers <n>', 'processes to run in').argParser(integer(1)).default(2))
    .addOption(new Option('--json', 'one JSON object at the end, instead of text'))
    .exitOverride()
    .parse([...argv], { from: 'user' })
  const options = program.opts<Options>()
  if (options.trace && options.seed === undefined)
    program.error('error: --trace tells of one run: name it with --seed', { exitCode: EXIT.usage })
  return options
}

async function main(): Promise<number> {
  const options = parse(process.argv.slice(2))
  const { seed, json } = options
  const first = seed ?? options.first
  const last = seed ?? options.first + options.seeds - 1
  const report = new Report()
  const print = (text: string): void => void process.stdout.write(`${text}\n`)
  const say = (text: string): void => {
    if (!json && text !== '') print(text)
  }
  say(`seeds ${first} to ${last}`)
  let isWhole = true
  if (seed === undefined) {
    const pool = new SeedPool(Math.min(options.workers, last - first + 1))
    const progress = setInterval(() => console.error(report.progress(last - first + 1)), PROGRESS_EVERY_MS)
    process.once('SIGINT', () => pool.stop())
    await pool.run(first, last, (result) => say(report.add(result)))
    clearInterval(progress)
    isWhole = !pool.isStopped
  } else {
    const trace = options.trace ? { trace: say } : {}
    say(report.add(await runSeed(seed, trace)))
  }
  print(json ? JSON.stringify(report.toJson(first, last)) : report.summary())
  return isWhole || report.outcome !== 'ok' ? EXIT[report.outcome] : EXIT.interrupted
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
}
