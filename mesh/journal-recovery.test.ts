import { expect, test } from 'vitest'
import { logKey } from './ids.ts'
import { JournalRecovery, type Sealed } from './journal-recovery.ts'
import type { JournalEntry } from './registry/types.ts'
import { Bench, boot, peer, store } from './role.testing.ts'

const KEEPERS = ['a', 'b', 'c']
const journal: JournalEntry = {
  key: logKey('journal'),
  boot: boot('a'),
  class: { level: 'replicated', keepers: 3 },
  keepers: KEEPERS.map((name) => ({ peer: peer(name), store: store(name) })),
  order: 1,
  status: { kind: 'sealed', length: 5, hash: 'hash-5' },
}

/** The recovery of a journal on peer `z`, where what is missing is given up. */
function givenUp(entry: JournalEntry) {
  const { env } = new Bench('z', KEEPERS)
  const recovery = new JournalRecovery(env, entry, true)
  return {
    answer: (from: string, rest: Pick<Sealed, 'length'> & Partial<Sealed>) =>
      recovery.sealed(peer(from), {
        kind: 'sealed',
        log: entry.key,
        store: store(from),
        ballot: { n: 1, boot: env.boot },
        hash: `hash-${rest.length}`,
        tainted: false,
        ...rest,
      }),
    /** Until what is there is taken. */
    wait: () => {
      env.now += env.settings.absentPeerGraceMs
      recovery.tick()
    },
    end: () => {
      env.now += env.settings.absentPeerGraceMs
      recovery.tick()
      env.now += env.settings.stepTimeoutMs
      return recovery.end
    },
  }
}

test('K4 a journal that was recovered whole is not cut where its last copy was when it was sealed', () => {
  const { answer, end } = givenUp(journal)
  answer('c', { length: 3, filled: { length: 5, hash: 'hash-5' } })
  expect(end()).toEqual({ length: 5, hash: '' })
})

test('K4 of copies that are there the longest counts, whether it was so at its seal or was repaired since', () => {
  const { answer, end } = givenUp({ ...journal, status: { kind: 'open' } })
  answer('b', { length: 4 })
  answer('c', { length: 3, filled: { length: 6, hash: 'hash-6' } })
  expect(end()).toMatchObject({ length: 6, hash: 'hash-6' })
})

test('V4 without any copy it ends at nothing, and says that nobody answered', () => {
  const { end } = givenUp({ ...journal, status: { kind: 'open' } })
  expect(end()).toEqual({ length: 0, hash: '', loss: { answered: 0, keepers: 3 } })
})

test('V4 who comes back with more before the loss is committed is heard', () => {
  const { answer, wait, end } = givenUp({ ...journal, status: { kind: 'open' } })
  answer('c', { length: 3 })
  wait()
  answer('b', { length: 5 })
  expect(end()).toEqual({ length: 5, hash: 'hash-5' })
})
