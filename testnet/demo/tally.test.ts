import { expect, test } from 'vitest'
import { Tally } from './tally.ts'

const ack = (name: string, token: string, by = 'B', at = 0) => ({ name, token, by, at, sentAt: at - 1 })

test('lost, applied twice, and applied without an acknowledgement are told apart', () => {
  const tally = new Tally()
  tally.ack(ack('a', 't1'))
  tally.ack(ack('a', 't2'))
  tally.ack(ack('b', 't3'))
  tally.ack(ack('c', 't4'))
  tally.fail()
  const ledgers = new Map([
    ['a', ['t1', 'x', 't1']],
    ['b', ['t3']],
  ])
  expect(tally.compare(ledgers)).toEqual({ lost: ['t2', 't4'], twice: ['t1'], unacknowledged: 1 })
  expect([tally.acknowledged, tally.failed]).toEqual([4, 1])
})

test('a reply the dead peer still sent is no recovery; the first one by another peer is', () => {
  const tally = new Tally()
  const kill = tally.killed({ what: 'head', peer: 0, peerId: 'A', at: 1000, lost: ['a', 'b'] })
  tally.ack(ack('a', 't1', 'A', 1001))
  expect(kill.answeredMs.size).toBe(0)
  tally.ack(ack('a', 't2', 'B', 1300))
  tally.ack(ack('a', 't3', 'B', 1400))
  tally.ack(ack('other', 't4', 'B', 1400))
  expect([...kill.answeredMs]).toEqual([['a', 300]])
})

test('detection is timed once per surviving peer', () => {
  const tally = new Tally()
  const kill = tally.killed({ what: 'head', peer: 0, peerId: 'A', at: 1000, lost: [] })
  tally.lostPeer(1, 'A', 1040)
  tally.lostPeer(2, 'A', 1060)
  tally.lostPeer(1, 'A', 9000)
  tally.lostPeer(1, 'Z', 1010)
  expect([...kill.detectedMs]).toEqual([
    [1, 40],
    [2, 60],
  ])
})

test('an actor lost twice is timed for each kill', () => {
  const tally = new Tally()
  const first = tally.killed({ what: 'busiest host', peer: 0, peerId: 'A', at: 1000, lost: ['a'] })
  tally.ack(ack('a', 't1', 'B', 1200))
  const second = tally.killed({ what: 'head', peer: 1, peerId: 'B', at: 2000, lost: ['a'] })
  tally.ack(ack('a', 't2', 'C', 2500))
  expect([first.answeredMs.get('a'), second.answeredMs.get('a')]).toEqual([200, 500])
})
