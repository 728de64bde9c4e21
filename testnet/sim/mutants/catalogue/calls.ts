// Bugs of calls: what a host answers and executes, and what a caller believes.

import { inActorScenarios, inHomes, type Mutant, test } from '../mutant.ts'

const LIVE = 'node/actors/live-actor.ts'
const OUTGOING = 'node/actors/outgoing-call.ts'
const HOST = 'node/actors/host.ts'
const TABLE = 'checkpoint/call-table.ts'
const inFailover = (title?: string) => test('node/actors/failover.test.ts', title)
const inScenarios = (title: string) => test('testnet/sim/actors-scenarios.test.ts', title)
const inGivenUp = (title: string) => test('testnet/sim/actors-given-up.test.ts', title)
const inCalls = (title?: string) => test('node/actors/calls.test.ts', title)

export const callMutants: readonly Mutant[] = [
  {
    name: 'concurrentWrites',
    rule: 'L1',
    breaks: 'a write begins while the one before it still runs',
    patch: [{ file: LIVE, find: 'else await this.#write(job) // L1', replace: 'else void this.#write(job)' }],
    tests: [inCalls()],
  },
  {
    name: 'replyBeforeDurable',
    rule: 'L2 G5',
    breaks: 'a write is answered before its record is acknowledged',
    patch: [
      {
        file: LIVE,
        find: 'this.#settle(job, this.log.whenDurable(record), { result }, record) // L2: its record is its proof',
        replace: 'this.#settle(job, Promise.resolve(), { result }, record)',
      },
    ],
    tests: [
      inActorScenarios(
        'G5 what a host has not acknowledged is seen by nobody: no read, no throw, no call to another actor',
      ),
    ],
  },
  {
    name: 'readWithoutConfirm',
    rule: 'L2',
    breaks: 'a read is answered without asking whether its host was replaced',
    patch: [
      {
        file: LIVE,
        find: 'await Promise.all([this.log.whenDurable(base), this.#init.journal.confirm()])',
        replace: 'await this.log.whenDurable(base)',
      },
    ],
    tests: [
      inActorScenarios(
        'frozen-host-wakes-and-answers-a-read: a client that knows nothing newer never hears the old state',
      ),
    ],
  },
  {
    name: 'readBeforeDurable',
    rule: 'L2 G5',
    breaks: 'a read shows a change that may still be lost',
    patch: [
      {
        file: LIVE,
        find: 'await Promise.all([this.log.whenDurable(base), this.#init.journal.confirm()])',
        replace: 'await this.#init.journal.confirm().then(() => base)',
      },
    ],
    tests: [inScenarios('G5 a read of a synced actor waits for the sync that its base needs')],
  },
  {
    name: 'callOutBeforeDurable',
    rule: 'L2 G5',
    breaks: 'a method’s call to another actor leaves before what it was told from is acknowledged',
    patch: [
      {
        file: 'node/actors/scope.ts',
        find: '    this.#passed ??= this.#gate()\n',
        replace: '    this.#passed ??= this.chain.length < 0 ? this.#gate() : Promise.resolve()\n',
      },
    ],
    tests: [
      inActorScenarios(
        'G5 what a host has not acknowledged is seen by nobody: no read, no throw, no call to another actor',
      ),
    ],
  },
  {
    name: 'startAgain',
    rule: 'L3',
    breaks: 'a call that is sent again while it runs is started a second time',
    patch: [
      {
        file: LIVE,
        find: 'if (this.#jobs.attach(frame, reply)) return // L3',
        replace: '',
      },
    ],
    tests: [
      inFailover('L3, L4: a call sent again is neither started again while it runs nor after it threw'),
    ],
  },
  {
    name: 'forgetUnchanged',
    rule: 'L4 G3',
    breaks: 'a call whose caller was told that it changed nothing runs again when it is sent again',
    patch: [
      {
        file: LIVE,
        find: "      this.#remember(job, base.sequence, { kind: 'result', result })\n",
        replace: '',
      },
    ],
    tests: [
      inScenarios(
        'L4 a call whose caller was told that it changed nothing changes nothing when it comes again',
      ),
    ],
  },
  {
    name: 'forgetThrow',
    rule: 'L4',
    breaks: 'a call whose caller was told that it threw runs again when it is sent again',
    patch: [
      {
        file: LIVE,
        find: "    this.#remember(job, base, { kind: 'error', error })\n",
        replace: '',
      },
    ],
    tests: [
      inFailover('L3, L4: a call sent again is neither started again while it runs nor after it threw'),
    ],
  },
  {
    name: 'newIdPerAttempt',
    rule: 'C1 (calls)',
    breaks: 'a call that is sent to the next home has another id there',
    patch: [
      {
        file: OUTGOING,
        find: '    this.#identity ??= this.#init.identify()\n',
        replace: '    this.#identity = this.#init.identify()\n',
      },
    ],
    tests: [inScenarios('G3 a retry after the host died gets the first result')],
  },
  {
    name: 'believeALateError',
    rule: 'C2 (calls)',
    breaks: 'an error of a host that was replaced ends a call that its successor executes',
    patch: [
      {
        file: OUTGOING,
        find: "    if (!isLatest && answer.kind !== 'result') return // C2\n",
        replace: "    if (!isLatest && answer.kind === 'waiting') return\n",
      },
    ],
    tests: [
      inHomes('C2 believeALateError: an error of the old home does not end a call that the new one has'),
    ],
  },
  {
    name: 'nextIncarnationExecutes',
    rule: 'C3 (calls)',
    breaks: 'a call that was sent to one incarnation is sent to the next one under that name',
    patch: [
      {
        file: OUTGOING,
        find: '    if (meant !== undefined && (entry?.incarnation ?? 0) > meant) throw this.#recreated() // C3\n',
        replace: '',
      },
    ],
    tests: [inScenarios('C3 a call that was sent to one incarnation is never executed by the next')],
  },
  {
    name: 'repeatWhatWasSentElsewhere',
    rule: 'C5 (calls)',
    breaks: 'a call of a peer that was given up begins anew although another copy of it may be executed',
    patch: [
      {
        file: OUTGOING,
        find: "    if (executed === 'unknown' || this.#hosts.size > 1 || this.#init.isOwn !== true) {\n",
        replace: "    if (executed === 'unknown' || this.#init.isOwn !== true) {\n",
      },
    ],
    tests: [
      inGivenUp('C5 a call that was sent to two hosts is not made again, though neither may have had it'),
    ],
  },
  {
    name: 'repeatWhatWasDelivered',
    rule: 'C5 (calls)',
    breaks: 'a host says of a call of a peer that was given up that it did not execute it, and did',
    patch: [
      {
        file: HOST,
        find: '    this.#delivered.add(frame.id) // C5\n',
        replace: '',
      },
    ],
    tests: [inGivenUp('C5 a host does not say of a call that it had before that nobody executed it')],
  },
  {
    name: 'believeAnOldEnd',
    rule: 'C4 (calls)',
    breaks: 'a caller believes its own copy of the registry that an actor is over',
    patch: [
      {
        file: 'node/actors/locate.ts',
        find: '    await mesh.catchUp(timeoutMs)\n',
        replace: '    await Promise.resolve(timeoutMs)\n',
      },
    ],
    tests: [
      inHomes('C4 believeAnOldEnd: a caller that is behind asks before it believes that an actor is over'),
    ],
  },
  {
    name: 'serveWithoutHome',
    rule: 'R9',
    breaks: 'a peer serves an actor whose home is elsewhere',
    patch: [
      {
        file: HOST,
        find: '    if (entry.home !== this.#init.boot || entry.epoch > frame.epoch) return moved(entry)\n',
        replace: '    if (entry.epoch > frame.epoch) return moved(entry)\n',
      },
    ],
    tests: [],
  },
  {
    name: 'lateEpoch',
    rule: 'R6',
    breaks: 'a frame that was sent to an earlier epoch of an actor is executed in a later one',
    patch: [
      {
        file: HOST,
        find: '    if (entry.home !== this.#init.boot || entry.epoch > frame.epoch) return moved(entry)\n',
        replace: '    if (entry.home !== this.#init.boot) return moved(entry)\n',
      },
    ],
    tests: [
      inScenarios('a frame that was sent to an older epoch of the actor is not executed in a later one'),
    ],
  },
  {
    name: 'serveTheDead',
    rule: 'T1',
    breaks: 'a call of a dead caller is executed again after its results were dropped',
    patch: [
      {
        file: HOST,
        find: "    if (standing === 'over') return callerGone(frame, this.#delivered.has(frame.id) ? 'unknown' : 'no')\n",
        replace: '',
      },
    ],
    tests: [
      inActorScenarios(
        "a dead caller's call is refused after its results were dropped, in the very epoch it was executed in",
      ),
    ],
  },
  {
    name: 'serveTheDeadWhoWaited',
    rule: 'T1',
    breaks: 'a call that waited for its actor is executed although its caller was given up meanwhile',
    patch: [
      {
        file: 'node/actors/homed-actor.ts',
        find: "      if (this.#services.isGone(frame.id.caller)) reply(callerGone(frame, 'unknown'))\n      else if",
        replace: '      if',
      },
    ],
    tests: [
      inActorScenarios(
        'a call that waited at the new home while its caller died is not executed a second time',
      ),
    ],
  },
  {
    name: 'dropResultsAtTakeOver',
    rule: 'T3 G3',
    breaks: 'an actor comes back without the results of the calls it has executed',
    patch: [
      {
        file: 'node/actors/homed-log.ts',
        find: '    this.#log = this.#make(restored)\n',
        replace: '    this.#log = this.#make({ ...restored, calls: new CallTable() })\n',
      },
    ],
    tests: [inScenarios('G3 a retry after the host died gets the first result')],
  },
  {
    name: 'pruneByTime',
    rule: 'T1 G3',
    breaks: 'results are dropped when they are old, asked for or not',
    patch: [
      {
        file: TABLE,
        find: '    this.#caller(call.caller).entries.set(entryKey(call), { n, path, result, sequence })\n',
        replace: `    this.#caller(call.caller).entries.set(entryKey(call), { n, path, result, sequence })
    for (const { entries } of this.#callers.values())
      for (const [key, entry] of entries) if (entry.sequence + 50 < sequence) entries.delete(key)
`,
      },
    ],
    tests: [
      inActorScenarios(
        'G3 a retry that comes long after gets the first result: results go by floors, never by time',
      ),
    ],
  },
  {
    name: 'dropAtTheFloor',
    rule: 'T1',
    breaks: 'a result is dropped while its caller still waits for it',
    patch: [
      {
        file: TABLE,
        find: "      if (entry.n < (entry.path === '' ? caller.own : caller.all)) caller.entries.delete(key)\n",
        replace:
          "      if (entry.n <= (entry.path === '' ? caller.own : caller.all)) caller.entries.delete(key)\n",
      },
    ],
    tests: [test('checkpoint/call-table.test.ts')],
  },
  {
    name: 'executeExpired',
    rule: 'T2',
    breaks: 'a call that was answered and forgotten is executed when it comes again',
    patch: [{ file: TABLE, find: "? 'expired' : 'new' } // T2", replace: "? 'new' : 'new' }" }],
    tests: [
      inActorScenarios(
        'duplicate-after-prune: a frame that comes again after its answer is refused, at every home',
      ),
    ],
  },
  {
    name: 'nestedIdByOrder',
    rule: 'section 7',
    breaks: 'a call made by a method has a fresh id each time the method runs',
    patch: [
      {
        file: 'node/actors/scope.ts',
        find: 'this.#made.get(what) ?? 0\n',
        replace: 'this.#made.get(what) ?? this.deadline\n',
      },
    ],
    tests: [
      inActorScenarios(
        'nested-call-retried-after-a-crash: the called actor runs it once, the caller gets the first result',
      ),
    ],
  },
]
