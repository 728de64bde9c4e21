// Bugs of looking back, and of copies.

import { type Mutant, test } from '../mutant.ts'

const inHistory = (title: string) => test('testnet/sim/actors-history.test.ts', title)

export const historyMutants: readonly Mutant[] = [
  {
    name: 'historyBeyondAcknowledged',
    rule: 'R10',
    breaks: 'a history has records that its host wrote and no majority has',
    patch: [
      {
        file: 'node/actors/journal-writer.ts',
        find: 'const index = await this.#journal.append(block)',
        replace: 'this.acknowledged++\n    const index = await this.#journal.append(block)',
      },
    ],
    tests: [
      inHistory(
        'R10 what a host has written and nobody acknowledged is in no history; it is another record that gets its number',
      ),
    ],
  },
  {
    name: 'copyBeginsByItself',
    rule: 'N1',
    breaks: 'a copy serves what its constructor set before it has the state of its origin',
    patch: [
      {
        file: 'node/actors/homed-actor.ts',
        find: 'if (copyOf === undefined || this.#log.now !== undefined) return undefined',
        replace: 'if (copyOf !== null) return undefined',
      },
    ],
    tests: [inHistory('N1 hosts of a copy die while it is made: nobody sees it with a state of its own')],
  },
  {
    name: 'copyWaitsForEver',
    rule: 'N2',
    breaks: 'a copy whose maker is gone waits for its state for ever, and so do the journals that it names',
    patch: [
      {
        file: 'node/actors/first-state.ts',
        find: 'const until = services.now() + PATIENCE_MS',
        replace: 'const until = services.now() + 1e9',
      },
    ],
    tests: [
      inHistory('N2 a copy whose maker is gone is given up at its home, and keeps no journal of lost peers'),
    ],
  },
]
