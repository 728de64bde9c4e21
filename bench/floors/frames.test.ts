import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Asker, FrameReader, framed, TurnWriter } from './frames.ts'
import { Group } from './group.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('frames come out as they went in, however the bytes were cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (payloads, cuts) => {
        const bytes = Buffer.concat(payloads.map(framed))
        const out: Uint8Array[] = []
        const reader = new FrameReader((payload) => out.push(Uint8Array.from(payload)))
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const length = cuts[n % cuts.length]!
          reader.push(bytes.subarray(at, at + length))
          at += length
        }
        expect(out).toEqual(payloads)
      },
    ),
  )
})

test('a turn is one write, and nothing is written while the far end does not keep up', async () => {
  const writes: number[] = []
  let open = false
  const writer = new TurnWriter((bytes) => {
    writes.push(bytes.length)
    return open
  })
  writer.send(new Uint8Array(3))
  writer.send(new Uint8Array(4))
  await turn()
  expect(writes).toEqual([7])
  writer.send(new Uint8Array(5))
  await turn()
  expect(writes).toEqual([7])
  open = true
  writer.drained()
  expect(writes).toEqual([7, 5])
})

test('answers go to those who asked, in order, thousands of them too', async () => {
  const asker = new Asker(() => {})
  const order: number[] = []
  const asked = Array.from({ length: 3000 }, (_, n) => asker.ask(new Uint8Array()).then(() => order.push(n)))
  for (let n = 0; n < 3000; n += 1) asker.answer()
  await Promise.all(asked)
  expect(order).toEqual(Array.from({ length: 3000 }, (_, n) => n))
})

test('what comes during a write goes into the next one, and is done when that is', async () => {
  const writes: number[] = []
  const gates: (() => void)[] = []
  const group = new Group((blocks) => {
    writes.push(blocks.length)
    return new Promise<void>((resolve) => gates.push(resolve))
  })
  let done = 0
  for (let n = 0; n < 3; n += 1) void group.add(new Uint8Array()).then(() => (done += 1))
  expect(writes).toEqual([1])
  gates.shift()?.()
  await turn()
  expect([done, writes]).toEqual([1, [1, 2]])
  gates.shift()?.()
  await turn()
  expect(done).toBe(3)
})
