// `mesh rescue` and `mesh recover` on real processes whose disks are gone for good.

import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from '../testnet/testnet.ts'
import { answering } from '../testnet/view.ts'
import { cli } from './test-support/run-cli.ts'

const NAMES = Array.from({ length: 8 }, (_, i) => `ledger-${i}`)

test('mesh rescue: three of five peers are gone for good, the other two go on', async () => {
  const net = await createTestnet(5, { teardown: onTestFinished, peer: () => ({ control: true }) })
  const add = (name: string, token: string) => net.call(0, 'Ledger', name, 'add', [token], 60_000)
  const on = (index: number, ...argv: string[]) => cli([...argv, '--data-dir', net.peer(index).dir])
  for (const name of NAMES) await add(name, 'before')
  const refused = await on(0, 'rescue', '--accept-loss')
  expect(refused.code).toBe(1)
  expect(refused.err).toMatch(/hears the head|has a new head/)

  await Promise.all([2, 3, 4].map((index) => net.kill(index)))
  for (const index of [2, 3, 4]) await net.noticed(index)
  await net.waitUntil(
    'status says what is lost and which command helps',
    async () => (await on(1, 'status')).out.includes('"mesh rescue" on one peer says what can be saved'),
    20_000,
  )
  expect((await on(1, 'actors')).out).toContain('the majority of the registry')
  const asked = await on(0, 'rescue')
  expect(asked.code).toBe(2)
  expect(asked.out).toContain('Nothing was done')

  const rescued = await on(0, 'rescue', '--accept-loss')
  expect(rescued.err).toBe('')
  expect(rescued.code).toBe(0)
  expect(rescued.out).toContain('the registry was rescued')
  await net.waitUntil('both are admitted', (views) =>
    answering(views).every(({ seen }) => seen.status.admitted && seen.status.generation === 1),
  )
  const reports = (await on(1, 'reports', '--all')).out
  for (const name of NAMES) {
    const tokens = (await net.call(1, 'Ledger', name, 'tokens', [], 60_000)) as string[]
    // Whatever is lost is told, and nothing else is.
    const told = reports.split('\n').filter((line) => line.includes(`Ledger/${name}:`))
    expect(told.length, name).toBeGreaterThan(0)
    if (!tokens.includes('before')) expect(told.join()).toContain('possible loss')
    await add(name, 'after')
  }
  expect((await on(1, 'status')).out).toContain('after 1 rescue')

  // One that was away comes back with its disk: it follows, and is welcome.
  await net.start(2)
  await net.waitUntil('it is admitted in the mesh that was rescued', (views) =>
    answering(views).every(({ seen }) => seen.status.admitted && seen.status.generation === 1),
  )
  await add('ledger-0', 'together')
})

test('mesh recover: a lost peer and all its keepers but one, the actors go on from that one', async () => {
  const net = await createTestnet(7, { teardown: onTestFinished, peer: () => ({ control: true }) })
  for (const each of NAMES) await net.call(0, 'Ledger', each, 'add', ['before'], 60_000)
  const views = await net.settled()
  // The head's own journals have five keepers and survive the loss of two: one of another peer's is lost.
  const chosen = answering(views)[0]!.seen.actors.find(({ keepers }) => keepers.length === 3)!
  const host = net.hostOf(views, 'Ledger', chosen.name)
  const keepers = chosen.keepers.map(({ peerId }) => net.peers.findIndex((peer) => peer.peerId === peerId))
  const second = keepers.find((index) => index !== host)!
  const at = net.peers.findIndex(({ index }) => index !== host && !keepers.includes(index))
  const name = `peer-${host}`
  const recover = (...flags: string[]) => cli(['recover', name, ...flags, '--data-dir', net.peer(at).dir])
  const early = await recover('--accept-loss')
  expect(early.code).toBe(1)
  expect(early.err).toContain('it is not lost')

  await Promise.all([net.kill(host), net.kill(second)])
  await net.noticed(host)
  await net.waitUntil('some peer says what to do', async (now) =>
    answering(now).some(({ seen: { status } }) => status.warnings.join().includes('mesh recover')),
  )
  expect((await recover()).code).toBe(2)
  const done = await recover('--accept-loss')
  expect(done.err).toBe('')
  expect(done.out).toContain('possible loss: 1 of 3 keepers')
  expect(await net.call(at, 'Ledger', chosen.name, 'tokens', [], 60_000)).toEqual(['before'])
})
