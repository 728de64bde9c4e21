import { expect, test } from 'vitest'
import { parseActorKey, peerId } from '../mesh/ids.ts'
import { NodeEventSource } from './node-events.ts'

test('what actors tell of sends and alarms reaches the app in its own terms', () => {
  const events = new NodeEventSource(peerId('p'), (peer) => ({ peerId: peer, name: peer }))
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
})
