import { defineConfig } from 'vitest/config'
import { CountReporter } from './test/count-reporter.ts'

export default defineConfig({
  test: {
    include: ['{mesh,checkpoint,node,cli,testnet,examples,bench,test}/**/*.test.ts'],
    reporters: ['default', new CountReporter()],
    // Real processes and real disks on a shared two-core machine: a hung test ends, a slow one does not fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One file at a time: meshes of real processes fill the machine, and a neighbour would be measured with them.
    maxWorkers: 1,
    pool: 'forks',
  },
})
