// Bugs of a keeper: what it promises, and what it forgets.

import { inActorScenarios, inRecoveries, inScenarios, type Mutant, test } from '../mutant.ts'

const KEEPER = 'mesh/logs/keeper.ts'
const PROMISES = 'mesh/logs/promises.ts'
const LOGS = 'mesh/logs/kept-logs.ts'
const REPAIRS = 'mesh/logs/repairs.ts'
const POINTER = 'mesh/pointer.ts'
const inForgotten = (title: string) => test('testnet/sim/forgotten-logs.test.ts', title)
const inPromises = (title: string) => test('mesh/logs/promises.test.ts', title)

export const keeperMutants: readonly Mutant[] = [
  {
    name: 'forgetWithoutFloor',
    rule: 'R1 R7 K9',
    breaks: 'a journal whose name was forgotten is begun anew, and acknowledged beyond its end',
    patch: [{ file: LOGS, find: ': order < this.#journalFloor', replace: ': false' }],
    beyondSeeds: 'its writer must come back long after sixteen more were retired, and be told nothing',
    tests: [
      inForgotten(
        'a host that was away for long does not get its retired journal acknowledged by keepers that forgot it',
      ),
    ],
  },
  {
    name: 'forgetUnheard',
    rule: 'R7 K9',
    breaks: 'a keeper that never heard of a live journal answers for ever as if it had given it up',
    patch: [
      {
        file: LOGS,
        find: 'if (order < before) continue',
        replace: 'if (order >= 0) continue',
      },
    ],
    tests: [
      inForgotten(
        'a keeper that never heard of a journal answers for it all the same, whatever it forgot meanwhile',
      ),
    ],
  },
  {
    name: 'forgetUnopened',
    rule: 'R7 K9',
    breaks:
      'a host that did not hear that its journal is open gives it up when it starts again, and answers for it no more',
    patch: [
      {
        file: LOGS,
        find: 'if (order < before) continue',
        replace: 'if (order < before || this.#logs.has(key)) continue',
      },
    ],
    tests: [inForgotten('K9 a host that ends before it heard that its journal is open still answers for it')],
  },
  {
    name: 'forgetAhead',
    rule: 'R7 K9',
    breaks:
      'a store that has just started forgets a name that its registry, which is behind, cannot tell yet',
    patch: [
      {
        file: LOGS,
        find: "dropped === true && (logClass === 'registry' || (order >= 0 && order < after)),",
        replace: "dropped === true && (logClass === 'registry' || order < Infinity),",
      },
    ],
    beyondSeeds: 'it takes a start between two syncs, and a registry that is behind at that moment',
    tests: [test('mesh/logs/kept-logs.test.ts', 'K9 a name is kept until the floor is above its order')],
  },
  {
    name: 'orderAfterTheFloor',
    rule: 'R7 K9',
    breaks: 'the order of a journal that is just being written down comes to the disk after a floor above it',
    patch: [
      {
        file: 'mesh/logs/kept-logs.ts',
        find: '      if (!log.stored) logs[key] = log.facts\n',
        replace: '      if (log.facts.retired) logs[key] = log.facts\n',
      },
    ],
    tests: [
      test(
        'mesh/logs/kept-logs.test.ts',
        'K9 a journal that is just being written down for the first time has its order on the disk with the floor',
      ),
    ],
  },
  {
    name: 'ackAfterSeal',
    rule: 'R1 K1',
    breaks: 'a keeper goes on acknowledging records of a log that it sealed',
    patch: [
      {
        file: PROMISES,
        find: '    log.sealing = true\n    whenDrained',
        replace: '    whenDrained',
      },
    ],
    tests: [inScenarios('seal-during-a-write-in-flight: the host stops at every of its messages once')],
  },
  {
    name: 'sealWithoutDrain',
    rule: 'R1 K1',
    breaks: 'a seal waits for no write in flight, and the flag is not tested after the write',
    patch: [
      {
        file: LOGS,
        find: '  if (log.writesInFlight === 0) then()\n  else log.drained.push(then)',
        replace: '  then()',
      },
      {
        file: KEEPER,
        find: '    if (log.sealing) return this.#answerSealed(from, log)\n    if ((log.facts.class',
        replace: '    if ((log.facts.class',
      },
      {
        file: KEEPER,
        find: '      if (log.sealing) this.#answerSealed(from, log)\n      else this.#acknowledge(from, log, length)',
        replace: '      this.#acknowledge(from, log, length)',
      },
    ],
    tests: [inPromises('K1 sealWithoutDrain: a seal waits for the write under way, and counts it')],
  },
  {
    name: 'sealBeforeSync',
    rule: 'R2 K2',
    breaks: 'promises, seals and acceptances are answered before they are on disk',
    patch: [
      {
        file: PROMISES,
        find: `        env.persist({ logs: { [before.key]: facts } }, () => {
          // Another term was chosen meanwhile, and the log given up with what is said here of it.
          if (log.facts.retired === true) return
          this.#promised(before.key, ballot)
          then(facts)
        })
`,
        replace: `        env.persist({ logs: { [before.key]: facts } }, () => {})
        this.#promised(before.key, ballot)
        then(facts)
`,
      },
    ],
    tests: [inScenarios('adopt-a-dead-candidate’s-successor')],
  },
  {
    name: 'ackBeforeSync',
    rule: 'R2, section 3',
    breaks: 'a block of a registry log or a synced journal is acknowledged before it is synced',
    patch: [
      {
        file: KEEPER,
        find: "if ((log.facts.class === 'replicated' && !sync) || log.synced >= log.length)",
        replace: 'if (log.length >= 0)',
      },
    ],
    tests: [inScenarios('adopt-a-dead-candidate’s-successor')],
  },
  {
    name: 'heldBeforeSync',
    rule: 'V1, section 3',
    breaks: 'a keeper says that it holds a repaired log before that is synced',
    patch: [
      {
        file: REPAIRS,
        find: "        env.sync(() => env.send(to, { kind: 'held', log: message.log, store: env.store, length: log.length }))",
        replace:
          "        env.send(to, { kind: 'held', log: message.log, store: env.store, length: log.length })",
      },
    ],
    tests: [],
  },
  {
    name: 'forgetSeal',
    rule: 'R1 K1',
    breaks: 'a keeper that restarts does not know any more what it sealed',
    patch: [{ file: LOGS, find: 'sealing: facts.seal !== undefined }', replace: 'sealing: false }' }],
    tests: [inRecoveries('forgetSeal: a keeper that restarts still refuses what it sealed')],
  },
  {
    name: 'forgetPromise',
    rule: 'R2 R3',
    breaks: 'a keeper that restarts accepts ballots below the one it promised',
    patch: [
      {
        file: LOGS,
        find: '{ ...fresh(facts), stored: true, length',
        replace: '{ ...fresh(withoutPromise(facts)), stored: true, length',
      },
      {
        file: LOGS,
        find: 'function fresh(facts: LogFacts): KeptLog {',
        replace:
          'function withoutPromise({ promised: _, ...facts }: LogFacts): LogFacts {\n  return facts\n}\n\nfunction fresh(facts: LogFacts): KeptLog {',
      },
    ],
    tests: [inPromises('forgetPromise: after a restart, too')],
  },
  {
    name: 'acceptAnyBallot',
    rule: 'R3, section 3',
    breaks: 'a keeper accepts a successor under a ballot below the one it promised',
    patch: [
      {
        file: PROMISES,
        find: `      return pointer ? env.send(from, { kind: 'pointer', pointer }) : undefined
    }
    const promised = log.facts.promised
    if (promised && compareBallots(message.ballot, promised) < 0)`,
        replace: `      return pointer ? env.send(from, { kind: 'pointer', pointer }) : undefined
    }
    const promised = log.facts.promised
    if (promised && message.ballot.n < 0)`,
      },
      {
        file: PROMISES,
        find: '        if (before.promised && compareBallots(ballot, before.promised) < 0) return\n',
        replace: '',
      },
    ],
    tests: [],
  },
  {
    name: 'wipedDiskVotes',
    rule: 'R7 K3',
    breaks: 'a store answers a seal that is meant for the one that was on this peer before',
    patch: [
      {
        file: PROMISES,
        find: `    if (message.store !== env.store)
      return env.send(from, { kind: 'unknown', log: message.log, store: message.store })
    const pointer = this.#pointers.current
    const log`,
        replace: '    const pointer = this.#pointers.current\n    const log',
      },
      {
        file: PROMISES,
        find: "          kind: 'sealed',\n          log: message.log,\n          store: env.store,",
        replace: "          kind: 'sealed',\n          log: message.log,\n          store: message.store,",
      },
    ],
    tests: [
      inScenarios('wiped-keeper-with-its-old-peer-id: it has no vote, and a new keeper takes its place'),
      inPromises('R7: the store that was on this peer before is answered for by nobody'),
    ],
  },
  {
    name: 'sealAnswerChanges',
    rule: 'K4',
    breaks: 'a second answer to a seal names the length of that moment, not the one that was sealed',
    patch: [
      {
        file: PROMISES,
        find: '        ...seal,\n',
        replace: '        ...seal,\n        length: log.length,\n',
      },
    ],
    tests: [],
  },
  {
    name: 'sealRefusesRepair',
    rule: 'K5',
    breaks: 'a sealed log takes no missing blocks any more, so that nothing can be repaired',
    patch: [
      {
        file: REPAIRS,
        find: '    const repair = log.repair ?? {',
        replace: '    if (log.sealing) return\n    const repair = log.repair ?? {',
      },
    ],
    tests: [inScenarios('only-one-keeper-has-the-tail-and-dies-in-repair: another holder is asked')],
  },
  {
    name: 'appendToTainted',
    rule: 'K6',
    breaks: 'a keeper goes on with a log that it had not synced before its machine lost the power',
    patch: [
      { file: KEEPER, find: '    if (this.#logs.isTainted(log)) return answerUnknown()\n', replace: '' },
    ],
    tests: [
      inScenarios('power-loss-of-a-keeper-then-host-dies, replicated'),
      test(
        'testnet/sim/actors-proofs.test.ts',
        'W5 a keeper whose machine lost its power counts for nothing of what it had written, and the call waits for others',
      ),
    ],
  },
  {
    name: 'taintedSynced',
    rule: 'W5 K6',
    breaks:
      'a keeper whose machine lost its power goes on, and says that it has on its disk what it had written before',
    patch: [
      { file: KEEPER, find: '    if (this.#logs.isTainted(log)) return answerUnknown()\n', replace: '' },
      {
        file: KEEPER,
        find: '    const write = () => {\n',
        replace:
          '    if (this.#logs.isTainted(log)) return this.#acknowledge(from, { ...log, synced: message.length }, message.length)\n    const write = () => {\n',
      },
    ],
    tests: [
      test(
        'testnet/sim/actors-proofs.test.ts',
        'W5 a keeper whose machine lost its power counts for nothing of what it had written, and the call waits for others',
      ),
    ],
  },
  {
    name: 'confirmSealed',
    rule: 'R1 K1',
    breaks: 'a keeper confirms to a replaced host that it may still answer reads',
    patch: [
      {
        file: KEEPER,
        find: `    log.heardAt = env.now
    if (log.sealing) return this.#answerSealed(from, log)
    env.send(from, { kind: 'confirmed'`,
        replace: `    log.heardAt = env.now
    env.send(from, { kind: 'confirmed'`,
      },
    ],
    tests: [
      inActorScenarios(
        'frozen-host-wakes-and-answers-a-read: a client that knows nothing newer never hears the old state',
      ),
    ],
  },
  {
    name: 'pointerBeforeDisk',
    rule: 'R2',
    breaks: 'a pointer is believed and told before it is on disk',
    patch: [
      {
        file: POINTER,
        find: '    this.#env.persist({ pointer }, () => {\n',
        replace: '    this.#env.persist({ pointer }, () => {})\n    const stored = () => {\n',
      },
      {
        file: POINTER,
        find: '      for (const waiting of write.waiting) waiting()\n    })\n',
        replace: '      for (const waiting of write.waiting) waiting()\n    }\n    stored()\n',
      },
    ],
    tests: [inScenarios('adopt-a-dead-candidate’s-successor')],
  },
  {
    name: 'pointerMovesBack',
    rule: 'I12',
    breaks: 'a store takes over whatever pointer it is told, older ones too',
    patch: [
      {
        file: POINTER,
        find: '    if (comparePointers(pointer, this.#current) <= 0) return then()\n',
        replace: '    if (pointer.key === this.#current?.key) return then()\n',
      },
      {
        file: POINTER,
        find: '      if (comparePointers(pointer, before) > 0) {\n',
        replace: '      if (pointer.key !== before?.key) {\n',
      },
    ],
    tests: [],
  },
]
