import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { CountReporter } from './test/count-reporter.ts'

/** Everything that happens in one process, on virtual time where time matters: neighbours do no harm. */
const IN_PROCESS = [
  'mesh/**/*.test.ts',
  'node/actors/**/*.test.ts',
  'testnet/sim/**/*.test.ts',
  'testnet/check/**/*.test.ts',
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
          name: 'in process',
          include: IN_PROCESS,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['{checkpoint,node,cli,testnet,examples,bench,test}/**/*.test.ts'],
          exclude: IN_PROCESS,
          // One file at a time: meshes of real processes fill the machine, and a neighbour would be measured with them.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
