import { expect, test } from 'vitest'
import { type BootId, parseActorKey, peerId } from '../mesh/ids.ts'
import type { ActorReport } from '../mesh/registry/types.ts'
import { NodeEventSource } from './node-events.ts'

const source = () => {
  const unheard: [detail: object, text: string][] = []
  const events = new NodeEventSource(
    peerId('p'),
    (peer) => ({ peerId: peer, name: peer }),
    (...told) => unheard.push(told),
  )
  return { events, unheard }
}

test('what actors tell of sends and alarms reaches the app in its own terms', () => {
  const { events, unheard } = source()
  const told: unknown[] = []
  events.on('send:failed', (event) => told.push(event))
  events.on('alarm:failed', (event) => told.push(event))
  const error = new Error('no')
  const from = parseActorKey('Order/a/b')
  events.ofActors.sendFailed?.({ from, type: 'Shelf', name: 'x', method: 'take', error })
  events.ofActors.sendFailed?.({ from: undefined, type: 'Shelf', name: 'x', method: 'take', error })
  events.ofActors.alarmFailed?.({ actor: from, id: 'i', method: 'm', attempt: 1, willRetry: true, error })
  expect(told).toEqual([
    { from: { type: 'Order', name: 'a/b' }, type: 'Shelf', name: 'x', method: 'take', error },
    { from: undefined, type: 'Shelf', name: 'x', method: 'take', error },
    { type: 'Order', name: 'a/b', id: 'i', method: 'm', attempt: 1, willRetry: true, error },
  ])
  expect(unheard).toEqual([])
})

const boot = 'p/1' as BootId
const outcome = (name: string, outcome: ActorReport['outcome']): ActorReport => ({
  actor: parseActorKey(`Order/${name}`),
  outcome,
  detail: `because of ${name}`,
})
const reporting = (...actors: readonly ActorReport[]) => ({
  nextReport: 2,
  reports: [{ id: 1, kind: 'lost' as const, at: 0, boot, cause: 'it was silent', actors, more: 0 }],
})

test('a peer that was given up says so in the log where nobody listens', () => {
  const { events, unheard } = source()
  const deposed = { kind: 'deposed' as const, old: 'p/0' as BootId, boot }
  events.mesh(deposed)
  expect(unheard).toEqual([[{ boot }, expect.stringContaining('took this peer for lost')]])
  const told: unknown[] = []
  events.on('deposed', (event) => told.push(event))
  events.mesh(deposed)
  expect(told).toEqual([{ boot }])
  expect(unheard).toHaveLength(1)
})

test('actors that were not recovered are named in one line of the log where nobody listens', () => {
  const { events, unheard } = source()
  events.registry({ nextReport: 1, reports: [] })
  const dead = Array.from({ length: 6 }, (_, n) => outcome(`d${n}`, 'dead'))
  events.registry(
    reporting(outcome('r', 'recovered'), outcome('s', 'stopped'), outcome('w', 'waiting'), ...dead),
  )
  expect(unheard).toHaveLength(1)
  const [detail, text] = unheard[0]!
  expect(detail).toEqual({ report: 1 })
  expect(text).toMatch(/Order\/w is waiting: because of w; Order\/d0 is dead.*; and 2 more$/)
  expect(text).not.toMatch(/Order\/[rs] /)
})

test('an app that listens to recoveries hears of each, and the log of none', () => {
  const { events, unheard } = source()
  const told: unknown[] = []
  events.on('actor:recovered', ({ name, outcome }) => told.push([name, outcome]))
  events.registry({ nextReport: 1, reports: [] })
  events.registry(reporting(outcome('r', 'recovered'), outcome('d', 'dead')))
  expect(told).toEqual([
    ['r', 'recovered'],
    ['d', 'dead'],
  ])
  expect(unheard).toEqual([])
})
