// What the demo shows: its table, its JSON, its live lines. The demo itself is run by testnet/demo/demo.test.ts.

import { expect, test } from 'vitest'
import type { DemoResult } from '../testnet/demo/demo.ts'
import { LiveLines, type LiveState } from './live.ts'
import { resultJson, resultText } from './testnet-text.ts'

const RESULT: DemoResult = {
  peers: 5,
  actors: 50,
  seconds: 22.04,
  acknowledged: 5000,
  failed: 0,
  comparison: { lost: [], twice: [], unacknowledged: 1 },
  kills: [
    {
      what: 'busiest host',
      peer: 3,
      peerId: 'A',
      at: 0,
      lost: ['a', 'b'],
      detectedMs: new Map([
        [0, 40.4],
        [1, 60],
      ]),
      answeredMs: new Map([
        ['a', 300],
        ['b', 350],
      ]),
      wholeMs: 900,
    },
  ],
  reunited: true,
  ok: true,
}

test('the table of a good run', () => {
  const text = resultText(RESULT)
  expect(text).toMatch(/calls acknowledged +5000 in 22 s\n/)
  expect(text).toMatch(/lost +0\n/)
  expect(text).toMatch(/applied twice +0\n/)
  expect(text).toMatch(/actors recovered +2 of 2\n/)
  expect(text).toMatch(/busiest host \(peer-3\) +2 of 2 +40 ms +60 ms +300 ms +350 ms +900 ms\n/)
  expect(text).toContain('Nothing acknowledged was lost, nothing was applied twice.\n')
})

test('the table of a bad run says what failed', () => {
  const comparison = { lost: ['p0.1-7'], twice: ['p0.1-8'], unacknowledged: 0 }
  const kills = RESULT.kills.map((kill) => ({ ...kill, answeredMs: new Map([['a', 300]]) }))
  const text = resultText({ ...RESULT, comparison, kills, ok: false, reunited: false })
  expect(text).toContain(
    'FAILED: 1 acknowledged call lost, first p0.1-7; 1 call applied twice, first p0.1-8; ' +
      '1 actor not answering again in time; the peers did not all come together again.',
  )
})

test('the shape for programs', () => {
  expect(resultJson(RESULT)).toEqual({
    ok: true,
    peers: 5,
    actors: 50,
    seconds: 22,
    calls: { acknowledged: 5000, failed: 0, lost: 0, appliedTwice: 0, appliedUnacknowledged: 1 },
    kills: [
      {
        what: 'busiest host',
        peer: 'peer-3',
        actors: 2,
        recovered: 2,
        detectionMs: { p50: 40.4, max: 60 },
        firstCallMs: { p50: 300, max: 350 },
        copiesRestoredMs: 900,
      },
    ],
    reunited: true,
  })
})

const progress = (phase: string, elapsedMs: number, acknowledged: number): LiveState => ({
  phase,
  elapsedMs,
  acknowledged,
  notes: [],
  peers: [
    { name: 'peer-0', process: 'running', actors: 10, head: true },
    { name: 'peer-1', process: 'SIGKILL', actors: 0, head: false },
  ],
})

test('a terminal gets lines that rewrite themselves, and keeps one line per phase', () => {
  let text = ''
  const live = new LiveLines((more) => {
    text += more
  }, true)
  live.show(progress('steady load', 1000, 0))
  live.show(progress('steady load', 2000, 250))
  expect(text).toContain('\u001b[3A\u001b[J  2.0 s  250 calls acknowledged, 250/s\n')
  expect(text).toContain(`peer-0   ${'█'.repeat(30)} 10  head\n`)
  expect(text).toContain('peer-1   × SIGKILL\n')
  expect(text.match(/steady load/g)).toHaveLength(1)
  live.end()
  expect(text.endsWith('\u001b[3A\u001b[J')).toBe(true)
})

test('elsewhere: a line per phase and one every few seconds, without control characters', () => {
  let text = ''
  const live = new LiveLines((more) => {
    text += more
  }, false)
  for (let at = 0; at < 12_000; at += 250) live.show(progress(at < 3000 ? 'starting' : 'steady load', at, at))
  live.end()
  expect(text.split('\n')).toHaveLength(4)
  expect(text).not.toContain('\u001b')
})
