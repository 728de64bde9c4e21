// The recorded transcripts still tell what happens, and a mistake in one is told with its line.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pathOf, transcripts } from './transcript/files.ts'
import { replay } from './transcript/replay.ts'
import { parseScript } from './transcript/script.ts'

describe('transcripts', () => {
  for (const name of transcripts())
    test(`${name}: replays as recorded`, async () => {
      const recorded = readFileSync(pathOf(name), 'utf8')
      expect((await replay(name, recorded)).split('\n')).toEqual(recorded.split('\n'))
    })
})

describe('reading a transcript', () => {
  const preamble = 'A title\n\nWhat could go wrong.\n\n'
  const mistake = (text: string): string => {
    try {
      parseScript('file', text)
      return ''
    } catch (error) {
      return String(error)
    }
  }

  test.each([
    ['\n> start a', 'file, line 1: the first line is the title'],
    ['A title\n\n> start a', 'file, line 2: after the title comes what could go wrong'],
    ['A title\n\nNothing happens.', 'file, line 3: there is no step'],
    [`${preamble}> start a\nkill a`, 'file, line 6: expected a step'],
    [`${preamble}> kill Bob`, 'file, line 5: "kill Bob" is no step; did you mean: kill a b c'],
    [`${preamble}> jump`, 'file, line 5: "jump" is no step; there are: quietly <step> · start a b c'],
    [`${preamble}> wait until a sleeps`, 'file, line 5: "a sleeps" is no condition; did you mean: head is a'],
    [`${preamble}> lose bread to a`, 'file, line 5: "bread" is no kind of message; there are: seal'],
    [`${preamble}> show app bread`, 'file, line 5: "bread" is no kind of message'],
    [`${preamble}> call a visits.add(one)`, 'file, line 5: the arguments of add(one) are not JSON'],
    [`${preamble}> when a sends seal: hop`, 'file, line 5: "hop" is no step'],
    [`${preamble}> with tickle 3`, 'file, line 5: "tickle" is no setting of the mesh that is a number'],
  ])('%j: %s', (text, told) => expect(mistake(text)).toContain(told))

  test('what was recorded is not kept, everything else is', () => {
    const { title, lines } = parseScript(
      'file',
      `${preamble}> start a\n      3  a is admitted\n# so\n\n> kill a\n`,
    )
    expect(title).toBe('A title')
    expect(lines.map(({ text }) => text).join('\n')).toBe(`${preamble}> start a\n# so\n\n> kill a\n`)
    expect(lines.flatMap(({ step }) => (step ? [step.kind] : []))).toEqual(['start', 'kill'])
  })
})

describe('performing a transcript', () => {
  const run = (steps: string) => replay('file', `A title\n\nWhat could go wrong.\n\n${steps}`)

  test.each([
    [
      '> call a visits.add()',
      'line 5: > call a visits.add(): the first step that needs peers must be: start a b c',
    ],
    ['> start a\n> kill b', 'line 6: > kill b: b is not running'],
    ['> start a\n> start a', 'line 6: > start a: a is running already'],
    ['> start a\n> expect head is b', 'line 6: > expect head is b: it does not hold'],
    ['> start a\n> call a visits.add()\n> expect visits is 2', 'line 7: > expect visits is 2: visits is 1'],
    ['> start a\n> when a sends seal: kill a', 'line 6: it never came to "when …: kill a"'],
  ])('%j: %s', (steps, told) => expect(run(steps)).rejects.toThrow(told))
})
