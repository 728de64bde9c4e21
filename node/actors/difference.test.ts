import fc from 'fast-check'
import type { Patches } from 'mutative'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../checkpoint/codec.ts'
import { applyPatches } from '../../checkpoint/replay.ts'
import { difference } from './difference.ts'

const copy = <Value>(value: Value): Value => decode(encode(value)) as Value

/** As a record would: the patches' bytes applied to the value's bytes. */
const applied = (before: object, patches: Patches): object => applyPatches(copy(before), copy(patches))

/** Everything that a state may hold, its order as well. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Map) return { map: [...item] }
    if (item instanceof Set) return { set: [...item] }
    if (ArrayBuffer.isView(item)) return { bytes: [...(item as Uint8Array)] }
    return typeof item === 'bigint' ? `${item}n` : item
  })

const leaf = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom('', 'a', null, undefined, true, 5n),
  fc.nat(2).map((at) => new Date(at)),
  fc.uint8Array({ maxLength: 2 }),
)
const key = fc.constantFrom('a', 'b', 'c', 'length', '0')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    fc.array(fc.tuple(fc.oneof(key, fc.nat(2)), tie('value')), { maxLength: 4 }).map((all) => new Map(all)),
    fc.array(leaf, { maxLength: 3 }).map((all) => new Set(all)),
  ),
}))
const state = fc.dictionary(key, value, { maxKeys: 4 })

describe('difference', () => {
  test('its patches make the one value the other, in every detail', () => {
    let found = 0
    fc.assert(
      fc.property(state, state, (before, after) => {
        const patches = difference(copy(before), after)
        expect(difference(after, copy(after))).toEqual([])
        if (patches === undefined) return
        found++
        expect(text(applied(before, patches))).toBe(text(copy(after)))
      }),
      { numRuns: 3000 },
    )
    expect(found).toBeGreaterThan(1000)
  })

  test('what stays the same is not in them', () => {
    const before = {
      items: Array.from({ length: 500 }, (_, id) => ({ id, done: false })),
      by: new Map([['x', { n: 1 }]]),
    }
    const after = copy(before)
    after.items[7]!.done = true
    after.items.push({ id: 500, done: false })
    after.by.get('x')!.n = 2
    expect(difference(before, after)).toEqual([
      { op: 'replace', path: ['items', 7, 'done'], value: true },
      { op: 'add', path: ['items', 500], value: { id: 500, done: false } },
      { op: 'replace', path: ['by', 'x', 'n'], value: 2 },
    ])
  })

  test('what is another value altogether is written as a whole', () => {
    const list = Array.from({ length: 5000 }, (_, n) => n)
    expect(difference({ list }, { list: list.map((n) => n + 1) })).toBeUndefined()
    expect(difference({ a: 1, b: 2 }, { b: 2, a: 1 })).toBeUndefined()
    expect(difference({ a: 1 }, new Map([['a', 1]]))).toBeUndefined()
  })
})
