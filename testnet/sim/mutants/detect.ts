// Runs one detector in a sandbox and says what it saw. Only a broken promise is a catch: a test that says so, or a run
// of the simulator. A program that falls over, or hangs, shows that a patch broke something, and not that it was seen.

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Detector } from './mutant.ts'
import type { Sandbox } from './sandbox.ts'
import type { FailedSeed } from './seeds.ts'

export type Seen =
  | { readonly kind: 'nothing'; readonly after: string }
  | { readonly kind: 'violation'; readonly by: string; readonly after: string; readonly what: string }
  /** It fell over or did not end. */
  | { readonly kind: 'crash'; readonly by: string; readonly what: string }

/** What a seed takes on a slow and busy machine; most take a tenth of it. */
const SEED_TIMEOUT_MS = 5000
const TEST_TIMEOUT_MS = 300_000
/** A store that was used wrongly, and stopped its peer. */
const FAILED_DISK = /^(Error: )?peer-\d+ failed:/
const RESULT = 'vitest-result.json'
const FELL_OVER =
  /\b(TypeError|ReferenceError|SyntaxError|RangeError)\b|timed out in \d+ms|Cannot find (module|package)/

/** A patched module that can't be loaded would be "noticed" by everything. */
export async function loads(sandbox: Sandbox, files: readonly string[]): Promise<string | undefined> {
  const script = files.map((file) => `await import(${JSON.stringify(join(sandbox.root, file))})`).join(';')
  const { code, output } = await sandbox.node(['--input-type=module', '--eval', script], 30_000)
  return code === 0 ? undefined : output
}

/** Seeds `first` to `last` that fail, all of them. Ones that did not end in time are not among them. */
export async function failingSeeds(sandbox: Sandbox, first: number, last: number): Promise<FailedSeed[]> {
  return (await runSeeds(sandbox, first, last, ['--all'])).failed
}

/** The first of the seeds in which a promise is broken, without those in `but`. */
export async function trySeeds(sandbox: Sandbox, seeds: number, but: ReadonlySet<number>): Promise<Seen> {
  let steps = 0
  let crash: Seen | undefined
  for (let first = 1; first <= seeds; ) {
    const { failed, ended } = await runSeeds(sandbox, first, seeds)
    for (const { seed, outcome, problems, steps: own } of failed) {
      first = seed + 1
      steps += own
      const what = problems.join('\n')
      const broken = problems.find((problem) => !FAILED_DISK.test(problem) && !FELL_OVER.test(problem))
      if (but.has(seed)) continue
      if (outcome === 'crash' || broken === undefined) crash ??= { kind: 'crash', by: `seed ${seed}`, what }
      else
        return {
          kind: 'violation',
          by: `seed ${seed}: ${outcome}, ${said(broken)}`,
          after: `${seed} seeds, ${steps} events`,
          what,
        }
    }
    if (!ended) return { kind: 'crash', by: `a seed from ${first} on`, what: 'it did not end in time' }
    const last = failed.at(-1)
    if (last === undefined || last.outcome === 'crash') break
  }
  return crash ?? { kind: 'nothing', after: `${seeds} seeds` }
}

/** What a problem is about: its first line without times, peers and logs. */
export const said = (problem: string): string =>
  problem
    .split('\n', 1)[0]!
    .replace(/^[\d.]+ /, '')
    .replace(/peer-\d+(\/[0-9a-f]+)?(#[\w.]+)?/g, '…')
    .replace(/\b[0-9a-f]{6,64}\b/g, '…')
    .slice(0, 80)

async function runSeeds(sandbox: Sandbox, first: number, last: number, args: readonly string[] = []) {
  const script = 'testnet/sim/mutants/seeds.ts'
  const timeoutMs = 30_000 + SEED_TIMEOUT_MS * (last - first + 1)
  const { code, output } = await sandbox.node([script, String(first), String(last), ...args], timeoutMs)
  const lines = output.split('\n').filter((line) => line.startsWith('{'))
  return { failed: lines.map((line) => JSON.parse(line) as FailedSeed), ended: code === 0 }
}

interface VitestResult {
  readonly testResults: readonly {
    readonly message: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

export async function runTest(sandbox: Sandbox, { file, title }: Detector): Promise<Seen> {
  const name = title ?? file
  const resultFile = join(sandbox.root, RESULT)
  rmSync(resultFile, { force: true })
  const args = ['run', file, '--bail=1', '--reporter=json', `--outputFile=${resultFile}`]
  if (title !== undefined) args.push('--testNamePattern', literal(title))
  const { code, output } = await sandbox.node(['node_modules/vitest/vitest.mjs', ...args], TEST_TIMEOUT_MS)
  if (code === null) return { kind: 'crash', by: name, what: `it did not end within ${TEST_TIMEOUT_MS} ms` }
  const results = readResult(resultFile)
  if (results === undefined) return { kind: 'crash', by: name, what: output }
  const ran = results.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'passed' || status === 'failed'),
  )
  const failed = ran.find(({ status }) => status === 'failed')
  if (failed !== undefined) {
    const what = failed.failureMessages.join('\n')
    if (FELL_OVER.test(what) || FAILED_DISK.test(what)) return { kind: 'crash', by: failed.title, what }
    return { kind: 'violation', by: failed.title, after: counted(ran.length), what }
  }
  if (code !== 0)
    return { kind: 'crash', by: name, what: results.map(({ message }) => message).join('\n') || output }
  if (ran.length === 0) throw new Error(`${file} has no test “${title}”`)
  return { kind: 'nothing', after: counted(ran.length) }
}

const counted = (tests: number): string => (tests === 1 ? '1 test' : `${tests} tests`)

function readResult(path: string): VitestResult['testResults'] | undefined {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as VitestResult).testResults
  } catch {
    return undefined
  }
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
