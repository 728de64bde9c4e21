// Bugs of homes: how an actor's state is written, restored, copied and released.

import { inActorScenarios, inHomes, type Mutant, test } from '../mutant.ts'

const HOMED = 'node/actors/homed-actor.ts'
const LIVE = 'node/actors/live-actor.ts'
const HOST = 'node/actors/host.ts'
const LOG = 'checkpoint/actor-log.ts'
const BATCHER = 'checkpoint/batcher.ts'
const inLog = (title?: string) => test('checkpoint/actor-log.test.ts', title)
const inBatcher = (title?: string) => test('checkpoint/batcher.test.ts', title)
const COPIER = 'node/actors/copier.ts'

export const homeMutants: readonly Mutant[] = [
  {
    name: 'newestJournalWins',
    rule: 'section 6',
    breaks: 'a new home takes the state from the newest journal that has any record of the actor',
    patch: [
      {
        file: 'node/actors/restorer.ts',
        find: 'b.epoch - a.epoch || b.order - a.order',
        replace: 'b.order - a.order',
      },
    ],
    tests: [inHomes('newestJournalWins: the state is taken from the newest stay, in however old a journal')],
  },
  {
    name: 'anyEpochWins',
    rule: 'section 6',
    breaks: 'records of an earlier stay in the same journal are taken for those of this one',
    patch: [
      {
        file: 'checkpoint/journal-index.ts',
        find: 'this.#chains.get(lifeKey(life))',
        replace: 'this.#chains.get(lifeKey({ ...life, epoch: 0 }))',
      },
      {
        file: 'checkpoint/journal-index.ts',
        find: 'const key = lifeKey(entry)',
        replace: 'const key = lifeKey({ ...entry, epoch: 0 })',
      },
      {
        file: 'checkpoint/replay.ts',
        find: 'incarnation !== life.incarnation || epoch !== life.epoch)',
        replace: 'incarnation !== life.incarnation || epoch < 0)',
      },
    ],
    tests: [
      inActorScenarios(
        'move away, write there, and back to a host that dies before its first snapshot: the write is not lost',
      ),
    ],
  },
  {
    name: 'passOverASource',
    rule: 'H1 (homes)',
    breaks: 'a source that cannot be read at present is passed over',
    patch: [
      {
        file: 'node/actors/restorer.ts',
        find: 'await reader.read(source, life)',
        replace: 'await reader.read(source, life).catch(() => [])',
      },
    ],
    tests: [inHomes('H1 passOverASource: a new home that cannot read the state waits for it')],
  },
  {
    name: 'freshAnswersAtOnce',
    rule: 'H2 (homes)',
    breaks: 'a fresh actor answers before its first state is anywhere but in memory',
    patch: [
      {
        file: HOMED,
        find: '    if (log !== this.#log.now) this.#log.begin(log) // H2: every base is at or after it\n',
        replace: '',
      },
    ],
    tests: [inActorScenarios('H2 what a fresh actor was at its first answer, it is after its host died')],
  },
  {
    name: 'serveAfterRelease',
    rule: 'H3 (homes)',
    breaks: 'an actor goes on serving at its old home after its release record',
    patch: [
      {
        file: HOST,
        find: "    if (entry.status.kind !== 'running') return {",
        replace: "    if (entry.status.kind === 'stopped') return {",
      },
      {
        file: HOMED,
        find: '    if (this.#releasing || this.#ended !== undefined)',
        replace: '    if (this.#ended !== undefined)',
      },
      {
        file: LIVE,
        find: "    if (this.#draining !== undefined) reply({ kind: 'retry', why: 'the actor is moving' })\n    else if",
        replace: '    if',
      },
    ],
    tests: [
      inHomes(
        'H3 serveAfterRelease: between its release and the registry’s word for it an actor answers nothing',
      ),
    ],
  },
  {
    name: 'startAfterRelease',
    rule: 'H3 (homes)',
    breaks: 'a call that waited for a state that was released meanwhile is executed on it',
    patch: [
      {
        file: HOMED,
        find: "    for (const { reply } of this.#takeArrivals()) reply({ kind: 'retry', why: 'the actor is moving' })\n    await",
        replace: '    await',
      },
      {
        file: HOMED,
        find: '    this.check()\n    if (this.#releasing) throw new',
        replace: '    this.check()\n    if (this.#releasing && this.#ended !== undefined) throw new',
      },
    ],
    tests: [
      inHomes('H3 startAfterRelease: a call that waited for a state which moves on is not executed on it'),
    ],
  },
  {
    name: 'moveWithoutDrain',
    rule: 'section 6',
    breaks: 'an actor is released while one of its methods runs',
    patch: [{ file: HOMED, find: '    await this.#live?.drain()\n', replace: '' }],
    tests: [
      inActorScenarios(
        'moveWithoutDrain: a release waits for the method that runs, so nothing is acknowledged behind it',
      ),
    ],
  },
  {
    name: 'releaseUnacknowledged',
    rule: 'R4',
    breaks: 'a release is reported before its record is acknowledged',
    patch: [
      {
        file: HOMED,
        find: "    await log.writeSnapshot('release')\n    return log.position\n",
        replace: "    void log.writeSnapshot('release')\n    return log.position\n",
      },
    ],
    tests: [],
  },
  {
    name: 'trimBeforeTheSync',
    rule: 'T1 (homes)',
    breaks: 'an actor’s older journals are given up while its copy in the present one is on no disk yet',
    patch: [
      {
        file: 'node/actors/copier.ts',
        find: 'const synced = journals.side(copied[0]!.class).sync({ journal, index })',
        replace: 'const synced = Promise.resolve(journals !== undefined && index >= 0)',
      },
    ],
    tests: [
      inHomes(
        'T1 what was on disks for long outlives a power failure that follows a move: old journals are given up when the copy is synced',
      ),
    ],
  },
  {
    name: 'trimBeforeTheCopy',
    rule: 'A4',
    breaks: 'an actor’s older journals are given up before its copy in the present one is acknowledged',
    patch: [
      {
        file: HOMED,
        find: '    if (log.position === undefined || isOld(log.position)) await log.writeSnapshot()\n    return log.position!\n',
        replace: `    const { key } = await this.#services.journals.current(this.entry.options.class)
    if (log.position === undefined || isOld(log.position)) void log.writeSnapshot()
    return log.position ?? { journal: key, index: 0 }
`,
      },
    ],
    tests: [
      inActorScenarios(
        'retireEarly: an older journal stays a source until the copy of its actor is acknowledged',
      ),
    ],
  },
  {
    name: 'readBeyondL',
    rule: 'R10',
    breaks: 'a new home reads what lies beyond the length that a journal was sealed at',
    patch: [
      {
        file: 'node/actors/journal-reader.ts',
        find: 'const own = await this.#indexes.of(source.journal).find(life, source.length)',
        replace:
          'const held = await this.#store.length(source.journal)\n    const own = await this.#indexes.of(source.journal).find(life, Math.max(held, source.length))',
      },
    ],
    tests: [
      test(
        'node/actors/journal-reader.test.ts',
        'R10 readBeyondL: what this store holds beyond the length at which a journal ended is not read',
      ),
      inActorScenarios('what lies beyond the sealed length is never read, not even where it is at hand'),
    ],
  },
  {
    name: 'rollDuringReadConfirmation',
    rule: 'section 5',
    breaks: 'a read that waits for a journal that rolls waits for ever',
    patch: [
      {
        file: 'node/actors/journal-writer.ts',
        find: '      await Promise.race([said, rolled])\n',
        replace: '      await (journal.key === undefined ? rolled : said)\n',
      },
    ],
    tests: [
      inHomes(
        'rollDuringReadConfirmation: a read that waits for a journal that is left behind is confirmed by the next',
      ),
    ],
  },
  {
    name: 'snapshotWithoutCalls',
    rule: 'A1 T3 (records)',
    breaks: 'a snapshot leaves out the calls that its state contains',
    patch: [{ file: LOG, find: '      calls: this.calls.toData(),\n', replace: '      calls: [],\n' }],
    tests: [inLog()],
  },
  {
    name: 'settleLater',
    rule: 'A1 (records)',
    breaks: 'a snapshot may hold the change of a call without the call',
    patch: [
      {
        file: LOG,
        find: '    if (call !== undefined) this.calls.settle(call, this.#sequence)\n',
        replace:
          '    const { sequence } = this\n    queueMicrotask(() => queueMicrotask(() => call && this.calls.settle(call, sequence)))\n',
      },
    ],
    tests: [inLog(), test('node/actors/exactly-once.test.ts')],
  },
  {
    name: 'firstRecordIsADelta',
    rule: 'A3 (records)',
    breaks: 'the first record of an actor in a journal is a change of something that is elsewhere',
    patch: [
      {
        file: LOG,
        find: 'this.#journal === journal ? this.#deltas(pending) : undefined // A3',
        replace: 'this.#deltas(pending)',
      },
    ],
    tests: [inLog()],
  },
  {
    name: 'takenForAnotherJournal',
    rule: 'B1',
    breaks: 'the rest of a record goes into the next journal when the one it began in is rolled',
    patch: [
      {
        file: BATCHER,
        find: '      if (this.#restJournal !== undefined && (this.#restJournal.rolled || this.#restJournal !== journal))\n        this.#cutOff()\n',
        replace: '',
      },
    ],
    tests: [inBatcher('a journal that rolls under a large record: it starts again in the next one')],
  },
  {
    name: 'partsOutOfOrder',
    rule: 'B2',
    breaks: 'what is left of a large record is written from its end',
    patch: [
      {
        file: BATCHER,
        find: '        else this.#rest.push(piece)',
        replace: '        else this.#rest.unshift(piece)',
      },
    ],
    tests: [inBatcher('B2: a large record is cut, its parts stay together and in order, others follow')],
  },
  {
    name: 'writeOnAfterAFailure',
    rule: 'B3',
    breaks: 'after an append failed, what was built on it is written all the same',
    patch: [{ file: BATCHER, find: '    this.stop() // B3\n', replace: '' }],
    tests: [inBatcher('B3: after a failed append nothing more is written or acknowledged')],
  },
  {
    name: 'copyAnEarlierLife',
    rule: 'T2 G1',
    breaks:
      'a copy that waits for its turn is of the life that the name had then, and takes the place of the next one',
    patch: [
      {
        file: COPIER,
        find: '  readonly #wanted = new Set<ActorKey>()\n',
        replace: '  readonly #wanted = new Map<ActorKey, ActorEntry>()\n',
      },
      {
        file: COPIER,
        find: 'this.#wanted.add(entry.key)\n    this.#work()',
        replace: 'this.#wanted.set(entry.key, entry)\n    this.#work()',
      },
      {
        file: COPIER,
        find: 'for (const key of this.#wanted) {',
        replace: 'for (const [key, entry] of this.#wanted) {',
      },
      {
        file: COPIER,
        find: "      const entry = this.#init.mesh.registry?.actors.get(key)\n      if (entry?.home !== this.#init.boot || entry.status.kind !== 'running') continue // T2\n",
        replace: '',
      },
      {
        file: COPIER,
        find: 'this.#wanted.add(entry.key)\n    this.#again.ask()',
        replace: 'this.#wanted.set(entry.key, now)\n    this.#again.ask()',
      },
    ],
    tests: [
      test(
        'node/actors/copier.test.ts',
        'T2 who waits for its turn is copied as the life that it is by then',
      ),
    ],
  },
]
