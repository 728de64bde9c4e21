// Real processes: an actor's past, earlier states and copies, through the control socket, while its host is killed.

import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from '../node/control/client.ts'
import { createTestnet } from './testnet.ts'

test('the host is killed: the history goes on, an earlier state is had back, and a copy has it', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished, peer: () => ({ control: true }) })
  for (const token of ['one', 'two', 'three']) await net.call(0, 'Ledger', 'a', 'add', [token])
  const host = net.hostOf(await net.views(), 'Ledger', 'a')
  const from = net.peers.find(({ index }) => index !== host)!
  const mesh = new ControlClient(from.dir)
  const name = { type: 'Ledger', name: 'a' }
  const before = await mesh.history(name)
  expect(before.records.map(({ record }) => record)).toEqual([4, 3, 2, 1])
  expect(before.records.slice(0, 3).map(({ method }) => method)).toEqual(['add', 'add', 'add'])
  for (const { at } of before.records) expect(Math.abs(Date.now() - at!)).toBeLessThan(600_000)

  await mesh.fork({ ...name, as: 'b', record: 3 })
  const restoring = mesh.restore('Ledger', 'a', 3).catch((error: Error) => error.message)
  await net.kill(host)
  // Not done before the kill, the record may be gone with its journal: then nothing was changed.
  const restored = await restoring
  const tokens = (of: string): Promise<unknown> => net.call(from.index, 'Ledger', of, 'tokens')
  const held = typeof restored === 'number' ? ['one', 'two'] : ['one', 'two', 'three']
  if (typeof restored === 'string') expect(restored).toContain('record 3 of Ledger/a is not kept')
  expect(await tokens('a')).toEqual(held)
  expect(await tokens('b')).toEqual(['one', 'two'])
  await net.call(from.index, 'Ledger', 'b', 'add', ['other'])
  expect(await tokens('a')).toEqual(held)
  const { records } = await mesh.history(name)
  expect(records.filter(({ kind }) => kind === 'restore').length).toBeLessThanOrEqual(1)
  await expect(mesh.fork({ ...name, as: 'b' })).rejects.toThrow('there is an actor of that name')
  await expect(mesh.history({ ...name, name: 'nobody' })).rejects.toThrow('there is no actor Ledger/nobody')
})
