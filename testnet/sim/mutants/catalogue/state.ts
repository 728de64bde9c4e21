// Bugs of what a state is, and of when it is written.

import { type Mutant, test } from '../mutant.ts'

const LOG = 'checkpoint/actor-log.ts'
const MIGRATION = 'node/actors/migration.ts'
const inVersions = (title: string) => test('node/actors/versions.test.ts', title)

export const stateMutants: readonly Mutant[] = [
  {
    name: 'migrateInMemory',
    rule: 'H2 (homes)',
    breaks: 'a migrated state is no record: what follows is written as a change to the old one',
    patch: [
      {
        file: LOG,
        find: "    this.#version = version\n    this.#push({ sequence: this.#sequence + 1, kind: 'snapshot' })\n",
        replace: '    this.#version = version\n',
      },
    ],
    beyondSeeds: 'ledgers have one version',
    tests: [
      inVersions(
        'a rolling upgrade: every peer restarts with the newer class, and the state is migrated once',
      ),
    ],
  },
  {
    name: 'forgetVersion',
    rule: 'A1',
    breaks: 'a snapshot does not say of which version its state is, so it is migrated again',
    patch: [{ file: LOG, find: '      version: this.#version,\n', replace: '      version: 0,\n' }],
    beyondSeeds: 'ledgers have one version',
    tests: [
      test(
        'checkpoint/actor-log.test.ts',
        'A1 a snapshot says of which version its state is, and a replay has it',
      ),
    ],
  },
  {
    name: 'runTheNewer',
    rule: 'H2 (homes)',
    breaks: 'a class runs on a state of a newer version',
    patch: [
      { file: MIGRATION, find: 'if (from === version) return', replace: 'if (from >= version) return' },
    ],
    beyondSeeds: 'ledgers have one version',
    tests: [
      inVersions(
        'a state that is newer than the class here waits, says why, loses nothing, and is never given up for it',
      ),
    ],
  },
  {
    name: 'migrateInPlace',
    rule: 'H2 (homes)',
    breaks: 'a migration that throws in the middle leaves what it did so far, as a state of the old version',
    patch: [
      {
        file: MIGRATION,
        find: 'const old = decodeUser(encode(log.state), makeRef)',
        replace: 'const old: unknown = log.state',
      },
    ],
    beyondSeeds: 'ledgers have one version',
    tests: [
      inVersions(
        'a migration that throws, or is missing, has changed nothing: it waits for a class that can',
      ),
    ],
  },
]
