import { expect, test } from 'vitest'
import { BlockFetch } from './block-fetch.ts'

const block = (index: number): Uint8Array => new Uint8Array([index])

/** A peer that answers when it is told to. */
class Peer {
  readonly asked: (readonly number[])[] = []
  readonly #answers: PromiseWithResolvers<ReadonlyMap<number, Uint8Array>>[] = []

  readonly ask = (indexes: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>> => {
    this.asked.push(indexes)
    const answer = Promise.withResolvers<ReadonlyMap<number, Uint8Array>>()
    this.#answers.push(answer)
    return answer.promise
  }
  async send(...indexes: number[]): Promise<void> {
    this.#answers.shift()!.resolve(new Map(indexes.map((index) => [index, block(index)])))
    await settled()
  }
  async refuse(why: string): Promise<void> {
    this.#answers.shift()!.reject(new Error(why))
    await settled()
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a block that many wait for is sent once, and what is wanted meanwhile is asked for together', async () => {
  const peer = new Peer()
  const fetch = new BlockFetch(peer.ask, 64)
  const first = fetch.get([3, 5])
  const others = [fetch.get([5]), fetch.get([3]), fetch.get([9, 2]), fetch.get([2])]
  expect(peer.asked).toEqual([[3, 5]])
  await peer.send(3, 5)
  expect(await first).toEqual([block(3), block(5)])
  expect(peer.asked).toEqual([
    [3, 5],
    [2, 9],
  ])
  await peer.send(2, 9)
  expect(await Promise.all(others)).toEqual([[block(5)], [block(3)], [block(9), block(2)], [block(2)]])
  expect(fetch.idle).toBe(true)
})

test('what did not fit into one answer is asked for again', async () => {
  const peer = new Peer()
  const fetch = new BlockFetch(peer.ask, 2)
  const all = fetch.get([1, 2, 3])
  await peer.send(1)
  await peer.send(2, 3)
  expect(await all).toEqual([block(1), block(2), block(3)])
  expect(peer.asked).toEqual([
    [1, 2],
    [2, 3],
  ])
})

test('who asked in vain hears why, and others are asked for still', async () => {
  const peer = new Peer()
  const fetch = new BlockFetch(peer.ask, 1)
  const results = Promise.allSettled([fetch.get([1]), fetch.get([2]), fetch.get([3])])
  await peer.refuse('does not answer')
  await peer.send()
  await peer.send(3)
  expect(
    (await results).map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason))),
  ).toEqual(['Error: does not answer', 'Error: sent none of the blocks that it was asked for', [block(3)]])
})
