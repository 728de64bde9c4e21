// Outbox and ChunkReader together: whatever goes in comes out, per lane in order, however the bytes are cut.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkReader, LANES, Lane, writeHeader } from './chunks.ts'
import { BATCH_BYTES, CHUNK_BYTES } from './limits.ts'
import { Outbox } from './outbox.ts'

const drain = (outbox: Outbox, maxBytes = BATCH_BYTES): Uint8Array[] => {
  const batches: Uint8Array[] = []
  for (let batch = outbox.take(maxBytes); batch !== undefined; batch = outbox.take(maxBytes))
    batches.push(batch)
  return batches
}

describe('chunks', () => {
  it('carry frames of all lanes through any cutting of the bytes', () => {
    const frame = fc.record({ lane: fc.constantFrom(...LANES), payload: fc.uint8Array({ maxLength: 600 }) })
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 30 }),
        fc.integer({ min: 1, max: 97 }),
        fc.integer({ min: 1, max: 4_000 }),
        (frames, cut, batch) => {
          const outbox = new Outbox()
          for (const { lane, payload } of frames) outbox.push(lane, payload)
          const bytes = Buffer.concat(drain(outbox, batch))
          const seen: { lane: Lane; payload: Uint8Array }[] = []
          const reader = new ChunkReader((lane, payload) => seen.push({ lane, payload }))
          for (let at = 0; at < bytes.length; at += cut)
            expect(reader.push(bytes.subarray(at, at + cut))).toBeUndefined()
          for (const lane of LANES) {
            const of = (list: typeof seen): number[][] =>
              list.filter((one) => one.lane === lane).map((one) => [...one.payload])
            expect(of(seen)).toEqual(of(frames))
          }
          expect([outbox.bytes, outbox.empty, reader.held]).toEqual([0, true, 0])
        },
      ),
    )
  })

  it('let urgent frames overtake a large one, and starve nobody', () => {
    const outbox = new Outbox()
    outbox.push(Lane.bulk, new Uint8Array(CHUNK_BYTES * 40))
    outbox.push(Lane.service, new Uint8Array(CHUNK_BYTES * 40))
    outbox.take(1)
    outbox.push(Lane.protocol, new Uint8Array(CHUNK_BYTES * 40))
    outbox.push(Lane.membership, Uint8Array.of(1))
    const order = drain(outbox, 1).map((batch) => (batch[0] as number) & 0x7f)
    expect(order.slice(0, 2)).toEqual([Lane.membership, Lane.protocol])
    const firstHalf = order.slice(0, 40)
    for (const lane of [Lane.protocol, Lane.service, Lane.bulk]) expect(firstHalf).toContain(lane)
    expect(firstHalf.filter((lane) => lane === Lane.protocol).length).toBeGreaterThan(25)
  })

  it('are refused when they are no chunks: C2 C3', () => {
    const header = (lane: number, length: number, last = true): Uint8Array => {
      const bytes = new Uint8Array(4)
      writeHeader(bytes, 0, lane as Lane, length, last)
      return bytes
    }
    const wrong = (bytes: Uint8Array): string | undefined => new ChunkReader(() => {}).push(bytes)
    expect(wrong(header(9, 1))).toContain('lane 9')
    expect(wrong(header(Lane.service, CHUNK_BYTES + 1))).toContain('chunk')
    expect(wrong(header(Lane.handshake, 9_000))).toContain('frame')
    expect(wrong(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBeDefined()
    const reader = new ChunkReader(() => {})
    expect(reader.push(header(9, 0))).toBeDefined()
    expect(reader.push(header(Lane.service, 0))).toBeDefined()
  })
})
