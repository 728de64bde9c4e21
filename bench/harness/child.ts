// The main program of a measured process: it runs the exported functions of one module, its jobs, as its parent asks over
// IPC, and watches its own event loop. It ends when the channel closes.

import { StallMeter, type Stalls } from './stalls.ts'
import type { Answer, Request } from './worker.ts'

const stalls = new StallMeter()
const jobs = (await import(process.argv[2] ?? '')) as Record<string, (input: unknown) => unknown>

const run = ({ job, input }: Request): unknown => {
  if (job === 'stalls') return stalls.take() satisfies Stalls
  const work = jobs[job]
  if (work === undefined) throw new Error(`there is no job ${job} in ${process.argv[2]}`)
  return work(input)
}

const tell = (answer: Answer): void => {
  if (process.connected) process.send?.(answer)
}
process.on('message', (request: Request) => {
  Promise.resolve()
    .then(() => run(request))
    .then(
      (value) => tell({ id: request.id, value }),
      (error: unknown) =>
        tell({ id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : `${error}` }),
    )
})
process.on('disconnect', () => process.exit(0))
tell({ id: 0, value: 'ready' })
