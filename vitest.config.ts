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

/** Meshes that fill the machine by themselves, or whose peers are asked how fast they were. */
const ALONE = [
  'testnet/faults.test.ts',
  'testnet/large-state.test.ts',
  'testnet/chaos/**/*.test.ts',
  'testnet/demo/**/*.test.ts',
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
          name: 'in pairs',
          include: ['{node,cli,testnet,examples,bench}/**/*.test.ts'],
          exclude: [...SIDE_BY_SIDE, ...ALONE],
          // Small meshes of real processes wait most of their time: two of them fit on two cores.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
})
