import { expect, test } from 'vitest'
import type { CallsRow, Row } from './case.ts'
import { aligned, short, shown, tables } from './table.ts'

test.each<[number, string]>([
  [0, '0'],
  [0.012345, '0.0123'],
  [1.2345, '1.23'],
  [1.5, '1.5'],
  [12.345, '12.3'],
  [120, '120'],
  [123.45, '123'],
  [123_456, '123000'],
  [0.99999, '1'],
  [0.0000012, '0.000001'],
  [Number.NaN, '–'],
])('%d is shown as %s', (value, text) => {
  expect(short(value)).toBe(text)
})

test('a spread of one round is one number', () => {
  expect(shown({ median: 2, min: 1, max: 3 })).toBe('2 (1–3)')
  expect(shown({ median: 2, min: 2, max: 2 })).toBe('2')
})

const same = (value: number) => ({ median: value, min: value, max: value })
const row = (subject: string, more: Partial<CallsRow> = {}): CallsRow => ({
  kind: 'calls',
  group: 'one by one',
  subject,
  p50Ms: same(1),
  p99Ms: same(2),
  maxMs: same(3),
  perSecond: same(1000),
  count: 10,
  ratios: [],
  ...more,
})

test('calls, figures and notes of a case', () => {
  const rows: Row[] = [
    { kind: 'note', text: 'Erlang/OTP: 25' },
    row('echo'),
    row('call', {
      ratios: [{ to: 'echo', by: 'latency', ...same(1.5) }],
      stalls: { stallMs: 12, workMs: 3 },
    }),
    { kind: 'figure', group: 'at rest', name: 'memory', unit: 'MiB', value: same(80) },
  ]
  expect(tables(rows).split('\n')).toEqual([
    '| one by one | p50 ms | p99 ms | per second | ratio                  | longest stall (own work) ms |',
    '| ---------- | ------ | ------ | ---------- | ---------------------- | --------------------------- |',
    '| echo       | 1      | 2      | 1000       |                        |                             |',
    '| call       | 1      | 2      | 1000       | 1.5 × the time of echo | 12 (3)                      |',
    '',
    '| at rest | figure |',
    '| ------- | ------ |',
    '| memory  | 80 MiB |',
    '',
    'Erlang/OTP: 25',
  ])
})

test('a column in which no line has anything is left out', () => {
  expect(
    aligned([
      ['a', 'b'],
      ['x', ''],
    ]),
  ).toBe('| a   |\n| --- |\n| x   |')
})
