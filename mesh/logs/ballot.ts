// Ballots of a registry take-over: numbers first, the candidate's boot breaks ties, so no two candidates share one.
//
// Candidates try in the order of their IDs, some time apart. Of two with one number the lower ID wins: who comes later is told so
// and leaves the first the time to finish, instead of ending an attempt that is merely slow.

import { compareIds } from '../ids.ts'
import type { Ballot } from '../log-types.ts'

/** Negative when `a` is lower than `b`, zero only for the very same ballot. */
export const compareBallots = (a: Ballot, b: Ballot): number => a.n - b.n || compareIds(b.boot, a.boot)
