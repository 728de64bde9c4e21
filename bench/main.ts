// Measurements of real processes on this machine, each beside its floor in the same run.
//
//   npm run bench                         every case
//   npm run bench -- durable reads        some of them
//   npm run bench -- --list               what there is
//   npm run bench -- --json > bench.json  rows as JSON; what is going on goes to stderr
//
// --rounds <n> (3)    every subject is measured so often, in turn with the others
// --for-ms <ms> (700) one measurement of calls in a loop
// --warm-up-ms <ms> (3000) so long each subject that is called in a loop is called before it counts
//
// Tables show the median of the rounds and, in brackets, what they were between. Exit 1 when a case failed.

import { cpus, loadavg, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { CASES } from './cases.ts'
import { type Case, type Row, runCase } from './harness/case.ts'
import { tables } from './harness/table.ts'

interface Result {
  readonly case: string
  readonly seconds: number
  /** Processes that wanted the processors in the minute before the case, and in the one before its end. */
  readonly load: { readonly before: number; readonly after: number }
  readonly rows: readonly Row[]
  readonly error?: string
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const wholeNumber = (name: string, text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} ${text}: give a whole number from 1 on, such as --${name} 3`)
  return value
}

async function measure(
  it: Case,
  options: { rounds: number; forMs: number; warmUpMs: number },
): Promise<Result> {
  say(`— ${it.name}: ${it.about}`)
  const since = performance.now()
  const before = loadavg()[0] ?? 0
  const done = (rows: readonly Row[]): Result => ({
    case: it.name,
    seconds: Math.round((performance.now() - since) / 1000),
    load: { before, after: loadavg()[0] ?? 0 },
    rows,
  })
  try {
    return done(await runCase(it, { ...options, say: (line) => say(`  ${line}`) }))
  } catch (error) {
    return { ...done([]), error: error instanceof Error ? (error.stack ?? error.message) : `${error}` }
  }
}

function printed({ case: name, seconds, load, rows, error }: Result): string {
  const title = `## ${name}: ${CASES.find((each) => each.name === name)?.about}`
  const how = `${seconds} s, load ${load.before.toFixed(1)} to ${load.after.toFixed(1)}`
  return [title, error === undefined ? tables(rows) : `FAILED: ${error}`, how].join('\n\n')
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      'for-ms': { type: 'string', default: '700' },
      'warm-up-ms': { type: 'string', default: '3000' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  })
  const list = CASES.map(({ name, about }) => `${name.padEnd(16)}${about}`).join('\n')
  if (values.list) {
    process.stdout.write(`${list}\n`)
    return
  }
  const unknown = positionals.filter((name) => !CASES.some((each) => each.name === name))
  if (unknown.length > 0) throw new Error(`no case is called ${unknown.join(', ')}; there are:\n${list}`)
  const options = {
    rounds: wholeNumber('rounds', values.rounds),
    forMs: wholeNumber('for-ms', values['for-ms']),
    warmUpMs: wholeNumber('warm-up-ms', values['warm-up-ms']),
  }
  const [cpu] = cpus()
  const machine = {
    processors: cpus().length,
    model: cpu?.model.trim() ?? '',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
  }
  const results: Result[] = []
  if (!values.json)
    process.stdout.write(
      `${machine.processors} × ${machine.model}, ${machine.memoryGiB} GiB, ${machine.system}, node ${machine.node}\n`,
    )
  for (const it of CASES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    const result = await measure(it, options)
    results.push(result)
    if (!values.json) process.stdout.write(`\n${printed(result)}\n`)
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, ...options, results }, null, 2)}\n`)
  process.exitCode = results.every(({ error }) => error === undefined) ? 0 : 1
}

await main().catch((error: Error) => {
  say(error.message)
  process.exitCode = 2
})
