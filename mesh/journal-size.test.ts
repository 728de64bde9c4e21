import { expect, test } from 'vitest'
import { isMostlyHistory } from './journal-size.ts'

const settings = { journalMaxBlocks: 100, journalMaxBytes: 1000, journalGrowth: 2 }

test.each([
  ['small', { blocks: 99, bytes: 999 }, { blocks: 0, bytes: 0 }, false],
  ['many bytes', { blocks: 1, bytes: 1000 }, { blocks: 0, bytes: 0 }, true],
  ['many blocks', { blocks: 100, bytes: 1 }, { blocks: 0, bytes: 0 }, true],
  ['large, and more than half of it alive', { blocks: 50, bytes: 3999 }, { blocks: 20, bytes: 2000 }, false],
  ['large, and half of it history', { blocks: 50, bytes: 4000 }, { blocks: 20, bytes: 2000 }, true],
  [
    'many blocks, more than half of them alive',
    { blocks: 300, bytes: 10 },
    { blocks: 151, bytes: 10 },
    false,
  ],
])('%s', (_, size, alive, rolled) => expect(isMostlyHistory(size, alive, settings)).toBe(rolled))
