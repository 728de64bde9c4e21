// Ballots of a registry take-over: numbers first, the candidate's boot breaks ties, so no two candidates share one.

import { compareIds } from '../ids.ts'
import type { Ballot } from '../log-types.ts'

/** Negative when `a` is lower than `b`, zero only for the very same ballot. */
export const compareBallots = (a: Ballot, b: Ballot): number => a.n - b.n || compareIds(a.boot, b.boot)
