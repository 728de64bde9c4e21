// The bank's judgement: a good history is good, and each way of losing, making or doubling money is noticed.

import { expect, test } from 'vitest'
import type { Recorded } from '../workload.ts'
import type { BookEntry } from './actors.ts'
import { bank } from './bank.ts'

type Rest = Partial<Recorded>

const account = (name: string, method: string, id: string, start: number, rest: Rest): Recorded => ({
  type: 'ChaosAccount',
  name,
  method,
  args: [],
  id,
  peer: 0,
  start,
  end: start + 1,
  outcome: 'ok',
  ...rest,
})
const transfer = (id: string, start: number, rest: Rest): Recorded =>
  account('account-0', 'transfer', id, start, { args: [id, 'account-1', 30], ...rest })
const look = (name: string, id: string, start: number, size: number, balance: number): Recorded =>
  account(name, 'look', id, start, { result: { size, balance } })
const went = (id: string, amount = 30): BookEntry => ({ id, other: 'account-1', amount: -amount })
const came = (id: string, amount = 30): BookEntry => ({ id, other: 'account-0', amount })
const sum = (entries: readonly BookEntry[]): number =>
  entries.reduce((total, { amount }) => total + amount, 100)

/** Books of all accounts, read at the end. */
const books = (first: readonly BookEntry[], second: readonly BookEntry[], start = 100): readonly Recorded[] =>
  Array.from({ length: 8 }, (_, i) => {
    const entries = [first, second][i] ?? []
    const result = { size: entries.length, balance: sum(entries), entries }
    return account(`account-${i}`, 'book', `end-${i}-${start}`, start, { result })
  })
const auditOf = (
  id: string,
  start: number,
  seen: readonly (readonly [number, number, number])[],
): Recorded => ({
  ...account('', 'audit', id, start, {}),
  type: 'ChaosAuditor',
  name: 'auditor-0',
  end: start + 10,
  result: seen.map(([n, size, balance]) => ({ name: `account-${n}`, size, balance })),
})

const X = transfer('x', 0, { result: { done: true, size: 1, balance: 70 } })
const OPEN: Rest = { outcome: 'unknown' }

const good: readonly Recorded[] = [
  X,
  transfer('no client', 2, OPEN),
  transfer('poor', 6, { result: { done: false, size: 2, balance: 40 } }),
  look('account-0', 'l1', 8, 2, 40),
  look('account-1', 'l2', 9, 1, 130),
  // Received before it was read at the receiver, sent after it was read at the sender: the cut was before and after.
  auditOf('a1', 0.5, [
    [0, 0, 100],
    [1, 1, 130],
  ]),
  ...books([went('x'), went('no client')], [came('x')], 20),
  ...books([went('x'), went('no client')], [came('x'), came('no client')]),
]

test('a good history is good, also while money is on its way', () => {
  expect(bank.check(good, true)).toEqual([])
  const underWay = good.filter(({ start }) => start < 100)
  expect(bank.check(underWay, false)).toEqual([])
  expect(bank.check(underWay, true)).toMatchObject([
    { promise: 'lost', text: 'no client left account-0 and never came to account-1' },
    { promise: 'conserved', text: '800 in all accounts at first, 770 at last' },
  ])
})

test('it rests when everything that went has come', () => {
  expect(bank.rested?.(books([went('x')], [came('x')]))).toBe(true)
  expect(bank.rested?.(books([went('x')], []))).toBe(false)
  expect(bank.rested?.(books([], []).slice(1))).toBe(false)
})

test.each<[string, string, readonly Recorded[]]>([
  ['an acknowledged transfer is in no book', 'order', [X, ...books([], [])]],
  ['it left and never came', 'lost', [X, ...books([went('x')], [])]],
  ['it came twice', 'twice', [X, ...books([went('x')], [came('x'), came('x')])]],
  ['it left twice', 'twice', [X, ...books([went('x'), went('x')], [came('x')])]],
  ['it came and never left', 'conserved', [transfer('x', 0, OPEN), ...books([], [came('x')])]],
  ['more came than left', 'conserved', [X, ...books([went('x')], [came('x', 31)])]],
  ['nobody sent it', 'order', [...books([went('y')], [came('y')])]],
  [
    'it happened although the sender was too poor',
    'order',
    [
      transfer('x', 0, { result: { done: false, size: 0, balance: 100 } }),
      ...books([went('x')], [came('x')]),
    ],
  ],
  [
    'it happened although it was said not to be executed',
    'order',
    [transfer('x', 0, { outcome: 'refused' }), ...books([went('x')], [came('x')])],
  ],
  [
    'a balance that its book does not have',
    'conserved',
    [X, look('account-1', 'l', 50, 1, 131), ...books([went('x')], [came('x')])],
  ],
  ['a balance below zero', 'conserved', [transfer('x', 0, { result: { done: true, size: 1, balance: -1 } })]],
  ['an old balance', 'order', [X, look('account-0', 'l', 50, 0, 100), ...books([went('x')], [came('x')])]],
  [
    'the money was seen before it had left',
    'conserved',
    [
      transfer('x', 0, OPEN),
      look('account-1', 'l1', 10, 1, 130),
      look('account-0', 'l2', 20, 0, 100),
      ...books([went('x')], [came('x')]),
    ],
  ],
  [
    'an audit saw the money come that, looking later, it did not see leave',
    'conserved',
    [
      transfer('x', 0, OPEN),
      auditOf('a', 10, [
        [1, 1, 130],
        [0, 0, 100],
      ]),
      ...books([went('x')], [came('x')]),
    ],
  ],
])('%s', (_what, promise, history) => {
  expect(bank.check(history, true).map((problem) => problem.promise)).toContain(promise)
})
