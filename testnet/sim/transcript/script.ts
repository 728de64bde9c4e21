// What a transcript file is: a preamble for people, then steps (`> kill b`), comments (`# …`), and under each step, indented,
// what the mesh did. Reading a file gives its lines back unchanged except for what was recorded.

import { parseStep, type Step } from './steps.ts'

/** One line of a file that is kept, with the step in it, if it has one. */
export interface ScriptLine {
  readonly number: number
  readonly text: string
  readonly step?: Step
}

export interface Script {
  readonly title: string
  readonly lines: readonly ScriptLine[]
}

export class ScriptError extends Error {
  override name = 'ScriptError'
  constructor(file: string, line: number, problem: string) {
    super(`${file}, line ${line}: ${problem}`)
  }
}

/** Throws a {@link ScriptError} that names the file and the line. */
export function parseScript(file: string, text: string): Script {
  const lines: ScriptLine[] = []
  const all = text.split('\n')
  const first = all.findIndex((line) => line.startsWith('>'))
  const preamble = all.slice(0, first === -1 ? all.length : first)
  const title = preamble[0]?.trim() ?? ''
  const problem = (line: number, what: string) => new ScriptError(file, line, what)
  if (title === '') throw problem(1, 'the first line is the title')
  if (!preamble.slice(1).some((line) => line.trim() !== ''))
    throw problem(2, 'after the title comes what could go wrong, and which rule prevents it')
  if (first === -1) throw problem(all.length, 'there is no step; steps begin with ">"')

  for (const [index, line] of all.entries()) {
    const number = index + 1
    if (index < first || line === '' || line.startsWith('#')) lines.push({ number, text: line })
    else if (line.startsWith('>'))
      lines.push({ number, text: line, step: stepOf(line.slice(1).trim(), number) })
    else if (!line.startsWith('  '))
      throw problem(
        number,
        'expected a step ("> …"), a comment ("# …"), or what was recorded, indented by two',
      )
  }
  return { title, lines }

  function stepOf(words: string, number: number): Step {
    const step = parseStep(words)
    if (typeof step === 'string') throw problem(number, step)
    return step
  }
}
