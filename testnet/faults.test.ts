// Real processes, real sockets, real disks: each fault of a process, and what must be true afterwards.

import { expect, onTestFinished, test } from 'vitest'
import { createTestnet, type Testnet } from './testnet.ts'
import { aliveIn, answering, isWhole, survivesHeadAndOther } from './view.ts'

const NAMES = Array.from({ length: 12 }, (_, i) => `ledger-${i}`)

/** Adds one token to every ledger through the peers in turn. */
async function addToAll(
  net: Testnet,
  token: string,
  through: readonly number[],
  names: readonly string[] = NAMES,
): Promise<void> {
  await Promise.all(
    names.map((name, i) => net.call(through[i % through.length] as number, 'Ledger', name, 'add', [token])),
  )
}

/** Every ledger holds exactly these tokens, in order. */
async function expectTokens(net: Testnet, tokens: readonly string[], through: number): Promise<void> {
  for (const name of NAMES) {
    expect(await net.call(through, 'Ledger', name, 'tokens'), name).toEqual(tokens)
  }
}

const running = (net: Testnet): readonly number[] =>
  net.peers.filter((peer) => peer.state.kind === 'running').map((peer) => peer.index)
const anyRunning = (net: Testnet): number => running(net)[0] as number

const whole = (net: Testnet): Promise<unknown> =>
  net.waitUntil('every actor has its copies on live peers', (views) =>
    answering(views).every(({ seen }) => isWhole(seen)),
  )

test('the host is killed: its actors answer at the others, with every acknowledged call', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  const host = net.hostOf(await net.views(), 'Ledger', 'ledger-0')
  await net.kill(host)
  await addToAll(net, 'after', running(net))
  await expectTokens(net, ['before', 'after'], anyRunning(net))
})

test('the head is killed, and comes back with its disk', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  const head = net.headOf(await net.views())
  await net.kill(head)
  await addToAll(net, 'between', running(net))
  await net.start(head)
  await net.settled()
  await addToAll(net, 'after', running(net))
  await expectTokens(net, ['before', 'between', 'after'], head)
})

test('head and host are killed at the same moment', async () => {
  const net = await createTestnet(5, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  const views = await net.waitUntil('every actor outlives the loss of two', (all) =>
    answering(all).every(({ seen }) => survivesHeadAndOther(seen)),
  )
  const head = net.headOf(views)
  const name = NAMES.find((each) => net.hostOf(views, 'Ledger', each) !== head) as string
  const host = net.hostOf(views, 'Ledger', name)
  await Promise.all([net.kill(head), net.kill(host)])
  await addToAll(net, 'after', running(net))
  await expectTokens(net, ['before', 'after'], anyRunning(net))
})

test('a frozen host wakes up deposed and does no harm', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  const host = net.hostOf(await net.views(), 'Ledger', 'ledger-0')
  net.freeze(host)
  await net.noticed(host)
  await addToAll(net, 'during', running(net))
  net.thaw(host)
  await net.settled()
  await addToAll(net, 'after', [host])
  await expectTokens(net, ['before', 'during', 'after'], host)
})

test('the whole mesh is killed at once and started again', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  await Promise.all(net.peers.map((peer) => peer.kill()))
  await net.startAll()
  await net.settled(60_000)
  await expectTokens(net, ['before'], 0)
  await addToAll(net, 'after', running(net))
  await expectTokens(net, ['before', 'after'], 1)
})

test('the whole mesh is stopped in good order and started again', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  for (const { index } of net.peers) await net.stop(index)
  await net.startAll()
  await net.settled(60_000)
  await expectTokens(net, ['before'], 2)
})

test('a peer that lost its disk comes back as a new one; the mesh is whole again', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  await whole(net)
  const victim = net.hostOf(await net.views(), 'Ledger', 'ledger-1')
  const before = net.peer(victim).peerId
  await net.restart(victim, { wipe: true })
  await net.settled()
  expect(net.peer(victim).peerId).not.toBe(before)
  await addToAll(net, 'after', running(net))
  await expectTokens(net, ['before', 'after'], victim)
  await whole(net)
})

test('the founder loses its disk and joins the mesh that it once founded', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  await whole(net)
  await net.restart(0, { wipe: true })
  await net.settled()
  await expectTokens(net, ['before'], 0)
})

test('all are killed and one of three keepers lost its disk: still nothing is lost', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  await whole(net)
  await Promise.all(net.peers.map((peer) => peer.kill()))
  await Promise.all([net.start(0), net.start(1)])
  await net.settled(60_000)
  await net.start(2, { wipe: true })
  await net.settled(60_000)
  await expectTokens(net, ['before'], 2)
})

test('a graceful leave hands every actor over without a restart', async () => {
  const net = await createTestnet(4, { teardown: onTestFinished })
  await addToAll(net, 'before', running(net))
  const leaving = net.hostOf(await net.views(), 'Ledger', 'ledger-2')
  await net.leave(leaving)
  await addToAll(net, 'after', running(net))
  await expectTokens(net, ['before', 'after'], anyRunning(net))
  const { actors } = await net.status(anyRunning(net))
  expect(actors.map((actor) => actor.restarts)).toEqual(NAMES.map(() => 0))
})

test('a stopped actor is gone, and its name is free for a new one', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  expect(await net.call(0, 'Counter', 'a', 'increment', [5])).toBe(5)
  await net.stopActor(1, 'Counter', 'a')
  await expect(net.call(2, 'Counter', 'a', 'value')).rejects.toMatchObject({ code: 'ACTOR_DIED' })
  await net.createActor(0, 'Counter', 'a')
  expect(await net.call(2, 'Counter', 'a', 'increment', [1])).toBe(1)
})

test('a method that throws changes nothing, and its error arrives with class and code', async () => {
  const net = await createTestnet(3, { teardown: onTestFinished })
  await net.call(0, 'Counter', 'a', 'increment', [5])
  const error = await net.call(1, 'Counter', 'a', 'fail', ['no']).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ message: 'no', wire: { className: 'RangeError' } })
  expect(await net.call(2, 'Counter', 'a', 'value')).toBe(5)
})

test('twenty peers on one machine see each other and agree on one head', async () => {
  const net = await createTestnet(20, { teardown: onTestFinished })
  const views = await net.settled(120_000)
  for (const { seen } of answering(views)) expect(aliveIn(seen)).toHaveLength(20)
  await addToAll(net, 'once', running(net))
  await expectTokens(net, ['once'], 19)
}, 240_000)
