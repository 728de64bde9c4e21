// Bugs of calls that their callers gave up.

import { type Mutant, test } from '../mutant.ts'

const JOBS = 'node/actors/jobs.ts'
const HOST = 'node/actors/host.ts'
const inCancel = (title: string) => test('node/actors/cancel.test.ts', title)

export const cancellingMutants: readonly Mutant[] = [
  {
    name: 'runTheCancelled',
    rule: 'L5',
    breaks: 'a call that was cancelled while it waited runs when its turn comes',
    patch: [
      {
        file: JOBS,
        find: 'if (this.#queue.remove(id.caller, job)) this.#drop(job)\n    else job',
        replace: 'job',
      },
    ],
    beyondSeeds: 'the clients of the seeds cancel nothing',
    tests: [
      inCancel('L5 a call that waits in the mailbox is dropped there and never runs, and rejects at once'),
    ],
  },
  {
    name: 'runALateCopy',
    rule: 'L5 G3',
    breaks: 'a copy of a cancelled call that comes late is run',
    patch: [
      {
        file: HOST,
        find: 'if (this.#cancelled.has(frame.token)) return // a late copy: nobody waits for its answer',
        replace: '',
      },
    ],
    beyondSeeds: 'the clients of the seeds cancel nothing',
    tests: [inCancel('G3 a late copy of a cancelled call is not run, whether it waited or ran')],
  },
  {
    name: 'cancelForOthers',
    rule: 'L5',
    breaks: 'a replaced host takes a nested call from its successor, which waits for it too',
    patch: [
      {
        file: JOBS,
        find: 'if (job?.replies.delete(token) !== true || job.replies.size > 0) return // L5',
        replace: 'if (job?.replies.delete(token) !== true) return',
      },
    ],
    beyondSeeds: 'the clients of the seeds cancel nothing',
    tests: [
      inCancel(
        'a replaced host that gives a nested call up does not take it from its successor, which made it again',
      ),
    ],
  },
]
