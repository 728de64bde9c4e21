import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { ChunkReader, Lane } from './chunks.ts'
import { FramedStream } from './framed-stream.ts'
import { EARLY_FRAMES, EARLY_WRITES } from './limits.ts'

/** One that takes what it is given; with `isFull` it has to be drained. */
class FakeStream extends EventTarget {
  readonly status = 'open'
  readonly writeBufferLength = 0
  readonly writes: number[][] = []
  isFull = false
  #frames: number[] = []
  readonly #reader = new ChunkReader((_lane, payload) => void this.#frames.push(payload[0]!))
  get writableNeedsDrain(): boolean {
    return this.isFull
  }
  send(bytes: Uint8Array): boolean {
    this.#reader.push(bytes)
    this.writes.push(this.#frames)
    this.#frames = []
    return !this.isFull
  }
  abort(): void {}
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function opened() {
  const stream = new FakeStream()
  const framed = new FramedStream(stream as unknown as Stream)
  const send = (from: number, to: number): void => {
    for (const n of numbers(from, to)) framed.send(Lane.service, Uint8Array.of(n))
  }
  return { stream, send }
}

test('what is sent in one turn of the event loop leaves in one write at its end', async () => {
  const { stream, send } = opened()
  send(0, EARLY_FRAMES - 1)
  expect(stream.writes).toEqual([])
  await turn()
  expect(stream.writes).toEqual([numbers(0, EARLY_FRAMES - 1)])
})

test('a crowd of frames is not held back until the end of the turn, and stays in order', async () => {
  const { stream, send } = opened()
  send(0, 2 * EARLY_FRAMES + 1)
  const early = [numbers(0, EARLY_FRAMES), numbers(EARLY_FRAMES, 2 * EARLY_FRAMES)]
  expect(stream.writes).toEqual(early)
  await turn()
  expect(stream.writes).toEqual([...early, [2 * EARLY_FRAMES]])
})

test('a turn writes early a few times only, and the next one as often again', async () => {
  const { stream, send } = opened()
  const frames = EARLY_FRAMES * (EARLY_WRITES + 3)
  for (const round of [1, 2]) {
    send(0, frames)
    expect(stream.writes).toHaveLength(EARLY_WRITES)
    await turn()
    expect(stream.writes.splice(0).flat(), `round ${round}`).toEqual(numbers(0, frames))
  }
})

test('a crowd waits for a stream that is full', async () => {
  const { stream, send } = opened()
  stream.isFull = true
  send(0, EARLY_FRAMES + 1)
  await turn()
  expect(stream.writes).toEqual([])
  stream.isFull = false
  stream.dispatchEvent(new Event('drain'))
  await turn()
  expect(stream.writes).toEqual([numbers(0, EARLY_FRAMES + 1)])
})
