// The Network on real libp2p, several peers in this process.

import { afterEach, describe, expect, it } from 'vitest'
import { bootId } from '../../mesh/ids.ts'
import { createIdentity } from './identity.ts'
import { confirm, factOf, Peers, ping, secretOf, type TestPeer, until } from './test-peers.ts'

const peers = new Peers()
/** What `from` publishes reaches `to`. The very first messages may be lost; a deaf peer never hears one. */
const gossips = async (from: TestPeer, to: TestPeer): Promise<void> => {
  const before = to.of('gossip').length
  for (let round = 0; round < 100 && to.of('gossip').length === before; round++) {
    from.network.publish([factOf(from, round)])
    await until(() => to.of('gossip').length > before, [from, to], 100).catch(() => {})
  }
  expect(to.of('gossip').at(-1)?.from).toBe(from.id)
}
afterEach(() => peers.stop())

describe('two peers', () => {
  it('exchange messages of one kind in order, and service frames with rich values', async () => {
    const [a, b] = [await peers.start(), await peers.start()]
    expect(await a.network.connectTo(b.addresses)).toBe(b.id)
    await until(() => b.isLinked(a), [a, b])
    for (let round = 0; round < 500; round++) expect(a.network.send(b.id, confirm(round))).toBe(true)
    const body = {
      when: new Date(5),
      big: 2n ** 80n,
      map: new Map([['x', new Set([1])]]),
      bytes: Uint8Array.of(1, 2),
      nothing: undefined,
    }
    expect(b.network.sendService(a.id, { service: 'call', body })).toBe(true)
    await until(() => b.of('message').length === 500 && a.of('service').length === 1, [a, b])
    expect(b.of('message').map(({ message }) => message)).toEqual(
      Array.from({ length: 500 }, (_, round) => confirm(round)),
    )
    expect(a.of('service')[0]?.frame).toEqual({ service: 'call', body })
    await until(() => a.network.queued(b.id) === 0)
  })

  it('keep exactly one link when both dial at once, and never flap', async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = [await peers.start(), await peers.start()]
      await Promise.all([a.network.connectTo(b.addresses), b.network.connectTo(a.addresses)])
      a.want(b)
      b.want(a)
      await until(() => a.isLinked(b) && b.isLinked(a), [a, b])
      a.network.send(b.id, ping(1))
      b.network.send(a.id, ping(2))
      await until(() => a.of('message').length === 1 && b.of('message').length === 1, [a, b])
      expect([a.of('connected').length, b.of('connected').length]).toEqual([1, 1])
      expect([...a.of('disconnected'), ...b.of('disconnected')]).toEqual([])
      await peers.stop()
    }
  })

  it('connect by host:port alone, and say what is wrong when they cannot', async () => {
    const [a, b] = [await peers.start(), await peers.start()]
    const port = /tcp\/(\d+)/.exec(b.addresses[0] as string)?.[1]
    expect(await a.network.connectTo([`localhost:${port}`])).toBe(b.id)
    await expect(b.network.connectTo(['127.0.0.1:1'], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('refused'),
    })
    await expect(b.network.connectTo([`127.0.0.1:${port}`], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining('itself'),
    })
    await expect(b.network.connectTo(['nonsense'])).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
    await expect(peers.start({ listen: [`127.0.0.1:${port}`] })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    })
    await expect(peers.start({ listen: ['203.0.113.7:4001'] })).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
  })

  it('are told both when their secrets differ, and gossip does not pass', async () => {
    const [a, b] = [await peers.start(), await peers.start({ secret: secretOf('b') })]
    await expect(a.network.connectTo(b.addresses)).rejects.toMatchObject({ code: 'WRONG_SECRET' })
    await until(() => b.of('warning').length > 0, [a, b])
    expect(a.of('warning')[0]?.code).toBe('WRONG_SECRET')
    expect(b.of('warning')[0]?.code).toBe('WRONG_SECRET')
    expect([...a.of('connected'), ...b.of('connected')]).toEqual([])
    expect(a.network.send(b.id, ping(1))).toBe(false)
  })

  it('of different meshes refuse each other, also with the same secret', async () => {
    const [a, b] = [await peers.start({ meshId: () => 'one' }), await peers.start({ meshId: () => 'two' })]
    await expect(b.network.connectTo(a.addresses)).rejects.toMatchObject({ code: 'OTHER_MESH' })
    await until(() => a.of('warning').length > 0, [a, b])
    expect(a.of('warning')[0]?.code).toBe('OTHER_MESH')
  })
})

describe('a peer that starts again', () => {
  it('with the same identity replaces its old boot at once', async () => {
    const identity = await createIdentity()
    const [a, b] = [await peers.start(), await peers.start({ identity })]
    a.want(b)
    await until(() => a.isLinked(b) && b.isLinked(a), [a, b])
    // A second network under the same identity while the first still runs: what a not yet reaped connection looks like.
    const again = await peers.start({ identity })
    await again.network.connectTo(a.addresses)
    await until(() => a.isLinked(again), [a, again])
    await gossips(a, again)
    await gossips(again, a)
    const story = a.heard.flatMap((heard) =>
      heard.kind === 'connected' || heard.kind === 'disconnected' ? [`${heard.kind} ${heard.boot}`] : [],
    )
    expect(story.slice(0, 3)).toEqual([
      `connected ${b.boot}`,
      `disconnected ${b.boot}`,
      `connected ${again.boot}`,
    ])
  })

  it('in place under a new boot is met again under that boot', async () => {
    const [a, b] = [await peers.start(), await peers.start()]
    a.want(b)
    b.want(a)
    await until(() => a.isLinked(b) && b.isLinked(a), [a, b])
    for (const digit of 'abcdef') {
      b.boot = bootId(b.id, digit.repeat(32))
      b.network.reboot()
      await until(() => a.isLinked(b) && b.isLinked(a), [a, b])
      await gossips(a, b)
      await gossips(b, a)
    }
    expect(a.of('disconnected').some(({ refused }) => refused)).toBe(false)
  })
})

describe('a lost peer', () => {
  it('that stopped is reported as refused, then found again when it is back on the same port', async () => {
    const identity = await createIdentity()
    const [a, b] = [await peers.start(), await peers.start({ identity })]
    a.want(b)
    await until(() => a.isLinked(b) && b.isLinked(a), [a, b])
    const address = b.addresses[0] as string
    await b.network.stop()
    await until(() => a.of('disconnected').some(({ refused }) => refused), [a])
    const again = await peers.start({ identity, listen: [address.replace(/\/p2p\/.*/, '')] })
    await until(() => a.isLinked(again), [a, again])
    expect(a.of('connected').length).toBe(2)
  })
})

it('20 peers on one address link all to all, and gossip reaches everybody', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => peers.start()))
  for (const peer of all) peer.want(...all.filter((other) => other !== peer))
  await until(() => all.every((peer) => peer.network.connected().length === 19), all, 40_000)
  const everybodyHeardAll = (): boolean =>
    all.every((peer) => new Set(peer.of('gossip').map(({ from }) => from)).size === 19)
  for (let round = 0; round < 50 && !everybodyHeardAll(); round++) {
    for (const peer of all) peer.network.publish([factOf(peer, round)])
    await until(everybodyHeardAll, all, 500).catch(() => {})
  }
  expect(everybodyHeardAll()).toBe(true)
  expect(all.flatMap((peer) => peer.of('warning'))).toEqual([])
})

it('a 20 MB service frame does not hold up a small protocol message', async () => {
  const [a, b] = [await peers.start(), await peers.start()]
  await a.network.connectTo(b.addresses)
  await until(() => b.isLinked(a))
  const big = Buffer.alloc(20 * 1024 * 1024, 7)
  expect(a.network.sendService(b.id, { service: 'bulk', body: big })).toBe(true)
  await until(() => a.network.queued(b.id) < big.length - 1024 * 1024) // Under way.
  a.network.send(b.id, ping(1))
  await until(() => b.of('service').length === 1, [], 30_000)
  expect(b.heard.map(({ kind }) => kind).filter((kind) => kind === 'message' || kind === 'service')).toEqual([
    'message',
    'service',
  ])
  expect(Buffer.from(b.of('service')[0]?.frame.body as Uint8Array).equals(big)).toBe(true)
})

it('tells others the addresses it was told to announce', async () => {
  const peer = await peers.start({ announce: ['box.example:4001'] })
  expect(peer.addresses).toEqual([`/dns/box.example/tcp/4001/p2p/${peer.id}`])
  await expect(peers.start({ announce: ['nonsense'] })).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
})

it('finds members on the local network when asked to', async (context) => {
  const [a, b] = [await peers.start({ mdns: true }), await peers.start({ mdns: true })]
  // A machine without multicast cannot run this.
  await until(() => a.isLinked(b) && b.isLinked(a), [a, b], 5_000).catch(() =>
    context.skip('no multicast here'),
  )
  const other = await peers.start({ mdns: true, secret: secretOf('z') })
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect([...a.of('warning'), ...b.of('warning'), ...other.heard]).toEqual([])
})

it('stops within a second, after what was sent has left', async () => {
  const [a, b] = [await peers.start(), await peers.start()]
  await a.network.connectTo(b.addresses)
  for (let round = 0; round < 1_000; round++) a.network.send(b.id, confirm(round))
  const began = performance.now()
  await a.network.stop()
  expect(performance.now() - began).toBeLessThan(1_000)
  expect(a.network.send(b.id, ping(1))).toBe(false)
  await until(() => b.of('message').length === 1_000, [b])
})
