import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { CountReporter } from './test/count-reporter.ts'

/** What happens in one process, on virtual time where time matters, and what only asks what a program says: neighbours do no harm. */
const SIDE_BY_SIDE = [
  'mesh/**/*.test.ts',
  'checkpoint/**/*.test.ts',
  'node/actors/**/*.test.ts',
  'testnet/sim/**/*.test.ts',
  'testnet/check/**/*.test.ts',
  'cli/bad-input.test.ts',
  'test/**/*.test.ts',
]

export default defineConfig({
  test: {
    reporters: ['default', new CountReporter()],
    pool: 'forks',
    // Real processes and real disks on a shared two-core machine: a hung test ends, a slow one does not fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: SIDE_BY_SIDE,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['{node,cli,testnet,examples,bench}/**/*.test.ts'],
          exclude: SIDE_BY_SIDE,
          // One file at a time: meshes of real processes fill the machine, and a neighbour would be measured with them.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
