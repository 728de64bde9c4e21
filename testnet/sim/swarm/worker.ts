// A process of the pool: runs the seeds it is sent, one at a time.

import { runSeed } from './run-seed.ts'

process.on('message', async (seed) => {
  process.send?.(await runSeed(Number(seed)))
})

// Who interrupts the run from a terminal interrupts every process of it: the seed in hand is still reported.
process.on('SIGINT', () => {})

// Nobody waits for its results any more.
process.on('disconnect', () => process.exit())
