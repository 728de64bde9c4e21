// Bugs of what a state is, and of when it is written.

import { type Mutant, test } from '../mutant.ts'

const LOG = 'checkpoint/actor-log.ts'
const MIGRATION = 'node/actors/migration.ts'
const LIVE = 'node/actors/live-actor.ts'
const CHECKPOINTS = 'node/actors/checkpoints.ts'
const inLog = (title: string) => test('checkpoint/actor-log.test.ts', title)
const inCheckpoints = (title: string) => test('node/actors/checkpoints.test.ts', title)
const inOwnState = (title: string) => test('node/actors/own-state.test.ts', title)
const inProofs = (title: string) => test('testnet/sim/actors-proofs.test.ts', title)
const inVersions = (title: string) => test('node/actors/versions.test.ts', title)

const LEFT = 'L6 G5 what others hear of waits for everything before it, and makes the call itself durable'

export const stateMutants: readonly Mutant[] = [
  {
    name: 'snapshotAfterRelease',
    rule: 'A7 (log) H3 (homes)',
    breaks:
      'a call that asks for a sync writes a snapshot after the release, and the next home gives its number again',
    patch: [
      { file: LOG, find: "if (!this.#released || kind === 'release') this.#push(", replace: 'this.#push(' },
    ],
    tests: [inLog('A7 nothing gets a number after a release: who asks for a snapshot gets that')],
  },
  {
    name: 'claimASync',
    rule: 'W5',
    breaks: 'a keeper says that blocks are on its disk which the operating system has',
    patch: [
      {
        file: 'mesh/logs/keeper.ts',
        find: 'const synced = Math.min(log.synced, length)',
        replace: 'const synced = length',
      },
    ],
    tests: [
      inProofs(
        'W5 a call that asks for it is on the disks of a majority when it is answered, and another one is not',
      ),
    ],
  },
  {
    name: 'syncedByOne',
    rule: 'W5',
    breaks: 'what one keeper has on its disk counts as synced',
    patch: [
      {
        file: 'mesh/logs/writer.ts',
        find: 'const synced = majorityLength(this.#replicas.map((replica) => replica.synced))',
        replace: 'const synced = Math.max(...this.#replicas.map((replica) => replica.synced))',
      },
    ],
    beyondSeeds: 'no power fails there between the answer and the next sync of the others',
    tests: [inProofs('W5 one keeper’s disk is not enough')],
  },
  {
    name: 'throwBeforeTheSync',
    rule: 'W5',
    breaks: 'a call that asks for a sync is told of an error before what it saw is on any disk',
    patch: [
      {
        file: 'node/actors/live-actor.ts',
        find: "wantsProof(job.frame, 'result' in outcome ? 'result' : 'error')",
        replace: "wantsProof(job.frame, 'result') && 'result' in outcome",
      },
    ],
    tests: [
      test(
        'testnet/sim/actors-proofs.test.ts',
        'W5 what a call threw is told when what it saw is on the disks of a majority',
      ),
    ],
  },
  {
    name: 'syncOnce',
    rule: 'W5',
    breaks: 'a keeper whose answer was lost is not asked again to sync, and the caller waits for ever',
    patch: [
      {
        file: 'mesh/logs/writer.ts',
        find: ' || !replica.informed || this.#wantsSync(replica)',
        replace: ' || !replica.informed',
      },
    ],
    tests: [inProofs('a lost answer of a keeper is asked for again')],
  },
  {
    name: 'migrateInMemory',
    rule: 'H2 (homes)',
    breaks: 'a migrated state is no record: what follows is written as a change to the old one',
    patch: [
      {
        file: LOG,
        find: "    this.#version = version\n    this.#push({ sequence: this.#sequence + 1, kind: 'snapshot' })\n",
        replace: '    this.#version = version\n',
      },
    ],
    beyondSeeds: 'ledgers have one version',
    tests: [inLog('H2 a migrated state is a record, and not durable before that is acknowledged')],
  },
  {
    name: 'forgetVersion',
    rule: 'A1',
    breaks: 'a snapshot does not say of which version its state is, so it is migrated again',
    patch: [{ file: LOG, find: '      version: this.#version,\n', replace: '      version: 0,\n' }],
    beyondSeeds: 'ledgers have one version',
    tests: [inLog('A1 a snapshot says of which version its state is, and a replay has it')],
  },
  {
    name: 'forgetMeanwhile',
    rule: 'A6',
    breaks: 'what changes while a snapshot is made in slices is taken, and not written',
    patch: [{ file: LOG, find: 'return [made, ...deltas]', replace: 'return [made]' }],
    beyondSeeds: 'states of ledgers are small',
    tests: [test('checkpoint/actor-log.test.ts')],
  },
  {
    name: 'partsWithoutNumbers',
    rule: 'E1',
    breaks: 'parts of one record that are encrypted one by one can be exchanged',
    patch: [
      {
        file: 'checkpoint/cipher.ts',
        find: "...(place.what === 'part' ? [place.part, place.parts] : []),",
        replace: '',
      },
    ],
    beyondSeeds: 'nobody exchanges parts there',
    tests: [
      test(
        'checkpoint/encrypted-records.test.ts',
        'E1 parts that are encrypted one by one can not be exchanged, left out, or put into another record',
      ),
    ],
  },
  {
    name: 'runTheNewer',
    rule: 'H2 (homes)',
    breaks: 'a class runs on a state of a newer version',
    patch: [{ file: MIGRATION, find: 'log.version !== info.version', replace: 'log.version < info.version' }],
    beyondSeeds: 'ledgers have one version',
    tests: [
      inVersions(
        'a state that is newer than the class here waits, says why, loses nothing, and is never given up for it',
      ),
    ],
  },
  {
    name: 'migrateInPlace',
    rule: 'H2 (homes)',
    breaks: 'a migration that throws in the middle leaves what it did so far, as a state of the old version',
    patch: [
      {
        file: MIGRATION,
        find: 'const old = decodeUser(encode(earlier), makeRef)',
        replace: 'const old: unknown = earlier',
      },
    ],
    beyondSeeds: 'ledgers have one version',
    tests: [
      inVersions(
        'a migration that throws, or is missing, has changed nothing: it waits for a class that can',
      ),
    ],
  },
  {
    name: 'leakTheUnsaved',
    rule: 'L6 G5',
    breaks: 'a call under a relaxed policy tells other actors of changes that may be lost',
    patch: [
      {
        file: LIVE,
        find: "'write', job, base, () => this.#gate(base.sequence), agenda)",
        replace: "'write', job, base, () => this.#readGate(job.frame, base.sequence), agenda)",
      },
    ],
    tests: [inCheckpoints(LEFT)],
  },
  {
    name: 'putOffWhatLeft',
    rule: 'L6',
    breaks: 'a call that others know of is answered before it is written, under a relaxed policy',
    patch: [
      {
        file: LIVE,
        find: 'const relaxed = isKnown ? undefined : this.#relaxed(job.frame) // L6',
        replace: 'const relaxed = isKnown && added.length < 0 ? undefined : this.#relaxed(job.frame)',
      },
    ],
    tests: [inCheckpoints(LEFT)],
  },
  {
    name: 'relaxSends',
    rule: 'L6 S3 (sends)',
    breaks: 'a send is answered before its target has written it, and its sender forgets it',
    patch: [
      {
        file: LIVE,
        find: 'isSend(id) || this.log.durable < this.#begun) return undefined',
        replace: "(id.path === '-' && isSend(id)) || this.log.durable < this.#begun) return undefined",
      },
    ],
    tests: [inCheckpoints('a send that arrived is durable before its sender forgets it')],
  },
  {
    name: 'answerTheUnbegun',
    rule: 'H2 (homes)',
    breaks: 'an actor under a relaxed policy answers before there is anything of it on any disk',
    patch: [
      {
        file: LIVE,
        find: 'isSend(id) || this.log.durable < this.#begun) return undefined',
        replace: 'isSend(id)) return undefined',
      },
    ],
    tests: [inCheckpoints('H2 the very first call is answered when the actor is durable, and not before')],
  },
  {
    name: 'endlessWindow',
    rule: 'W2',
    breaks: 'a host that is cut off goes on answering calls, all of which are lost',
    patch: [
      {
        file: CHECKPOINTS,
        find: 'while (this.#log.durable < sequence && this.#isTooMuch(policy)) {',
        replace: 'while (this.#log.durable < sequence && this.#stopped && this.#isTooMuch(policy)) {',
      },
    ],
    beyondSeeds: 'how much is lost is not looked at there',
    tests: [
      inCheckpoints('W2 no more than twice its calls are answered and not durable: then callers wait'),
      inCheckpoints('W2 no answered call stays unsaved for longer than twice its time: then callers wait'),
    ],
  },
  {
    name: 'putOffForEver',
    rule: 'W1',
    breaks: 'what was answered is written when the next call comes, and not in its time',
    patch: [
      {
        file: CHECKPOINTS,
        find: 'if (this.#clock.now() < open.dueAt) return this.#arm(open.dueAt)',
        replace: 'if (this.#clock.now() < open.dueAt) return',
      },
    ],
    beyondSeeds: 'how much is lost is not looked at there',
    tests: [inCheckpoints('W1 the calls of a checkpoint are answered at once, and written together')],
  },
  {
    name: 'waitForNobody',
    rule: 'A5',
    breaks: 'who waits for what was put off waits until somebody else has it written',
    patch: [{ file: LOG, find: '    if (sequence > this.#asked) this.#ask()\n', replace: '' }],
    tests: [inLog('are written when somebody waits for them, or with the next change that is not put off')],
  },
  {
    name: 'durableTooEarly',
    rule: 'A5',
    breaks: 'local reads show what was put off after the last record was taken',
    patch: [
      {
        file: LOG,
        find: 'this.#durableState = this.#unacknowledged.shift()!.state',
        replace: 'this.#unacknowledged.shift()\n      this.#durableState = this.#state',
      },
    ],
    beyondSeeds: 'no ledger reads locally there',
    tests: [inLog('are written when somebody waits for them, or with the next change that is not put off')],
  },
  {
    name: 'keepTheSpoiled',
    rule: 'O2 G4',
    breaks: 'what a call that threw did to the fields of its object is part of the next one’s state',
    patch: [{ file: LIVE, find: '    this.#spoil() // O2\n', replace: '' }],
    tests: [
      inOwnState(
        'O2 G4 a call that throws leaves nothing behind: the next one gets another object, from before it',
      ),
    ],
  },
  {
    name: 'lendTheState',
    rule: 'O1',
    breaks: 'an object gets the log’s own state, so that what it changes there is in no record',
    patch: [
      {
        file: 'node/actors/own-state.ts',
        find: 'decodeUser(encode(state), makeRef)',
        replace: '(makeRef === undefined ? encode(state) : state)',
      },
    ],
    tests: [
      inOwnState('Ray’s page, as it stands: a state named state, and both methods called from elsewhere'),
    ],
  },
  {
    name: 'readInBetween',
    rule: 'O3',
    breaks: 'a read sees fields that a call under way has half changed',
    patch: [
      {
        file: LIVE,
        find: 'if (this.#isRead(job) && !this.#init.info.ownState) {',
        replace: 'if (this.#isRead(job)) {',
      },
    ],
    tests: [
      inOwnState(
        'O3 a read waits for the write under way, and one that changes fields fails and leaves nothing behind',
      ),
    ],
  },
]
