// Real processes: what an actor has to do survives the one that it lives in.

import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from './testnet.ts'

const SENDS = 20
const ALARM_MS = 3000

test('the host is killed: what it had to send is sent, and its alarm rings', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await net.call(0, 'Ledger', 'from', 'add', ['first'])
  await net.call(0, 'Ledger', 'to', 'add', ['first'])
  const host = net.hostOf(await net.views(), 'Ledger', 'from')
  const caller = net.peers.find(({ index }) => index !== host)!.index
  await net.call(caller, 'Ledger', 'from', 'later', ['rung', ALARM_MS])
  const tokens = Array.from({ length: SENDS }, (_, n) => `t${n}`)
  await Promise.all(tokens.map((token) => net.call(caller, 'Ledger', 'from', 'pass', [token, 'to'])))
  await net.kill(host)
  const heard = async (name: string): Promise<readonly string[]> =>
    (await net.call(caller, 'Ledger', name, 'tokens')) as string[]
  await expect.poll(() => heard('to'), { timeout: 30_000 }).toHaveLength(SENDS + 1)
  await expect.poll(() => heard('from'), { timeout: 30_000 }).toContain('rung')
  const from = await heard('from')
  expect(await heard('to')).toEqual(from.filter((token) => token !== 'rung'))
  expect(from.filter((token) => token === 'rung')).toHaveLength(1)
})
