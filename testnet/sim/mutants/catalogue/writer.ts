// Bugs of the writer of a log: what it counts as acknowledged, and what it takes for a confirmation.

import { inActorScenarios, inHomes, inScenarios, type Mutant, test } from '../mutant.ts'

const WRITER = 'mesh/logs/writer.ts'

export const writerMutants: readonly Mutant[] = [
  {
    name: 'minorityAck',
    rule: 'R5 W1',
    breaks: 'a block counts as acknowledged as soon as any one keeper has it, the host itself for instance',
    patch: [
      {
        file: WRITER,
        find: `    const committed = majorityLength(
      this.#replicas.map(({ acknowledged, informed }) => (informed ? acknowledged : -1)),
    )`,
        replace: `    const committed = Math.max(
      ...this.#replicas.map(({ acknowledged, informed }) => (informed ? acknowledged : -1)),
    )`,
      },
    ],
    tests: [],
  },
  {
    name: 'ownWriteCounts',
    rule: 'R5 W1',
    breaks: 'the host counts its own copy once it is written, before its keeper synced it',
    patch: [
      {
        file: WRITER,
        find: '      this.#length = length\n      then(length - 1)\n',
        replace: `      this.#length = length
      then(length - 1)
      for (const replica of this.#replicas)
        if (replica.keeper.store === this.#env.store) replica.acknowledged = length
      this.#count()
`,
      },
    ],
    tests: [],
  },
  {
    name: 'confirmByMinority',
    rule: 'W2',
    breaks: 'one keeper is enough to confirm a read, the host itself for instance',
    patch: [
      {
        file: WRITER,
        find: '    if (answers < majority(this.#replicas.length)) return\n',
        replace: '    if (answers < 1) return\n',
      },
      { file: WRITER, find: 'import { majority, majorityLength }', replace: 'import { majorityLength }' },
    ],
    tests: [
      inActorScenarios(
        'frozen-host-wakes-and-answers-a-read: a client that knows nothing newer never hears the old state',
      ),
    ],
  },
  {
    name: 'joinRunningRound',
    rule: 'W2',
    breaks: 'a read is answered by a round that had begun before it arrived',
    patch: [
      {
        file: WRITER,
        find: '      this.#nextRoundWaiting.push(then)\n',
        replace: '      this.#roundWaiting.push(then)\n',
      },
    ],
    tests: [inHomes('W2 joinRunningRound: a round that began before a read proves nothing about it')],
  },
  {
    name: 'sealedCountsAsAck',
    rule: 'W3',
    breaks: 'a keeper that sealed a log counts as one that has all of it',
    patch: [
      {
        file: WRITER,
        find: '      this.#done = true\n      this.#owner.sealed()\n',
        replace: '      this.#acknowledged(replica, this.#length)\n',
      },
    ],
    tests: [],
  },
  {
    name: 'ackBeforePointer',
    rule: 'H1 W4',
    breaks: 'a new term acknowledges before a majority of its keepers has stored the pointer to it',
    patch: [
      {
        file: WRITER,
        find: '(informed ? acknowledged : -1)',
        replace: '(informed ? acknowledged : acknowledged)',
      },
    ],
    tests: [
      inScenarios(
        'H1 ackBeforePointer: a late acknowledgement that the candidate asked for is not one of the pointer',
      ),
    ],
  },
  {
    name: 'weakMajority',
    rule: 'W1 V1 C2',
    breaks: 'half of an even number of keepers counts as a majority, so that two halves decide differently',
    patch: [
      {
        file: 'mesh/quorum.ts',
        find: '  return Math.floor(size / 2) + 1\n',
        replace: '  return Math.ceil(size / 2)\n',
      },
    ],
    tests: [test('mesh/quorum.test.ts')],
  },
]
