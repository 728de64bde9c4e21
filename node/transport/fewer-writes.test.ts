import { Socket } from 'node:net'
import type { Stream } from '@libp2p/interface'
import { afterEach, expect, it, vi } from 'vitest'
import { renewWindowLate } from './fewer-writes.ts'
import { confirm, Peers, until } from './test-peers.ts'

const MESSAGES = 100

const peers = new Peers()
afterEach(async () => {
  vi.restoreAllMocks()
  await peers.stop()
})

it('V1, V2 a message is one write, and is not answered with another one', async () => {
  const [a, b] = [await peers.start(), await peers.start()]
  await a.network.connectTo(b.addresses)
  await until(() => b.isLinked(a), [a, b])
  const write = vi.spyOn(Socket.prototype, 'write')
  for (let round = 0; round < MESSAGES; round++) {
    a.network.send(b.id, confirm(round))
    await until(() => b.of('message').length > round, [a, b])
  }
  expect(write.mock.calls.length).toBeGreaterThanOrEqual(MESSAGES)
  // Beside them pings and gossip go on.
  expect(write.mock.calls.length).toBeLessThan(1.5 * MESSAGES)
})

it('V2 the window is renewed when half of it is used, and at once while a stream is being opened', () => {
  const stream = { state: 3, recvWindow: 1000, recvWindowCapacity: 600, renewed: 0 }
  const yamux = Object.assign(stream, {
    sendWindowUpdate: () => {
      stream.renewed++
    },
  })
  expect(renewWindowLate(yamux as unknown as Stream)).toBe(true)
  yamux.sendWindowUpdate()
  expect(stream.renewed).toBe(0)
  stream.recvWindowCapacity = 499
  yamux.sendWindowUpdate()
  expect(stream.renewed).toBe(1)
  Object.assign(stream, { state: 2, recvWindowCapacity: 900 })
  yamux.sendWindowUpdate()
  expect(stream.renewed).toBe(2)
  expect(renewWindowLate({ send: () => true } as unknown as Stream)).toBe(false)
})
