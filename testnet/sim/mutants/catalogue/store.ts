// Bugs of a store on a real disk.

import { type Mutant, test } from '../mutant.ts'

const STORE = 'checkpoint/hypercore-store.ts'
const LOGS = 'checkpoint/hypercore-logs.ts'
const WAL = 'checkpoint/wal-sync.ts'
const JOURNAL = 'checkpoint/facts-journal.ts'
const inStore = (title?: string) => test('checkpoint/hypercore-store.test.ts', title)
const inWal = (title?: string) => test('checkpoint/wal-sync.test.ts', title)

/** The simulator's disks are in memory. */
const DISK = 'a real disk'

export const storeMutants: readonly Mutant[] = [
  {
    name: 'syncOnlyCurrentWal',
    rule: 'W1 (disk)',
    breaks: 'a sync that follows a rotation leaves out the file that was written before it',
    patch: [
      { file: WAL, find: '    if (current !== this.#from) await this.#syncOlder(current)\n', replace: '' },
    ],
    beyondSeeds: DISK,
    tests: [
      inStore('survives a power failure up to the last sync, through rotations of the WAL (W1)'),
      inWal(),
    ],
  },
  {
    name: 'walWithoutItsName',
    rule: 'W2 (disk)',
    breaks: 'a new file is synced and the directory that names it is not',
    patch: [
      { file: WAL, find: '      await this.#disk.syncDirectory(this.#directory) // W2\n', replace: '' },
    ],
    beyondSeeds: DISK,
    tests: [inWal()],
  },
  {
    name: 'claimASyncOfNothing',
    rule: 'W3 (disk)',
    breaks: 'a sync is claimed although the file that rocksdb writes to is not where it was looked for',
    patch: [
      {
        file: WAL,
        find: 'if (!(await this.#disk.sync(this.#path(current))) && (await this.#currentWal()) === current) {',
        replace: 'if (!(await this.#disk.sync(this.#path(current))) && current < 0) {',
      },
    ],
    beyondSeeds: DISK,
    tests: [inWal('takes a WAL that is gone for flushed, but never the current one (W3)')],
  },
  {
    name: 'factsBeforeBlocks',
    rule: 'S2',
    breaks: 'a seal is on disk before the blocks that it counts',
    patch: [{ file: STORE, find: '    await this.#syncing.request() // S2\n', replace: '' }],
    beyondSeeds: DISK,
    tests: [inStore('syncs the blocks before the facts that count them (S2)')],
  },
  {
    name: 'forgetStored',
    rule: 'H4 (disk)',
    breaks: 'a log forgets some of the blocks that it has when another one is appended',
    patch: [
      {
        file: LOGS,
        find: '  if (whole < BYTES_PER_PAGE) page[whole] = 2 ** (stored % 8) - 1\n',
        replace: '',
      },
    ],
    beyondSeeds: DISK,
    tests: [
      inStore(
        'H4 knows which blocks it has, across pages and openings, without reading that back or writing it twice',
      ),
    ],
  },
  {
    name: 'operationsOverlap',
    rule: 'S1',
    breaks: 'operations on one log do not take turns',
    patch: [
      {
        file: STORE,
        find: "    return this.#turns.take(log, () => this.#guard('The disk failed', work))\n",
        replace: "    return this.#guard('The disk failed', work)\n",
      },
    ],
    beyondSeeds: DISK,
    tests: [inStore()],
  },
  {
    name: 'retryAFailedSync',
    rule: 'S3',
    breaks: 'a store goes on after a sync failed',
    patch: [
      {
        file: STORE,
        find: '      this.#failure ??= new StoreFailedError(what, error)\n      throw this.#failure\n',
        replace: '      throw new StoreFailedError(what, error)\n',
      },
    ],
    beyondSeeds: DISK,
    tests: [inStore('fails for good after a failed sync (S3)')],
  },
  {
    name: 'reuseWriterKey',
    rule: 'S4',
    breaks: 'a store appends to a log that it holds a copy of, with a key of its own',
    patch: [
      {
        file: STORE,
        find: '      if (!open?.writable) throw new NotWritableError(log) // S4\n',
        replace: '      if (!open) throw new NotHeldError(log, 1, 0)\n',
      },
      {
        file: LOGS,
        find: '    return new OpenLog(core, writer, keyPair)\n',
        replace: '    return new OpenLog(core, writer, keyPair ?? newKeyPair())\n',
      },
    ],
    beyondSeeds: DISK,
    tests: [inStore()],
  },
  {
    name: 'logBeforeItsName',
    rule: 'S5',
    breaks: 'a log is on the disk from the moment it is created, before anything there says what it is',
    patch: [
      {
        file: STORE,
        find: '    this.#new.set(name, created) // S5\n',
        replace: '    this.#open.set(name, await this.#logs.create(created))\n',
      },
    ],
    beyondSeeds: DISK,
    tests: [inStore()],
  },
  {
    name: 'factsNotSynced',
    rule: 'F1 (disk)',
    breaks: 'a promise is answered before the file that holds it is synced',
    patch: [{ file: JOURNAL, find: '    await this.#file.datasync()\n', replace: '' }],
    beyondSeeds: DISK,
    tests: [
      test(
        'checkpoint/facts-journal.test.ts',
        'F1 factsNotSynced: a change is synced before anybody is told',
      ),
    ],
  },
  {
    name: 'forgiveDamage',
    rule: 'F2 (disk)',
    breaks: 'damage in the middle of the promises is taken for their end',
    patch: [{ file: JOURNAL, find: '      refuseDamage(bytes, offset, path)\n', replace: '' }],
    beyondSeeds: DISK,
    tests: [inStore('refuses damage before the last entry')],
  },
  {
    name: 'forgetSealOnDisk',
    rule: 'R1 R2',
    breaks: 'a snapshot of the facts leaves out what this store promised about its logs',
    patch: [
      {
        file: 'checkpoint/facts.ts',
        find: '      logs: Object.fromEntries(this.#logs),\n',
        replace:
          '      logs: Object.fromEntries([...this.#logs].map(([key, { seal: _, ...rest }]) => [key, rest])),\n',
      },
    ],
    beyondSeeds: DISK,
    tests: [inStore()],
  },
]
