import { expect, test } from 'vitest'
import { duration, percentile, printable, table } from './output.ts'
import {
  parseActor,
  parseAddress,
  parseArgument,
  parseCount,
  parseDuration,
  parseLabels,
  parseResources,
} from './parse.ts'

test.each([
  ['zone=a', { zone: 'a' }],
  ['zone=a, disk=ssd', { zone: 'a', disk: 'ssd' }],
  ['note=a=b', { note: 'a=b' }],
  ['empty=', { empty: '' }],
  ['', {}],
])('labels %j', (text, labels) => expect(parseLabels(text)).toEqual(labels))

test.each(['zone', '=a', 'zone=a,zone=b'])('labels %j are refused', (text) => {
  expect(() => parseLabels(text)).toThrow('--labels')
})

test.each([
  ['gpu=2', { gpu: 2 }],
  ['gpu=2, slots=0.5', { gpu: 2, slots: 0.5 }],
  ['gpu=0', { gpu: 0 }],
  ['', {}],
])('resources %j', (text, resources) => expect(parseResources(text)).toEqual(resources))

test.each([
  'gpu',
  '=1',
  'gpu=',
  'gpu=-1',
  'gpu=x',
  'gpu=1e3',
  'gpu=0.0001',
  'gpu=9999999999999',
  'gpu=1,gpu=2',
])('resources %j are refused', (text) => {
  expect(() => parseResources(text)).toThrow('--resources')
})

test.each([
  '127.0.0.1:4001',
  'shop.example:1',
  '[::1]:4001',
  '/ip4/10.0.0.1/tcp/4001',
  '/dns4/a.example/tcp/1/p2p/12D3KooW',
  '0.0.0.0:0',
])('address %s', (text) => expect(parseAddress(text, '--listen')).toBe(text))
test.each(['', '4001', ':4001', 'a:b', 'a:70000', '::1:4001', '/ip4/10.0.0.1', 'http://a:1'])(
  'address %j is refused',
  (text) => {
    expect(() => parseAddress(text, '--join')).toThrow('--join')
  },
)

test.each([
  ['2', 2],
  ['-1.5', -1.5],
  ['true', true],
  ['null', null],
  ['"2"', '2'],
  ['[1]', [1]],
  ['express', 'express'],
  ['2026-01-01', '2026-01-01'],
])('argument %j', (text, value) => expect(parseArgument(text)).toEqual(value))
test.each(['{a: 1}', '[1', '"open', ' '])('argument %j is refused', (text) => {
  expect(() => parseArgument(text)).toThrow('not valid JSON')
})

test.each([
  ['1500', 1500],
  ['500ms', 500],
  ['5s', 5000],
  ['1.5m', 90_000],
])('duration %s', (text, ms) => expect(parseDuration(text, '--timeout')).toBe(ms))
test.each(['0', '-1s', '5h', 'soon', '99999m'])('duration %s is refused', (text) => {
  expect(() => parseDuration(text, '--timeout')).toThrow('--timeout')
})

test('actors and counts', () => {
  expect(parseActor('Counter/a/b')).toEqual({ type: 'Counter', name: 'a/b' })
  expect(() => parseActor('/a')).toThrow('<type>/<name>')
  expect(parseCount('7', '--peers', 4, 30)).toBe(7)
  expect(() => parseCount('7.5', '--peers', 4, 30)).toThrow('whole number')
})

test('text for people', () => {
  expect([
    duration(0.6),
    duration(1500),
    duration(61_000),
    duration(7_260_000),
    duration(260_000_000),
  ]).toEqual(['1 ms', '1.5 s', '1 min 1 s', '2 h 1 min', '3 d 0 h'])
  expect(percentile([3, 1, 2, 4], 0.5)).toBe(2)
  expect(percentile([3, 1, 2], 1)).toBe(3)
  expect(percentile([], 0.5)).toBeUndefined()
  expect(printable('a\u001b[2J\nb')).toBe('a?[2J?b')
  const columns = [
    { title: 'n', value: (n: number) => n, align: 'right' as const },
    { title: 'gone', value: () => '' },
  ]
  expect(table([1, 10], columns)).toBe(' N\n 1\n10\n')
})
