// Bugs of objects that come and go, and of actors that are killed, deleted, or do not start.

import { type Mutant, test } from '../mutant.ts'

const HOMED = 'node/actors/homed-actor.ts'
const LIVE = 'node/actors/live-actor.ts'
const ENDINGS = 'mesh/registry/endings.ts'
const inLifecycle = (title: string) => test('testnet/sim/actors-lifecycle.test.ts', title)
const inPassivation = (title: string) => test('node/actors/passivation.test.ts', title)
const inHooks = (title: string) => test('node/actors/hooks.test.ts', title)

export const lifecycleMutants: readonly Mutant[] = [
  {
    name: 'restDuringACall',
    rule: 'P1',
    breaks: 'an actor whose calls take long is passivated below them',
    patch: [
      {
        file: LIVE,
        find: 'return this.#usedAt <= time && !isBusy && this.agenda.isQuiet',
        replace: 'return this.#usedAt <= time && (!isBusy || isBusy)',
      },
    ],
    tests: [inPassivation('P1 no actor rests while a call runs')],
  },
  {
    name: 'restWithoutTheFloors',
    rule: 'P1 A4',
    breaks:
      'what calls and their callers said since the last snapshot is lost with the object, so that a late copy runs',
    patch: [
      {
        file: 'checkpoint/actor-log.ts',
        find: 'if (this.#callsWritten !== this.calls.changes || this.#failure !== undefined) return undefined\n',
        replace: 'if (this.#failure !== undefined) return undefined\n',
      },
      {
        file: 'checkpoint/actor-log.ts',
        find: '    if ((this.told?.changes ?? 0) !== this.#toldWritten) return undefined\n',
        replace: '',
      },
    ],
    tests: [
      inLifecycle(
        'P2 a late copy of a call that threw is answered from before the rest, never executed after it',
      ),
    ],
  },
  {
    name: 'restForgetsThrows',
    rule: 'P2 L4',
    breaks: 'what a method threw is forgotten when its actor is passivated, and a retry runs it again',
    patch: [
      {
        file: 'checkpoint/actor-log.ts',
        find: 'this.#withTold && this.told !== undefined && this.told.size > 0 ?',
        replace: 'this.#withTold && this.told !== undefined && this.told.size < 0 ?',
      },
    ],
    tests: [
      inLifecycle(
        'P2 a late copy of a call that threw is answered from before the rest, never executed after it',
      ),
    ],
  },
  {
    name: 'copyForgetsThrows',
    rule: 'A4 P2 L4',
    breaks:
      'a passive actor that is copied into the next journal counts as whole there without what it told, and a late copy of a call that threw runs',
    patch: [
      {
        file: 'checkpoint/actor-log.ts',
        find: 'hasTold ? (this.told?.changes ?? 0) : -1',
        replace: 'hasTold ? (this.told?.changes ?? 0) : 0',
      },
    ],
    tests: [
      inLifecycle('P2 a passive actor is copied into the next journal with what it told of calls that threw'),
    ],
  },
  {
    name: 'restBeforeItIsSent',
    rule: 'P1',
    breaks: 'an actor is passivated with sends that nobody carries out any more',
    patch: [{ file: LIVE, find: '!isBusy && this.agenda.isQuiet', replace: '!isBusy' }],
    tests: [
      inLifecycle('a passive actor wakes for its alarm, and none rests before what it sent has arrived'),
    ],
  },
  {
    name: 'serveBeforeActivation',
    rule: 'G5 H2',
    breaks: 'what onActivate changed is dropped',
    patch: [
      {
        file: HOMED,
        find: '    live.change(change)\n  }\n',
        replace: '    if (change === undefined) live.change(change)\n  }\n',
      },
    ],
    tests: [
      inHooks(
        'G5 onActivate runs before the first call, and what it changes is durable before an answer, a local read too',
      ),
    ],
  },
  {
    name: 'goOnActivating',
    rule: 'H3 G5',
    breaks:
      'an actor that moved away during onActivate goes on there, and others hear of a state that nobody has',
    patch: [
      {
        file: HOMED,
        find: '      this.#checkStaying()\n      if (log.sequence === 0) this.#log.begin(log)\n',
        replace: '      if (log.sequence === 0) this.#log.begin(log)\n',
      },
      {
        file: HOMED,
        find: 'const goesOn = (): boolean => this.#ended === undefined && !this.#releasing',
        replace: 'const goesOn = (): boolean => this.#ended === undefined || this.#releasing',
      },
    ],
    tests: [
      inLifecycle('H3 an actor that is moved while onActivate runs lets nothing of that life out any more'),
    ],
  },
  {
    name: 'numbersAgain',
    rule: 'A7',
    breaks: 'a name that was deleted begins with the same incarnation and epoch again',
    patch: [
      {
        file: 'mesh/registry/life-numbers.ts',
        find: 'actors.get(key) ?? forgotten.names.get(key) ?? forgotten.floor',
        replace: 'actors.get(key) ?? forgotten.floor',
      },
    ],
    tests: [
      inLifecycle('A7 delete: a late call of what was deleted runs on nothing, and the name starts afresh'),
    ],
  },
  {
    name: 'serveAnyLife',
    rule: 'A7 C3 (calls)',
    breaks: 'a host runs a call that was sent to the deleted life of a name on the one that it has now',
    patch: [
      {
        file: 'node/actors/host.ts',
        find: '    if (entry.incarnation > frame.incarnation) return moved(entry)\n',
        replace: '',
      },
      {
        file: 'node/actors/host.ts',
        find: 'if (entry.home !== this.#init.boot || entry.epoch > frame.epoch) return moved(entry)',
        replace: 'if (entry.home !== this.#init.boot) return moved(entry)',
      },
    ],
    tests: [
      inLifecycle(
        'A7 C3 a caller that has not heard of a deletion calls neither what was deleted nor what came after it, seed 3',
      ),
    ],
  },
  {
    name: 'beginAnew',
    rule: 'G1 H1 (homes)',
    breaks: 'an actor of a lost host begins anew, and what it had is in no answer any more',
    patch: [
      {
        file: 'mesh/registry/recover.ts',
        find: '    sources: [...sources, ...actor.sources],\n',
        replace: '    sources: sources.slice(0, 0),\n',
      },
    ],
    tests: [inLifecycle('the host of passive actors dies: every one is back with everything')],
  },
  {
    name: 'deletedTooSoon',
    rule: 'A1 A7',
    breaks: 'a deletion is answered while the actor is there still, and others are answered by it',
    patch: [
      {
        file: 'node/actors/endings.ts',
        find: "return this.#end(actorKey(type, name), 'deleted', command, () => false, timeoutMs)",
        replace: "return this.#end(actorKey(type, name), 'deleted', command, () => true, timeoutMs)",
      },
    ],
    tests: [
      inLifecycle('A1 delete while the host is cut off: the name is not free before the host is recovered'),
    ],
  },
  {
    name: 'lowerTheFloor',
    rule: 'A7',
    breaks: 'the floor of forgotten names is that of the last one, and one before it gets its numbers again',
    patch: [
      {
        file: 'mesh/registry/life-numbers.ts',
        find: 'epoch: Math.max(floor.epoch, numbers.epoch),',
        replace: 'epoch: numbers.epoch,',
      },
    ],
    tests: [
      test(
        'mesh/registry/endings.test.ts',
        'A7 no life of a name has the incarnation or an epoch of another one, however many names come and go',
      ),
    ],
  },
  {
    name: 'theDeadAskAgain',
    rule: 'A5',
    breaks: 'a command of a boot that was given up meanwhile is carried out a second time',
    patch: [
      {
        file: 'mesh/registry/apply.ts',
        find: "  if (table.boots.get(boot)?.status === 'dead')\n    return reject(",
        replace: "  if (table.boots.get(boot)?.boot === '')\n    return reject(",
      },
    ],
    tests: [
      inLifecycle(
        'A5 an actor that was made, and stopped by others, is not made again by a peer that was cut off before it heard',
      ),
    ],
  },
  {
    name: 'createUnderTheNextBoot',
    rule: 'A5',
    breaks:
      'a peer that was given up while it created an actor asks for it once more, under a number of its new boot',
    patch: [
      {
        file: 'node/driver.ts',
        find: "command.kind === 'create' ? !command.again : REPEATABLE.has(command.kind)",
        replace: "command.kind === 'create' || REPEATABLE.has(command.kind)",
      },
    ],
    tests: [
      inLifecycle(
        'A5 an actor that was made, and stopped by others, is not made again by a peer that was cut off before it heard',
      ),
    ],
  },
  {
    name: 'acceptLossAgain',
    rule: 'A5',
    breaks:
      'a peer that was given up while it accepted a loss accepts it once more, and with it what could not be lost then',
    patch: [
      {
        file: 'node/driver.ts',
        find: "['noop', 'stop', 'kill', 'delete', 'move']",
        replace: "['noop', 'stop', 'kill', 'delete', 'move', 'acceptLoss']",
      },
    ],
    beyondSeeds: 'nobody is told to give anything up there',
    tests: [
      test(
        'testnet/sim/rescue.test.ts',
        'A5 a loss that was accepted once is not accepted again by a peer that was cut off before it heard',
      ),
    ],
  },
  {
    name: 'answerTheDead',
    rule: 'A5',
    breaks:
      'a peer takes the refusal of a command of a boot that is over for the answer, and does not ask as the next one',
    patch: [
      {
        file: 'mesh/core.ts',
        find: 'if (!isOver) this.#issuer.settle()',
        replace: 'this.#issuer.settle()',
      },
    ],
    tests: [
      inLifecycle(
        'A5 what a peer asked for before it was given up is asked for again under its next boot, seed 2',
      ),
    ],
  },
  {
    name: 'deleteAtOnce',
    rule: 'A1 R4',
    breaks: 'an actor is forgotten while its host still runs it',
    patch: [
      {
        file: ENDINGS,
        find: '  if (isOver || actor.home === null) end(table, next)\n',
        replace: '  if (isOver || actor.home !== undefined) end(table, next)\n',
      },
    ],
    tests: [
      inLifecycle('A1 delete while the host is cut off: the name is not free before the host is recovered'),
    ],
  },
  {
    name: 'killWithoutRelease',
    rule: 'A1 R4',
    breaks:
      'a killed actor gets its next home before its last one has written what it acknowledged to nobody',
    patch: [
      {
        file: ENDINGS,
        find: "    table.actors.set(key, { ...actor, status: { kind: 'moving', ...to, killed: true } })\n",
        replace:
          "    table.actors.set(key, { ...actor, home: null, epoch: epoch + 1, base: 0, status: { kind: 'running' } })\n",
      },
    ],
    tests: [
      inLifecycle('kill: the life ends in the middle of a call; the state comes back, and calls happen once'),
    ],
  },
  {
    name: 'killedGoesOn',
    rule: 'H3 (homes)',
    breaks: 'a method of an actor that was killed goes on to call others',
    patch: [
      {
        file: 'node/actors/live-actor.ts',
        find: 'const goesOn = (): boolean => !this.#dead',
        replace: 'const goesOn = (): boolean => true',
      },
    ],
    tests: [inLifecycle('kill: a method that runs calls nobody any more')],
  },
  {
    name: 'killedHookGoesOn',
    rule: 'H3 (homes)',
    breaks: 'onDeactivate of an actor that is killed meanwhile goes on to call others',
    patch: [
      {
        file: HOMED,
        find: 'const goesOn = (): boolean => this.#ended === undefined && !this.#isAbandoned',
        replace: 'const goesOn = (): boolean => this.#ended === undefined',
      },
      { file: HOMED, find: '    this.#leaveAlone()\n', replace: '' },
    ],
    tests: [inLifecycle('kill: onDeactivate calls nobody any more and is not waited for, passivated')],
  },
  {
    name: 'lateHookGoesOn',
    rule: 'G5 H3 (homes)',
    breaks:
      'a hook that took too long goes on to call others, in nobody’s name and from a state that is dropped',
    patch: [
      {
        file: 'node/actors/local-seat.ts',
        find: '    const scope = new CallScope({ ...work.scope, owner: this.#instance, draft })\n',
        replace:
          "    const scope = new CallScope({ ...work.scope, owner: this.#instance, draft })\n    if (kind === 'hook') work.scope.cancellation.listen(() => { scope.open = false })\n",
      },
    ],
    tests: [inLifecycle('G5 a hook that is too late calls nobody any more')],
  },
  {
    name: 'giveUpAtOnce',
    rule: 'A1 R4',
    breaks: 'an actor is dead as soon as its host reports a start too many, whatever that host serves by now',
    patch: [
      {
        file: ENDINGS,
        find: '  actor.home === null ? deadActor(actor, cause)',
        replace: '  actor.home !== undefined ? deadActor(actor, cause)',
      },
    ],
    tests: [
      inLifecycle(
        'R4 an actor is given up when its host has released it: a report of failed starts that comes after a start that worked',
      ),
    ],
  },
  {
    name: 'restartForEver',
    rule: 'section 6',
    breaks: 'an actor whose starts fail is tried again without end, whatever its class says',
    patch: [
      {
        file: ENDINGS,
        find: '  if (maxRestarts < 0 || count <= maxRestarts) return next\n',
        replace: '  if (count > 0) return next\n',
      },
    ],
    tests: [
      inLifecycle(
        'crash loop: an actor that takes its hosts down is slowed down, and dead after maxRestarts',
      ),
    ],
  },
]
