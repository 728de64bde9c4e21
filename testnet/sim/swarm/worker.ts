// A process of the pool: runs the seeds it is sent, one at a time.

import { runSeed } from './run-seed.ts'

process.on('message', async (seed) => {
  process.send?.(await runSeed(Number(seed)))
})

// Nobody waits for its results any more.
process.on('disconnect', () => process.exit())
