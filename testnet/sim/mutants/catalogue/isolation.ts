// Bugs of actors in threads of their own: on which state they work, and what becomes of them when a thread is lost.

import { type Mutant, test } from '../mutant.ts'

const HOMED = 'node/actors/homed-actor.ts'
const GUEST = 'node/actors/worker/guest.ts'
const REMOTE = 'node/actors/worker/remote-seat.ts'
const inIsolation = (title: string) => test('testnet/sim/actors-isolation.test.ts', title)
const ONCE = 'I1 G3 a thread is lost at every moment of a call: its effects happen once'

export const isolationMutants: readonly Mutant[] = [
  {
    name: 'copyAfterTheObject',
    rule: 'T3',
    breaks: 'what an old journal was closed without is written again only once the next object is there',
    patch: [
      {
        file: HOMED,
        find: 'this.#passive === undefined ? this.#log.now : await this.#log.load() // T3',
        replace: 'this.#passive === undefined ? this.#live?.log : await this.#log.load()',
      },
    ],
    tests: [
      inIsolation(
        'T3 copyAfterTheObject: a thread is lost, and its last record is in a journal that is closed without it',
      ),
    ],
  },
  {
    name: 'oldStateInAThread',
    rule: 'I2 (seat)',
    breaks: 'a thread works on the state that its object began with',
    patch: [
      {
        file: GUEST,
        find: 'this.#versions.findLast(',
        replace: 'this.#versions.find(',
      },
      {
        file: GUEST,
        find: 'while (this.#versions.length > 1 &&',
        replace: 'while (this.#versions.length < 0 &&',
      },
    ],
    tests: [
      inIsolation('I2 a thread works on the state of the record before, however its host was told of it'),
    ],
  },
  {
    name: 'tellNoThread',
    rule: 'I2 (seat)',
    breaks: 'a thread is not told of records',
    patch: [
      {
        file: REMOTE,
        find: "    this.#post({ t: 'changed', sequence,",
        replace: "    if (sequence < 0) this.#post({ t: 'changed', sequence,",
      },
    ],
    tests: [
      inIsolation('I2 a thread works on the state of the record before, however its host was told of it'),
    ],
  },
  {
    name: 'threadLostForGood',
    rule: 'I3 (seat)',
    breaks: 'an actor whose thread was lost has no other, and answers nobody',
    patch: [
      {
        file: HOMED,
        find: '    if (live?.seat !== seat) return // what',
        replace: '    if (live?.seat !== seat || cause !== "") return // what',
      },
    ],
    tests: [inIsolation(ONCE)],
  },
  {
    name: 'retryLostWithoutCount',
    rule: 'maxTaskRetries',
    breaks: 'a call that may not be retried is, when a thread was lost',
    patch: [
      {
        file: 'node/actors/outgoing-call.ts',
        find: "    if (answer.kind === 'lost') this.#tryAgain(answer.why)\n",
        replace: '',
      },
    ],
    beyondSeeds: 'their clients limit no retries',
    tests: [
      inIsolation(
        'a call that may not be retried fails with what became of the thread, and another one goes on',
      ),
    ],
  },
  {
    name: 'nestedInNobodysName',
    rule: 'G3',
    breaks:
      'what a method in a thread calls is no part of the call that it serves, so a second run calls again',
    patch: [
      {
        file: 'node/actors/worker/errands.ts',
        find: 'return scope === undefined ? outside(work) : scope.run(work)',
        replace: 'return scope !== undefined ? outside(work) : outside(work)',
      },
    ],
    tests: [inIsolation(ONCE)],
  },
  {
    name: 'checkpointAtOnce',
    rule: 'L6',
    breaks: 'in a thread checkpoint() resolves before anything is written',
    patch: [
      {
        file: GUEST,
        find: 'gate: () => this.#outside.pass(run),',
        replace: 'gate: () => Promise.resolve(),',
      },
    ],
    tests: [inIsolation('L6 checkpoint() in a thread: what it saved is there when the host is lost')],
  },
  {
    name: 'spoiledInAThread',
    rule: 'O2 G4',
    breaks: 'in a thread the object of a call that threw goes on with its fields half changed',
    patch: [
      {
        file: GUEST,
        find: 'return this.#take(this.#seat.renew(this.#newest))',
        replace: 'return this.#take(Promise.resolve())',
      },
    ],
    tests: [inIsolation('O2 G4 an object with fields of its own is another one after a throw')],
  },
  {
    name: 'threadsWithoutEnd',
    rule: 'lifecycle',
    breaks: 'a passivated or moved actor leaves its thread behind',
    patch: [
      {
        file: HOMED,
        find: '      live?.seat.end()\n      this.#users--\n',
        replace: '      this.#users--\n',
      },
    ],
    beyondSeeds: 'no client sees a thread that is left over',
    tests: [inIsolation('threads end with their objects: moved away, stopped, passive, of a deposed host')],
  },
  {
    name: 'successorBeforeLastRecord',
    rule: 'S3 (sends)',
    breaks: 'after a lost thread another object starts before it is written what the former one had answered',
    patch: [
      {
        file: HOMED,
        find: '    await log.whenDurable(log.sequence)\n    return this.#activate()',
        replace: '    return this.#activate()',
      },
    ],
    beyondSeeds: 'by the time that a thread has started that record is written, mostly',
    tests: [
      inIsolation('S3 another object does not start before it is written what the former one had answered'),
    ],
  },
  {
    name: 'noRoomIsTheEnd',
    rule: 'I3 (seat)',
    breaks: 'a new actor whose host has no room for another thread is taken for one that can never be made',
    patch: [
      {
        file: REMOTE,
        find: 'throw new SeatLost(`its worker could not be started',
        replace: 'throw new Error(`its worker could not be started',
      },
    ],
    beyondSeeds: 'their hosts have room',
    tests: [inIsolation('a host has no room for a thread for a while: even a new actor waits for it')],
  },
]
