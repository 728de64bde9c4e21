// Bugs of agendas: sends and alarms that get lost, happen twice, or act for somebody who is gone.

import { type Mutant, test } from '../mutant.ts'

const RUNNER = 'node/actors/agenda-runner.ts'
const SENDS = 'node/actors/sends.ts'
const NUMBERS = 'node/actors/open-numbers.ts'
const inRuntime = (title: string) => test('node/actors/agenda.test.ts', title)
const inScenarios = (title: string) => test('testnet/sim/actors-agenda.test.ts', title)

const S1 = 'S1, G5 what a host has not acknowledged it does not send'
const S2 =
  'S2 the host dies between the delivery and the removal: the target knows it again, at its next home too'
const Y1 = 'Y1 stopped and made again: neither its sends nor its alarms nor a late frame do anything'

export const agendaMutants: readonly Mutant[] = [
  {
    name: 'agendaNotInSnapshots',
    rule: 'A1 Q1',
    breaks: 'what an actor still has to do is in its deltas, and not in its snapshots',
    patch: [
      {
        file: 'checkpoint/actor-log.ts',
        find: 'agenda: this.agenda.toData()',
        replace: 'agenda: undefined',
      },
    ],
    tests: [test('checkpoint/agenda.test.ts')],
  },
  {
    name: 'numbersFromOne',
    rule: 'Q2',
    breaks: 'a home gives numbers again that a former one gave to sends whose records are lost',
    patch: [
      {
        file: NUMBERS,
        find: 'Math.max(this.#next, this.#agenda.last, this.#first()) + 1',
        replace: 'Math.max(this.#next, this.#agenda.last) + 1',
      },
    ],
    beyondSeeds: 'no seed loses acknowledged records',
    tests: [test('node/actors/open-numbers.test.ts')],
  },
  {
    name: 'sendBeforeDurable',
    rule: 'S1 (sends) G5',
    breaks: 'a send leaves before its record is acknowledged',
    patch: [
      {
        file: RUNNER,
        find: 'void log.whenDurable(log.sequence).then(',
        replace: 'void Promise.resolve().then(',
      },
    ],
    tests: [inScenarios(S1)],
  },
  {
    name: 'freshNumberPerDelivery',
    rule: 'S2 (sends)',
    breaks: 'a send that is delivered again is a new call',
    patch: [
      {
        file: SENDS,
        find: "identify: () => ({ id: { caller, n, path: '' }, floors }), // S2",
        replace: "identify: () => ({ id: { caller, n: open.take(), path: '' }, floors }),",
      },
    ],
    tests: [inScenarios(S2)],
  },
  {
    name: 'sentByTheBoot',
    rule: 'S2 (sends) Y1',
    breaks: 'a target forgets what an actor sent as soon as that has another home',
    patch: [
      {
        file: 'node/actors/callers.ts',
        find: "  if (self !== undefined && registry.actors.has(self.actor)) return standingOf(registry, caller) === 'over'\n",
        replace:
          '  if (self !== undefined && (registry.actors.get(self.actor)?.epoch ?? 0) > 1) return true\n',
      },
    ],
    tests: [inScenarios(S2)],
  },
  {
    name: 'floorAtTheAnswer',
    rule: 'S3 (sends)',
    breaks: 'a target is told to forget a result that another home may ask for again',
    patch: [
      {
        file: SENDS,
        find: 'queue.shift() // S4',
        replace: 'queue.shift()\n        this.#init.open.close(entry.n)',
      },
    ],
    beyondSeeds: 'the effect stays the same: only what is reported is wrong',
    tests: [
      inScenarios(
        'S3 what is delivered again gets its first answer: no floor passed it before it was out for good',
      ),
    ],
  },
  {
    name: 'alarmFloorTooSoon',
    rule: 'S3 (sends)',
    breaks:
      'an alarm that waits for its turn takes the floors of before: they pass what the running call sends, and others refuse what is called for that',
    patch: [
      {
        file: RUNNER,
        find: '      get all() {\n        return open.lowest()\n      },\n',
        replace: '      all: open.lowest(),\n',
      },
    ],
    tests: [inScenarios('S3 an alarm that begins during a call passes no floor over what that call sends')],
  },
  {
    name: 'idleSendUnrecorded',
    rule: 'S2 (sends)',
    breaks: 'a send that changed nothing at first runs once more, at another home of its target',
    patch: [
      {
        file: 'node/actors/live-actor.ts',
        find: ' && agenda.changes.length === 0 && !isSend(job.frame.id)) {',
        replace: ' && agenda.changes.length === 0) {',
      },
    ],
    beyondSeeds: 'all that ledgers are sent changes them',
    tests: [
      inRuntime(
        'a send that changes nothing is settled by a record too: again, at another home, it finds that',
      ),
    ],
  },
  {
    name: 'newestSendFirst',
    rule: 'S4 (sends)',
    breaks: 'what was sent last arrives first',
    patch: [{ file: SENDS, find: 'else queue.push(entry)', replace: 'else queue.splice(1, 0, entry)' }],
    beyondSeeds: 'clients of the simulator wait for one send before they have the next made',
    tests: [inRuntime('resolve at once, are delivered in order, once, and leave the agenda')],
  },
  {
    name: 'reportBeforeRemoval',
    rule: 'S4 (sends) G5',
    breaks: 'a send is told to have failed, and is delivered again by the next home',
    patch: [
      {
        file: SENDS,
        find: 'await this.#commit() // S4',
        replace: 'this.#settle.ask()',
      },
    ],
    beyondSeeds: 'ledgers refuse no send',
    tests: [inRuntime('S4: a failure is told only when nobody delivers it again')],
  },
  {
    name: 'sendToAnyLife',
    rule: 'S5 (sends)',
    breaks: 'what was delivered to a stopped actor is delivered again to the next of its name',
    patch: [{ file: SENDS, find: '      incarnation,\n      method,', replace: '      method,' }],
    tests: [inScenarios('S5 a target that was made again gets nothing that was meant for the one before')],
  },
  {
    name: 'makeWhatWasDeleted',
    rule: 'S5 (sends) C3 (calls)',
    breaks: 'a send that the deleted life of its target had makes the next one, which nobody asked for',
    patch: [
      {
        file: 'node/actors/outgoing-call.ts',
        find: ' || this.#isLateFor(target.key)) throw',
        replace: ' || (incarnation > 0 && this.#isLateFor(target.key))) throw',
      },
    ],
    tests: [
      inScenarios(
        'S5 what was delivered to an actor that was deleted since does not make another one of that name',
      ),
    ],
  },
  {
    name: 'stoppedSendersCount',
    rule: 'Y1',
    breaks: 'a stopped actor still has others do something',
    patch: [
      {
        file: 'node/actors/callers.ts',
        find: "  if (entry.incarnation > incarnation) return 'over'\n  return entry.status.kind === 'stopped' || entry.status.kind === 'dead' ? 'over' : 'live'",
        replace: "  return 'live'",
      },
    ],
    tests: [inScenarios(Y1)],
  },
  {
    name: 'neverTakenOut',
    rule: 'S3 (sends)',
    breaks: 'a send that was answered stays in the agenda for ever',
    patch: [{ file: SENDS, find: 'this.#answered.push(entry.n)', replace: '' }],
    tests: [inRuntime('resolve at once, are delivered in order, once, and leave the agenda')],
  },
  {
    name: 'alarmStays',
    rule: 'M2',
    breaks: 'the record of an alarm’s method does not take the alarm out: it rings again',
    patch: [
      {
        file: RUNNER,
        find: '...(alarm === undefined ? {} : { first: afterRun(alarm, wall()) }),',
        replace: '',
      },
      {
        file: 'node/actors/alarms.ts',
        find: "    if (answer.kind === 'result') return true\n",
        replace:
          "    if (answer.kind === 'result') {\n      await commit([afterRun(alarm, this.#init.services.clock.wall())])\n      return true\n    }\n",
      },
    ],
    tests: [inRuntime('M2: the host dies at any moment around the time: the change happens once')],
  },
  {
    name: 'alarmWithoutNumber',
    rule: 'M1 Q3',
    breaks: 'what an alarm’s method calls happens once more when the method runs again at the next home',
    patch: [
      {
        file: RUNNER,
        find: "id: { caller: actorCaller(key, incarnation), n, path: '' },",
        replace:
          "id: { caller: actorCaller(key, incarnation), n: n * 0 + this.#ofNumbers.take(), path: '' },",
      },
    ],
    tests: [
      test(
        'testnet/sim/actors-agenda.test.ts',
        'M2 the host dies during the method of an alarm: what it calls, and what it changes, happens once',
      ),
    ],
  },
  {
    name: 'runTheCancelledAlarm',
    rule: 'M3',
    breaks: 'an alarm that was cancelled while it waited for its turn is run',
    patch: [
      {
        file: 'node/actors/live-actor.ts',
        find: 'if (job.alarm !== undefined && !isWanted(this.log.agenda, job.alarm))',
        replace:
          "if (job.frame.method === '' && job.alarm !== undefined && !isWanted(this.log.agenda, job.alarm))",
      },
    ],
    beyondSeeds: 'ledgers cancel nothing there',
    tests: [inRuntime('M3: cancelled while it waits for its turn, it is not run')],
  },
  {
    name: 'restoredAlarmsSleep',
    rule: 'Q1',
    breaks: 'alarms are forgotten by the next home until something else is scheduled',
    patch: [{ file: RUNNER, find: 'if (agenda.alarmCount > 0) this.ring()', replace: '' }],
    tests: [inRuntime('M2: the host dies at any moment around the time: the change happens once')],
  },
  {
    name: 'sendWhatHooksAdd',
    rule: 'S1 (sends)',
    breaks: 'what onActivate sends leaves before its record is acknowledged, and again after',
    patch: [
      {
        file: RUNNER,
        find: 'if (entry.n <= this.#before) this.#ofSends.add(entry)',
        replace: 'this.#ofSends.add(entry)',
      },
    ],
    beyondSeeds: 'ledgers have no hooks there',
    tests: [
      test(
        'testnet/sim/actors-lifecycle.test.ts',
        'S1 what onActivate sends leaves when its record is acknowledged, once',
      ),
    ],
  },
]
