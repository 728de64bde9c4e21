// Bugs of looking back, of copies, and of reads that may be a little old.

import { type Mutant, test } from '../mutant.ts'

const inBounded = (title: string) => test('testnet/sim/actors-bounded-reads.test.ts', title)
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
  {
    name: 'vouchWithoutConfirm',
    rule: 'D1',
    breaks: 'a host that was replaced vouches for what it has',
    patch: [
      {
        file: 'node/actors/beside-calls.ts',
        find: 'await journals.confirm(entry.options.class)',
        replace: 'void journals',
      },
    ],
    tests: [
      inBounded(
        'D1 a host that was replaced vouches for nothing: its reader asks, and waits, and never hears the old state',
      ),
    ],
  },
  {
    name: 'readAnyAge',
    rule: 'D1 D3',
    breaks: 'a read that may be a little old is answered from a copy of any age',
    patch: [
      {
        file: 'node/actors/bounded-reads.ts',
        find: 'return this.#init.clock.now() - copy.asOf <= maxLagMs',
        replace: 'return maxLagMs > 0',
      },
    ],
    tests: [
      inBounded(
        'D3 a reader that stood still reads nothing old, and a wall clock that jumps changes nothing',
      ),
    ],
  },
  {
    name: 'readBeforeOwnWrite',
    rule: 'D4',
    breaks: 'a peer reads a copy that is older than an answer it got',
    patch: [
      {
        file: 'node/actors/bounded-reads.ts',
        find: 'if (copy === undefined || copy.asOf < floor) return false // D4',
        replace: 'if (copy === undefined) return false',
      },
    ],
    tests: [inBounded('D4 a peer reads what it wrote, and never goes back')],
  },
]
