// `npm run sim:scale`: what a mesh's size costs each of its peers. docs/scale.md says how to read it.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { Crowd, type CrowdCost, type CrowdResult, type Range } from './crowd.ts'
import { viewMemory } from './view-memory.ts'
import { runWhole, type WholeResult } from './whole.ts'

const EXIT = { ok: 0, crash: 3, usage: 64 } as const

interface Options {
  readonly sizes: readonly number[]
  readonly seed: number
  readonly loss: number
  readonly deaths: number
  readonly steady: number
  readonly tables: 'shared' | 'own'
  readonly whole: readonly number[]
  readonly json?: true
}

interface Row {
  readonly result: CrowdResult
  readonly cost: CrowdCost & { readonly viewBytes: number }
}

const number =
  (least: number, most: number, whole = true) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value)))
      return value
    throw new InvalidArgumentError(`It must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`)
  }
// Above it a table is full (MAX_MEMBERS), below it nobody is there to confirm anything.
const size = number(4, 20_000)

const parse = (argv: readonly string[]): Options =>
  new Command('npm run sim:scale --')
    .description(
      'Simulates the membership of large meshes in virtual time, and tells what their size costs a peer.',
    )
    .addOption(
      new Option('--sizes <list>', 'members, with commas between')
        .argParser((text) => text.split(',').map(size))
        .default([100, 1000], '100,1000'),
    )
    .addOption(
      new Option('--seed <seed>', 'decides all that happens').argParser(number(0, 2 ** 31)).default(1),
    )
    .addOption(
      new Option('--loss <share>', 'of messages that never arrive')
        .argParser(number(0, 0.5, false))
        .default(0.01),
    )
    .addOption(new Option('--deaths <n>', 'peers that fall silent').argParser(number(0, 50)).default(3))
    .addOption(
      new Option('--steady <s>', 'seconds in which nobody dies').argParser(number(1, 300)).default(30),
    )
    .addOption(
      new Option(
        '--tables <kind>',
        'shared: what no peer saw change is in memory once; own: as real peers have it',
      )
        .choices(['shared', 'own'])
        .default('shared'),
    )
    .addOption(
      new Option('--whole <list>', 'sizes to run with the registry and its head, too; at most some hundreds')
        .argParser((text) => text.split(',').map(number(5, 1000)))
        .default([], 'none'),
    )
    .addOption(new Option('--json', 'one JSON object at the end, instead of text'))
    .exitOverride()
    .parse([...argv], { from: 'user' })
    .opts<Options>()

type Column<Line> = readonly [string, (line: Line) => string]

const COLUMNS: readonly Column<Row>[] = [
  ['members', ({ result }) => String(result.size)],
  ['messages/s', ({ result }) => result.messages.toFixed(2)],
  ['bytes/s', ({ result }) => result.bytes.toFixed(0)],
  ['busiest/s', ({ result }) => result.busiest.toFixed(1)],
  ['per death', ({ result }) => result.messagesPerDeath.toFixed(1)],
  ['detect ms', ({ result }) => ms(result.detectMs)],
  ['known ms', ({ result }) => ms(result.knownMs)],
  ['spread ms', ({ result }) => ms(result.spreadMs)],
  ['missed', ({ result }) => String(result.missed)],
  ['false deaths', ({ result }) => String(result.falseDeaths)],
  ['false suspects', ({ result }) => String(result.falseSuspicions)],
  ['head changes', ({ result }) => result.headChanges.toFixed(3)],
  ['view KB', ({ cost }) => (cost.viewBytes / 1000).toFixed(0)],
  ['CPU ms/s', ({ cost }) => cost.cpuMs.toFixed(3)],
  ['took s', ({ cost }) => (cost.tookMs / 1000).toFixed(0)],
]

const ms = ({ p50, p99, max }: Range): string => [p50, p99, max].map((each) => each.toFixed(0)).join('/')

const WHOLE_COLUMNS: readonly Column<WholeResult>[] = [
  ['members', ({ size }) => String(size)],
  ['messages/s', ({ messages }) => messages.toFixed(2)],
  ['of the head/s', ({ headMessages }) => headMessages.toFixed(0)],
  ['needless terms', ({ needlessTerms }) => String(needlessTerms)],
  ['taken over ms', ({ takenOverMs }) => takenOverMs.toFixed(0)],
  ['followed ms', ({ followedMs }) => followedMs.toFixed(0)],
  ['terms', ({ terms }) => String(terms)],
  ['facts sent to meet', ({ factsToMeet }) => factsToMeet.toFixed(0)],
]

function table<Line>(columns: readonly Column<Line>[], rows: readonly Line[]): string {
  const cells = columns.map(([name, of]) => [name, ...rows.map(of)])
  const widths = cells.map((column) => Math.max(...column.map(({ length }) => length)))
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    cells.map((column, at) => column[line]!.padStart(widths[at]!)).join('  '),
  ).join('\n')
}

async function main(): Promise<number> {
  const { sizes, whole, json, ...options } = parse(process.argv.slice(2))
  const { seed, loss, deaths, steady, tables } = options
  const rows: Row[] = []
  for (const members of sizes) {
    const viewBytes = viewMemory(members, seed)
    const crowd = new Crowd({ size: members, seed, loss, deaths, steadyMs: steady * 1000, tables })
    const { result, cost } = await crowd.run()
    rows.push({ result, cost: { ...cost, viewBytes } })
    if (!json) process.stdout.write(`${members} members: ${kinds(result)}\n`)
  }
  if (!json) process.stdout.write(`${table(COLUMNS, rows)}\n`)
  const wholes: WholeResult[] = []
  for (const members of whole)
    wholes.push(await runWhole({ size: members, seed, loss, steadyMs: steady * 1000 }))
  if (json) process.stdout.write(`${JSON.stringify({ options, rows, wholes })}\n`)
  else if (wholes.length > 0)
    process.stdout.write(`\nwith the registry and its head:\n${table(WHOLE_COLUMNS, wholes)}\n`)
  return EXIT.ok
}

const kinds = ({ messagesByKind, bytesByKind }: CrowdResult): string =>
  Object.entries(messagesByKind)
    .map(([kind, messages]) => `${kind} ${messages.toFixed(3)}/s ${bytesByKind[kind]!.toFixed(0)} B/s`)
    .join(', ')

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
}
