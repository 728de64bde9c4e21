// The catalogue fits the sources as they are. That each bug is caught is what `npm run sim:mutants` shows.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { MUTANTS } from './catalogue/index.ts'
import { applyHunk } from './mutant.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

test.each(MUTANTS)('$name: its patch fits, and the tests that it names exist', ({ patch, tests }) => {
  for (const hunk of patch) expect(applyHunk(read(hunk.file), hunk)).not.toBe(read(hunk.file))
  // What follows a comma may be filled in by a loop.
  for (const { file, title } of tests) expect(read(file)).toContain(title?.split(',')[0] ?? '')
})

test('every bug that the protocol’s description wants planted is there, under a name of its own', () => {
  const names = MUTANTS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const wanted =
    'ackAfterSeal minoritySeal minorityAck shortestLog forgetPromise forgetSeal ballotReuse ignoreAccepted ' +
    'snapshotAfterAccept identifyByTerm actOnUncommitted wipedDiskVotes unknownCounts reuseWriterKey skipRepair ' +
    'readBeyondL newestJournalWins noActorEpoch moveWithoutDrain retireEarly missOneJournal readWithoutConfirm ' +
    'confirmByMinority dropResultsAtTakeOver pruneByTime restartStopping syncOnlyCurrentWal ackBeforePointer'
  expect(wanted.split(' ').filter((name) => !names.includes(name))).toEqual([])
})
