// npm run sim:mutants: plants each bug of the catalogue in a copy of the sources and has it found, by random seeds of the
// simulator first, and by tests where those don't see it.
//
//   --only a,b   these mutants only
//   --seeds n    random seeds for each (default 60)
//   --json       one JSON document instead of the table
//   --workers n  copies to work in at a time (default 2)
//
// The exit code is 1 when one was not caught, when a patch does not fit any more, or when a test or a seed fails on the
// sources as they are.

import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MUTANTS } from './catalogue/index.ts'
import { failingSeeds, loads, runTest, type Seen, trySeeds } from './detect.ts'
import type { Detector, Mutant } from './mutant.ts'
import { Sandbox } from './sandbox.ts'
import { type Row, table } from './table.ts'

const PROJECT = fileURLToPath(new URL('../../..', import.meta.url))

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
  },
})

const wanted = values.only?.split(',')
const unknown = wanted?.filter((name) => !MUTANTS.some((mutant) => mutant.name === name)) ?? []
if (unknown.length > 0) throw new Error(`no such mutant: ${unknown.join(', ')}`)
const chosen = MUTANTS.filter(({ name }) => wanted?.includes(name) ?? true)
const seeds = Number(values.seeds)

const say = (text: string): void => void process.stderr.write(`${text}\n`)
const sandboxes = Array.from({ length: Math.max(1, Number(values.workers)) }, () => new Sandbox(PROJECT))
const clear = (): void => {
  for (const sandbox of sandboxes) sandbox.remove()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    clear()
    process.exit(1)
  })

try {
  for (const { patch } of chosen) {
    sandboxes[0]!.apply(patch)
    sandboxes[0]!.restore()
  }
  await testsAreGreen()
  const redSeeds = await redWithoutABug()
  const rows = await shared(chosen, (mutant, sandbox) => hunt(mutant, sandbox, redSeeds))
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
  if (rows.some(({ by }) => by === undefined) || redSeeds.size > 0) process.exitCode = 1
} finally {
  clear()
}

/** A test that fails without any bug catches nothing. */
async function testsAreGreen(): Promise<void> {
  const tests = new Map<string, Detector>()
  for (const test of chosen.flatMap((mutant) => mutant.tests)) tests.set(JSON.stringify(test), test)
  await shared([...tests.values()], async (test, sandbox) => {
    const seen = await runTest(sandbox, test)
    if (seen.kind !== 'nothing') throw new Error(`“${seen.by}” fails without any planted bug:\n${seen.what}`)
  })
  say(`${tests.size} tests are green on the sources as they are`)
}

/** Seeds that fail without any bug: they show one that nobody planted, and catch none. */
async function redWithoutABug(): Promise<ReadonlySet<number>> {
  if (chosen.every(({ beyondSeeds }) => beyondSeeds !== undefined) || seeds === 0) return new Set()
  const share = Math.ceil(seeds / sandboxes.length)
  const parts = sandboxes.map((_, part) => part * share + 1)
  const failed = await shared(parts, (first, sandbox) =>
    failingSeeds(sandbox, first, Math.min(seeds, first + share - 1)),
  )
  for (const { seed, outcome, problems } of failed.flat())
    say(`seed ${seed} fails without any planted bug: ${outcome}, ${problems[0]?.split('\n', 1)[0]}`)
  return new Set(failed.flat().map(({ seed }) => seed))
}

async function hunt(mutant: Mutant, sandbox: Sandbox, redSeeds: ReadonlySet<number>): Promise<Row> {
  const began = performance.now()
  const { name, rule, breaks, beyondSeeds } = mutant
  const row = (rest: Partial<Row>): Row => {
    const seconds = Math.round((performance.now() - began) / 100) / 10
    say(`${name}: ${rest.by ?? 'NOT CAUGHT'} (${rest.after ?? ''}, ${seconds} s)`)
    return { name, rule, breaks, seconds, ...rest }
  }
  sandbox.apply(mutant.patch)
  try {
    const broken = await loads(sandbox, [...new Set(mutant.patch.map(({ file }) => file))])
    if (broken !== undefined) return row({ why: `the patched source does not load: ${broken}` })
    const attempts = mutant.tests.map((test) => () => runTest(sandbox, test))
    if (beyondSeeds === undefined && seeds > 0) attempts.unshift(() => trySeeds(sandbox, seeds, redSeeds))
    const seen: Seen[] = []
    for (const attempt of attempts) {
      const result = await attempt()
      if (result.kind === 'violation') return row({ by: result.by, after: result.after, what: result.what })
      seen.push(result)
    }
    const crashes = seen.flatMap((each) => (each.kind === 'crash' ? [`${each.by}: ${each.what}`] : []))
    return row({ why: ['nothing broke a promise', ...crashes].join('\n') })
  } finally {
    sandbox.restore()
  }
}

/** Spreads the work over the sandboxes; the results come in the order of the items. */
async function shared<Item, Result>(
  items: readonly Item[],
  work: (item: Item, sandbox: Sandbox) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  await Promise.all(
    sandboxes.map(async (sandbox) => {
      for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!, sandbox)
    }),
  )
  return results
}
