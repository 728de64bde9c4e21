// Bugs of journals: how they are opened, rolled and closed by their host, and recovered by the head.

import { inRecoveries, inScenarios, type Mutant, test } from '../mutant.ts'

const JOURNALS = 'mesh/journals.ts'
const RECOVERY = 'mesh/recovery.ts'
const JOURNAL_RECOVERY = 'mesh/journal-recovery.ts'

export const journalMutants: readonly Mutant[] = [
  {
    name: 'writeBeforeOpen',
    rule: 'J1',
    breaks: 'a host whose journal was refused writes it all the same, with itself as the only keeper',
    patch: [
      {
        file: JOURNALS,
        find: '        if (result.ok)\n          return this.#owner.holds',
        replace: '        if (result.ok || boot)\n          return this.#owner.holds',
      },
      {
        file: JOURNALS,
        find: '    const entry = this.#follower.state?.journals.get(key)\n',
        replace: `    const alone = [{ peer: env.self, store: env.store }]
    const entry = this.#follower.state?.journals.get(key) ?? {
      class: opening.class, keepers: alone, order: 1, status: { kind: 'open' },
    }
`,
      },
    ],
    tests: [],
  },
  {
    name: 'notDeposed',
    rule: 'J2',
    breaks: 'a boot that is dead in the registry goes on as if it were not',
    patch: [
      {
        file: 'mesh/core.ts',
        find: '    if (isOver) this.#depose()\n',
        replace: '    if (isOver && own.boot === undefined) this.#depose()\n',
      },
    ],
    tests: [inScenarios('seal-during-a-write-in-flight: the host stops at every of its messages once')],
  },
  {
    name: 'ackAfterClose',
    rule: 'J3',
    breaks: 'a journal goes on acknowledging after the length that it is closed at was named',
    patch: [
      {
        file: JOURNALS,
        find: "    journal.state = 'closing'\n    journal.writer.stop()\n",
        replace: "    journal.state = 'closing'\n",
      },
      {
        file: JOURNALS,
        find: "    for (const { token } of journal.waiting.splice(0)) this.#env.emit({ type: 'abandoned', token })\n",
        replace: '',
      },
    ],
    tests: [
      inScenarios(
        'J3 ackAfterClose: what comes late into a journal whose length is named is acknowledged to nobody',
      ),
    ],
  },
  {
    name: 'closeAtWritten',
    rule: 'J4',
    breaks: 'a rolled journal is closed at what its host wrote, not at what is acknowledged',
    patch: [
      {
        file: JOURNALS,
        find: 'length: journal.writer.committed }',
        replace: 'length: journal.writer.length }',
      },
    ],
    tests: [
      test(
        'testnet/sim/lost-majority.test.ts',
        'a journal that loses its majority is left behind: its host goes on in a fresh one, and may die then',
      ),
    ],
  },
  {
    name: 'waitForALostMajority',
    rule: 'J4',
    breaks: 'a rolled journal that lost its majority is waited for, and so is everything in it',
    patch: [
      {
        file: JOURNALS,
        find: 'const waited = this.#env.now - journal.drainingSince >= this.#env.settings.stepTimeoutMs',
        replace: 'const waited = journal.drainingSince < 0',
      },
    ],
    tests: [
      test(
        'testnet/sim/lost-majority.test.ts',
        'a journal that loses its majority is left behind: its host goes on in a fresh one, and may die then',
      ),
    ],
  },
  {
    name: 'deposedByTheForgetful',
    rule: 'J5 G7',
    breaks: 'a host whose keepers lost their copies gives itself up, and nobody can recover it',
    patch: [
      {
        file: JOURNALS,
        find: '        keeperLost: ({ store }) => void lost.add(store),\n',
        replace:
          '        keeperLost: ({ store }) => void (lost.add(store).size * 2 > entry.keepers.length && this.#owner.deposed()),\n',
      },
    ],
    tests: [
      test(
        'testnet/sim/lost-majority.test.ts',
        'a journal whose keepers come back with empty disks is left behind: what its host has is not lost',
      ),
    ],
  },
  {
    name: 'minoritySealOfAJournal',
    rule: 'R4',
    breaks: 'a lost boot is recovered after one keeper of its journal was sealed',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: '.length >= majority(this.#keepers.length)\n    if (best',
        replace: '.length >= 1\n    if (best',
      },
    ],
    tests: [],
  },
  {
    name: 'shortestJournal',
    rule: 'V1',
    breaks: 'a lost boot’s journal ends at the shortest length that a keeper sealed',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'longest.length >= answer.length ? longest',
        replace: 'longest.length <= answer.length ? longest',
      },
    ],
    tests: [],
  },
  {
    name: 'skipRepair',
    rule: 'R4 V1',
    breaks: 'a recovery is committed while only one keeper holds all of the journal',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'this.#known === undefined ? majority(this.#keepers.length) : 1',
        replace: 'this.#known === undefined ? 1 : 1',
      },
    ],
    tests: [],
  },
  {
    name: 'unknownCounts',
    rule: 'R7 V2',
    breaks: 'a keeper that lost a journal counts as one that sealed it empty',
    patch: [
      {
        file: RECOVERY,
        find: "    else if (message.kind === 'sealed' && journal.sealed(from, message)) this.#ask()\n",
        replace: `    else if (message.kind === 'sealed' && journal.sealed(from, message)) this.#ask()
    else if (message.kind === 'unknown')
      journal.sealed(from, {
        ...message, kind: 'sealed', length: 0, hash: '', tainted: false, ballot: { n: this.#term, boot: this.#env.boot },
      })
`,
      },
      {
        file: 'mesh/core.ts',
        find: "      case 'unknown':\n        this.#journals.handle(message)\n",
        replace:
          "      case 'unknown':\n        this.#steward.handle(from, message)\n        this.#journals.handle(message)\n",
      },
    ],
    tests: [inRecoveries('unknownCounts: a keeper that lost its disk does not speak for what was on it')],
  },
  {
    name: 'leaveOutRepaired',
    rule: 'K4 V4',
    breaks:
      'where loss is accepted a journal is cut where its last copy was when it was sealed, whatever repair has brought there since',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'filled && filled.length > message.length ?',
        replace: 'filled && filled.length < message.length ?',
      },
    ],
    beyondSeeds: 'nobody is told to give anything up there',
    tests: [
      test(
        'testnet/sim/rescue.test.ts',
        'K4 what a repair had brought to the last keeper before it broke off is not left out, seed 14',
      ),
    ],
  },
  {
    name: 'refuseForAShortCopy',
    rule: 'V4 G6',
    breaks:
      'of a journal whose only copy is too short nobody can accept the loss, and its actors wait for ever',
    patch: [
      {
        file: 'mesh/registry/loss.ts',
        find: '.length >= majority(keepers.length)',
        replace: '.length > 0',
      },
    ],
    beyondSeeds: 'nobody is told to give anything up there',
    tests: [
      test(
        'testnet/sim/rescue.test.ts',
        'a boot that was recovered, of whose journal only a shorter copy is left, can be given up too, seed 17',
      ),
    ],
  },
  {
    name: 'waitAnew',
    rule: 'V4',
    breaks:
      'with each of its own terms a head forgets that keepers are missing, and refuses that a loss is accepted',
    patch: [
      {
        file: 'mesh/registry/steward.ts',
        find: 'const waitingSince = this.#waitingSince.get(boot) ?? env.now',
        replace: 'const waitingSince = env.now',
      },
    ],
    beyondSeeds: 'nobody is told to give anything up there',
    tests: [
      test(
        'testnet/sim/rescue.test.ts',
        'a head whose term gives way to its own next one knows that keepers are missing',
      ),
    ],
  },
  {
    name: 'deafToTheReturned',
    rule: 'V4',
    breaks: 'where loss is accepted who comes back with more before that is committed is not heard',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'if (this.#goal?.loss && answer.length',
        replace: 'if (this.#goal?.loss && !answer.length',
      },
    ],
    beyondSeeds: 'nobody is told to give anything up there',
    tests: [
      test(
        'mesh/journal-recovery.test.ts',
        'V4 who comes back with more before the loss is committed is heard',
      ),
    ],
  },
  {
    name: 'taintedCounts',
    rule: 'V3',
    breaks: 'what a keeper has of an unsynced log after its power failed counts as all it acknowledged',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'answers.filter(({ tainted }) => !tainted).length >=',
        replace: 'answers.length >=',
      },
    ],
    tests: [
      inRecoveries('taintedCounts: a keeper whose power failed does not speak for what it acknowledged'),
    ],
  },
  {
    name: 'lossWithoutConsent',
    rule: 'V4',
    breaks: 'a recovery that lacks keepers ends a journal where those who are there have it, asked or not',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: '    if (!this.#lossAccepted || now',
        replace: '    if (now',
      },
      { file: JOURNAL_RECOVERY, find: 'return this.#lossAccepted && waited', replace: 'return waited' },
    ],
    tests: [inRecoveries('unknownCounts: a keeper that lost its disk does not speak for what was on it')],
  },
  {
    name: 'onlyLinksAreHere',
    rule: 'G7',
    breaks:
      'a recovery forgets what keepers answered whom it reaches through others only, and asks them again, without end',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'return this.#env.reaches(peer) || now - heardAt < settings.stepTimeoutMs',
        replace: 'return this.#env.reaches(peer) || now < heardAt',
      },
    ],
    tests: [
      test(
        'testnet/sim/relays.test.ts',
        'keepers that the head has no link to at all are sealed and repaired, and not asked without end',
      ),
    ],
  },
  {
    name: 'waitForALostTail',
    rule: 'G7 V1',
    breaks: 'a recovery waits for a keeper that alone has what was never acknowledged',
    patch: [{ file: JOURNAL_RECOVERY, find: '    this.#forgetLostTail()\n', replace: '' }],
    tests: [
      inRecoveries(
        'only-one-keeper-has-the-tail-and-dies-in-repair: nobody waits for what was never acknowledged',
      ),
    ],
  },
  {
    name: 'onlyOneSourceOfARepair',
    rule: 'G7',
    breaks: 'a repair asks the holder that it began with, and no other',
    patch: [
      {
        file: JOURNAL_RECOVERY,
        find: 'able[this.#asked % Math.max(1, able.length)]?.peer ?? this.#goal?.source',
        replace: 'this.#goal?.source ?? able[this.#asked]?.peer',
      },
    ],
    tests: [inScenarios('only-one-keeper-has-the-tail-and-dies-in-repair: another holder is asked')],
  },
]
