// Bugs of the mailbox: who is served and who is kept out.

import { type Mutant, test } from '../mutant.ts'

const MAILBOX = 'node/actors/mailbox.ts'
const inMailbox = (title: string) => test('node/actors/mailbox.test.ts', title)

export const mailboxMutants: readonly Mutant[] = [
  {
    name: 'serveOneCallerOut',
    rule: 'M1',
    breaks: 'everything that one caller has sent comes before the first call of the next',
    patch: [
      {
        file: MAILBOX,
        find: '      this.#callers.delete(caller)\n      if (waiting.length > 0) this.#callers.set(caller, waiting) // M1\n',
        replace: '      if (waiting.length === 0) this.#callers.delete(caller)\n',
      },
    ],
    beyondSeeds: 'the order between callers is nobody’s promise there',
    tests: [inMailbox('M1, M2: random callers take turns, and each one’s calls keep their order')],
  },
  {
    name: 'newestFirst',
    rule: 'M2',
    breaks: 'the newest call of a caller is served before its older ones',
    patch: [{ file: MAILBOX, find: 'waiting.shift() // M2', replace: 'waiting.pop()' }],
    beyondSeeds: 'their clients wait for one answer before they send the next call',
    tests: [inMailbox('M1, M2: random callers take turns, and each one’s calls keep their order')],
  },
  {
    name: 'keepTheOthersOut',
    rule: 'M3',
    breaks: 'one caller fills the mailbox, and every other one is refused',
    patch: [
      {
        file: MAILBOX,
        find: 'if (most.length <= own + 1) return undefined // M3',
        replace: 'if (most.length <= own + 1 || this.#size > 0) return undefined',
      },
    ],
    beyondSeeds: 'they never fill a mailbox',
    tests: [inMailbox('one that floods does not keep another one out, and turns are taken')],
  },
  {
    name: 'runTheRefused',
    rule: 'G3',
    breaks: 'a call whose caller was told that it is not executed runs when a copy of it comes late',
    patch: [
      { file: 'node/actors/host.ts', find: 'if (this.#refused.has(token))', replace: 'if (this.#over)' },
    ],
    beyondSeeds: 'they never fill a mailbox',
    tests: [inMailbox('what was refused stays refused: a late copy is told the same and never runs')],
  },
]
