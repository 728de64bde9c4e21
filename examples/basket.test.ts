// An app's own tests of what happens when machines fail: real processes, kill -9, cut cables (docs/testing.md).

import { expect, onTestFinished, test } from 'vitest'
// In an app: from 'actor-mesh/testnet'
import { createTestnet, type Testnet } from '../testnet/index.ts'

const actors = new URL('./basket.ts', import.meta.url).href
const items = Array.from({ length: 40 }, (_, n) => `item-${n}`)

/** A customer on one peer, who adds one thing after the other, whatever happens meanwhile. */
async function shop(net: Testnet, peer: number, added: (item: string) => void): Promise<void> {
  for (const item of items) {
    await net.call(peer, 'Basket', 'b1', 'add', [item])
    added(item)
  }
}

const hostOf = async (net: Testnet): Promise<number> => net.hostOf(await net.views(), 'Basket', 'b1')
const otherThan = (net: Testnet, peer: number): number => net.peers.find(({ index }) => index !== peer)!.index

test('the host is killed while a customer shops: nothing is lost, nothing is there twice', async () => {
  const net = await createTestnet(3, { actors, teardown: onTestFinished })
  await net.call(0, 'Basket', 'b1', 'items') // the first call makes it
  const host = await hostOf(net)
  const customer = otherThan(net, host)
  let killing: Promise<void> | undefined
  await shop(net, customer, (item) => {
    if (item === 'item-19') killing = net.kill(host)
  })
  await killing

  expect(await net.call(customer, 'Basket', 'b1', 'items')).toEqual(items)
  await net.noticed(host)
  expect(await hostOf(net)).not.toBe(host)
  // And it comes back with the disk it had.
  await net.start(host)
  await net.settled()
  expect(await net.call(host, 'Basket', 'b1', 'items')).toEqual(items)
})

test("the host's cable is pulled: the others go on, and it learns what it missed", async () => {
  const net = await createTestnet(3, { actors, links: true, teardown: onTestFinished })
  await net.call(0, 'Basket', 'b1', 'items')
  const host = await hostOf(net)
  const customer = otherThan(net, host)
  await shop(net, customer, (item) => {
    if (item === 'item-19') net.links.isolate([host])
  })
  // It may still think that the basket is its own. It can't have a call acknowledged.
  const alone = net.call(host, 'Basket', 'b1', 'add', ['never'], 1000)
  await expect(alone).rejects.toMatchObject({ code: expect.stringMatching(/CALL_TIMEOUT|ACTOR_UNAVAILABLE/) })

  net.links.healAll()
  await net.settled()
  const end = (await net.call(host, 'Basket', 'b1', 'items')) as string[]
  // What ended without an answer may happen later, at most once.
  expect(end.filter((item) => item !== 'never')).toEqual(items)
  expect(end.filter((item) => item === 'never').length).toBeLessThan(2)
})
