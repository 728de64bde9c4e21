// A planted bug: a rule of the protocol taken out of the source by replacing text. Nothing in the product knows of it.
//
// A rule that several guards protect needs a patch with several hunks: with one guard gone nothing goes wrong, and that
// is no fault of the tests.

export interface Hunk {
  readonly file: string
  /** Occurs exactly once in the file, or the catalogue is wrong. */
  readonly find: string
  readonly replace: string
}

/** A test file, and the title of one of its tests; without a title the whole file. */
export interface Detector {
  readonly file: string
  readonly title?: string
}

export interface Mutant {
  readonly name: string
  /** The rule as cited in the code, with the letter of its file where one is needed. */
  readonly rule: string
  /** What goes wrong, in one sentence. */
  readonly breaks: string
  readonly patch: readonly Hunk[]
  /** Random seeds don't reach it, and why: the tests alone are asked. */
  readonly beyondSeeds?: string
  /** Tests that may notice what the seeds do not: tried in order, the first that fails is the one that caught it. */
  readonly tests: readonly Detector[]
}

/** The text with the hunk applied; throws when it does not occur exactly once. */
export function applyHunk(text: string, { file, find, replace }: Hunk): string {
  const first = text.indexOf(find)
  if (first < 0) throw new Error(`${file} has no such text any more:\n${find}`)
  if (text.indexOf(find, first + 1) >= 0) throw new Error(`${file} has this text more than once:\n${find}`)
  return text.slice(0, first) + replace + text.slice(first + find.length)
}

const SIM = 'testnet/sim'
export const inScenarios = (title?: string): Detector => test(`${SIM}/scenarios.test.ts`, title)
export const inActorScenarios = (title?: string): Detector => test(`${SIM}/actors-scenarios.test.ts`, title)

export const inHomes = (title: string): Detector => test(`${SIM}/actors-homes.test.ts`, title)
export const inRecoveries = (title: string): Detector => test(`${SIM}/recoveries.test.ts`, title)

export function test(file: string, title?: string): Detector {
  return { file, ...(title === undefined ? {} : { title }) }
}
