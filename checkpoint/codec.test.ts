import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, decodeUser, encodeUser, UnserialisableValue } from './codec.ts'

const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double().map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.bigInt(),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
  fc.uint8Array(),
  fc.float64Array({ noNaN: true }).filter((array) => !array.some((item) => Object.is(item, -0))),
  fc.int16Array(),
)
const key = fc.string().filter((text) => text !== '__proto__')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie('value')), { maxLength: 4 })
      .map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
}))

describe('codec', () => {
  test('plain data comes back as it was', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(decode(encodeUser(original, 'value'))).toStrictEqual(original)
      }),
    )
  })

  test('a Buffer stays a Buffer, and small values do not hold the bytes they were read from', () => {
    const back = decode(encodeUser({ a: Buffer.from('hi'), b: new Uint8Array([1]) }, 'value')) as Record<
      string,
      Uint8Array
    >
    expect(Buffer.isBuffer(back['a'])).toBe(true)
    expect(Buffer.isBuffer(back['b'])).toBe(false)
    expect(back['b']!.buffer.byteLength).toBeLessThan(100)
    const stored = new Uint8Array(encodeUser([Buffer.from('hi')], 'value'))
    expect(decodeUser(stored, undefined)).toStrictEqual([Buffer.from('hi')])
  })

  class Money {
    readonly amount = 1
  }
  const cycle: Record<string, unknown> = {}
  cycle['self'] = { again: cycle }
  const cases: readonly (readonly [string, unknown, string, string])[] = [
    ['a function', { items: [1, { socket: () => {} }] }, 'state.items[1].socket', 'function'],
    ['a class', { type: Money }, 'state.type', 'class'],
    ['a symbol', { 'two words': Symbol('x') }, 'state["two words"]', 'Symbol(x)'],
    ['a promise', { later: Promise.resolve() }, 'state.later', 'Promise'],
    ['an instance of a class', { price: new Money() }, 'state.price', 'Money'],
    ['an error', { error: new Error('x') }, 'state.error', 'Error'],
    ['a subclass of Map', { map: new (class Index extends Map {})() }, 'state.map', 'Index'],
    ['something in a Map', { map: new Map([['k', [() => {}]]]) }, 'state.map.get("k")[0]', 'function'],
    ['something in a Set', { set: new Set([1, new Money()]) }, 'state.set{1}', 'Money'],
    ['an ArrayBuffer', { raw: new ArrayBuffer(1) }, 'state.raw', 'ArrayBuffer'],
    ['a cycle', cycle, 'state.self.again', 'contains it'],
    ['a symbol key', { at: { [Symbol('hidden')]: 1 } }, 'state.at', 'symbol key'],
    ['a key __proto__', JSON.parse('{"at":{"__proto__":1}}'), 'state.at', '__proto__'],
  ]
  test.each(cases)('%s is refused with its path', (_name, bad, path, what) => {
    const attempt = (): unknown => encodeUser(bad, 'state')
    expect(attempt).toThrow(UnserialisableValue)
    try {
      attempt()
    } catch (error) {
      expect((error as UnserialisableValue).path).toBe(path)
      expect((error as UnserialisableValue).what).toContain(what)
    }
  })

  test('the same object twice is no cycle', () => {
    const shared = { a: 1 }
    expect(decode(encodeUser([shared, { shared }], 'value'))).toEqual([{ a: 1 }, { shared: { a: 1 } }])
  })

  test('too deep nesting is refused before the stack ends', () => {
    let deep: unknown = 1
    for (let level = 0; level < 10_000; level++) deep = [deep]
    expect(() => encodeUser(deep, 'state')).toThrow(/nested more than 500/)
  })
})
