import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CIPHER_OVERHEAD_BYTES, Cipher, type Place } from './cipher.ts'
import type { ActorKey } from './mesh-types.ts'
import type { RecordKind } from './records.ts'

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const cipher = new Cipher(key(1))
const record = (change: object = {}): Place => ({
  what: 'record',
  actor: 'A/a' as ActorKey,
  incarnation: 1,
  epoch: 2,
  sequence: 3,
  kind: 'delta',
  ...change,
})
const text = (words: string): Uint8Array => Buffer.from(words)

test('E1 any bytes come back where they were written for, and nowhere else', () => {
  const places = fc.record({
    actor: fc.constantFrom('A/a', 'A/b', 'B/a', 'A/a"'),
    incarnation: fc.integer({ min: 0, max: 2 }),
    epoch: fc.integer({ min: 0, max: 2 }),
    sequence: fc.integer({ min: 0, max: 20 }),
    kind: fc.constantFrom<RecordKind>('snapshot', 'delta', 'release'),
  })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), places, places, (bytes, written, read) => {
      const encrypted = cipher.encrypt(record(written), bytes)
      expect(encrypted.length).toBe(bytes.length + CIPHER_OVERHEAD_BYTES)
      expect(Buffer.from(cipher.decrypt(record(written), encrypted))).toEqual(Buffer.from(bytes))
      if (JSON.stringify(written) === JSON.stringify(read)) return
      expect(() => cipher.decrypt(record(read), encrypted)).toThrow(/belongs somewhere else/)
    }),
  )
  const init: Place = { what: 'init', actor: 'A/a' as ActorKey }
  expect(() => cipher.decrypt(record(), cipher.encrypt(init, text('x')))).toThrow(/belongs somewhere else/)
})

test('E3 one changed bit, one byte less or more, and there is no text', () => {
  const encrypted = cipher.encrypt(record(), text('a state of some length'))
  for (let bit = 0; bit < encrypted.length * 8; bit++) {
    const changed = Uint8Array.from(encrypted)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => cipher.decrypt(record(), changed)).toThrow(/was changed|is not encrypted/)
  }
  for (let length = 0; length < encrypted.length; length++)
    expect(() => cipher.decrypt(record(), encrypted.subarray(0, length))).toThrow(/was changed|is not encr/)
  expect(() => cipher.decrypt(record(), Buffer.concat([encrypted, text('x')]))).toThrow(/was changed/)
  expect(() => cipher.decrypt(record(), text('a state that was never encrypted, of some length'))).toThrow(
    /is not encrypted/,
  )
})

test('another key reads nothing, and has another id; the id does not contain the key', () => {
  const other = new Cipher(key(2))
  expect(other.keyId).not.toBe(cipher.keyId)
  expect(new Cipher(key(1)).keyId).toBe(cipher.keyId)
  expect(cipher.keyId).toMatch(/^[0-9a-f]{32}$/)
  expect(() => other.decrypt(record(), cipher.encrypt(record(), text('x')))).toThrow(/was changed/)
  expect(() => new Cipher(new Uint8Array(31))).toThrow(/32 bytes/)
})

test('E2 the same text at the same place is never the same bytes', () => {
  const all = Array.from({ length: 1000 }, () => cipher.encrypt(record(), text('same')))
  expect(new Set(all.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1000)
  const nonces = all.map((bytes) => Buffer.from(bytes.subarray(1, 25)).toString('hex'))
  expect(new Set(nonces).size).toBe(1000)
})

test('E2 both halves of the nonce count', () => {
  const fixed = (halves: readonly [number, number]) =>
    new Cipher(key(1), () => Buffer.concat(halves.map((fill) => Buffer.alloc(12, fill))))
  const body = (halves: readonly [number, number]) =>
    Buffer.from(fixed(halves).encrypt(record(), text('same text')).subarray(25)).toString('hex')
  expect(new Set([body([1, 1]), body([1, 2]), body([2, 1]), body([2, 2])]).size).toBe(4)
})
