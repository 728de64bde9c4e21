// Runs seeds of the simulator one after the other, in a process of its own, and prints a line of JSON for each that
// fails:  node seeds.ts <first> <last> [--all]. Without --all it ends at the first that broke a promise.

import { runSeed, type SeedResult } from '../swarm/run-seed.ts'

export interface FailedSeed extends Pick<SeedResult, 'seed' | 'outcome' | 'problems'> {
  /** Events of all seeds so far. */
  readonly steps: number
}

const [first, last, mode] = process.argv.slice(2)
let steps = 0
for (let seed = Number(first); seed <= Number(last); seed++) {
  const { outcome, problems, steps: own } = await runSeed(seed)
  steps += own
  if (outcome === 'ok') continue
  const failed: FailedSeed = { seed, outcome, problems, steps }
  process.stdout.write(`${JSON.stringify(failed)}\n`)
  if (mode !== '--all' && outcome !== 'crash') break
}
