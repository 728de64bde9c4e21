import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CallTable } from './call-table.ts'
import { decodeLarge, encodeLarge, isLarge } from './large-snapshot.ts'
import { Builder, encodePieces, weigh } from './pieces.ts'
import { Reference } from './reference.ts'
import { atOnce, inSlices } from './slices.ts'

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.bigInt(),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .float64Array({ noNaN: true, maxLength: 40 })
    .filter((array) => !array.some((item) => Object.is(item, -0))),
  fc.int16Array({ maxLength: 90 }),
)
const key = fc.string().filter((text) => text !== '__proto__')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 12 }),
    fc.dictionary(key, tie('value'), { maxKeys: 12, noNullPrototype: true }),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.integer(), fc.constant(undefined)), tie('value')), {
        maxLength: 9,
      })
      .map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 9 }).map((items) => new Set(items)),
  ),
}))
const calls = new CallTable().toData()

describe('large snapshots', () => {
  test('whatever is cut into pieces, and these into parts, comes back as it was', () => {
    fc.assert(
      fc.property(
        value,
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 99 }),
        (state, piece, part) => {
          const whole = { state: { state }, calls, agenda: undefined, told: undefined, version: 3 }
          const parts = atOnce(encodeLarge(whole, piece, part))
          expect(isLarge(parts)).toBe(true)
          expect(parts.every(({ length }, n) => length === part || n === parts.length - 1)).toBe(true)
          expect(atOnce(decodeLarge(parts, undefined))).toStrictEqual(whole)
        },
      ),
    )
  })

  test('references are pieces like others', () => {
    const state = {
      all: Array.from(
        { length: 9 },
        (_, n) => new Reference({ type: 'T', name: `${n}`, init: new Uint8Array() }),
      ),
    }
    const whole = { state, calls, agenda: undefined, told: undefined, version: 3 }
    const back = atOnce(decodeLarge(atOnce(encodeLarge(whole, 10)), ({ name }) => name))
    expect(back.state).toEqual({ all: ['0', '1', '2', '3', '4', '5', '6', '7', '8'] })
  })

  test('no piece is much larger than asked for, however large the value', () => {
    const note = 'x'.repeat(300)
    const state = {
      map: new Map(Array.from({ length: 2000 }, (_, n) => [`k${n}`, { n, note }])),
      nested: { deep: { bytes: new Float64Array(50_000), list: Array.from({ length: 3000 }, () => note) } },
    }
    const pieces = [...encodePieces(state, 10_000)]
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(12_000)
    expect(pieces.length).toBeGreaterThan(150)
    const builder = new Builder(undefined)
    for (const piece of pieces) builder.add(piece)
    expect(builder.value).toStrictEqual(state)
  })

  test('a weight is looked for no further than wanted', () => {
    let looked = 0
    const items = Array.from({ length: 1000 }, () => ({
      get a() {
        looked++
        return 1
      },
    }))
    expect(weigh(items, 500)).toBeGreaterThan(500)
    expect(looked).toBeLessThan(30)
  })

  test('what ends in the middle is an error, and one that is not wanted any more is given up', async () => {
    const whole = { state: { a: 'x'.repeat(100) }, calls, agenda: undefined, told: undefined, version: 3 }
    const parts = atOnce(encodeLarge(whole, 10, 20))
    for (let count = 1; count < parts.length; count++)
      expect(() => atOnce(decodeLarge(parts.slice(0, count), undefined))).toThrow()
    let pauses = 0
    const pause = async (): Promise<void> => void pauses++
    expect(await inSlices(encodeLarge(whole, 10, 20), pause, () => pauses < 2)).toBe(undefined)
    expect(pauses).toBe(2)
  })
})
