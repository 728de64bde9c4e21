import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { SimMesh } from './mesh.ts'

/** Every message of a run with kills and restarts, with its virtual time, as one hash. */
async function trace(seed: number): Promise<{ hash: string; messages: number }> {
  const hash = createHash('sha256')
  let messages = 0
  const mesh = new SimMesh({ seed })
  mesh.network.trace = (from, to, message) => {
    messages++
    hash.update(`${mesh.clock.now} ${from} ${to} ${JSON.stringify(message)}\n`)
  }
  const ids = [0, 1, 2, 3, 4].map((index) => mesh.name(index))
  for (const [index, id] of ids.entries()) await mesh.start(id, index === 0)
  await mesh.clock.run(4000)
  mesh.kill(ids[0]!)
  await mesh.clock.run(2000)
  mesh.freeze(ids[3]!)
  await mesh.clock.run(4000)
  mesh.thaw(ids[3]!)
  await mesh.start(ids[0]!)
  await mesh.clock.run(5000)
  return { hash: hash.digest('hex'), messages }
}

test('the same seed gives the same trace, byte for byte; another seed another one', async () => {
  const first = await trace(7)
  expect(first.messages).toBeGreaterThan(1000)
  expect(await trace(7)).toEqual(first)
  expect((await trace(8)).hash).not.toBe(first.hash)
})
