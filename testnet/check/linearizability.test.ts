import { describe, expect, test } from 'vitest'
import { seededRandom } from '../sim/random.ts'
import { checkList, type ListOperation } from './linearizability.ts'

const life = 1
const append = (value: string, start: number, end: number, size: number): ListOperation => ({
  kind: 'append',
  value,
  start,
  end,
  place: { life, size },
})
const lost = (value: string, start: number): ListOperation => ({ kind: 'append', value, start })
const read = (start: number, end: number, values: string[], of = life): ListOperation => ({
  kind: 'read',
  what: `read@${start}`,
  start,
  end,
  place: { life: of, size: values.length },
  values,
})

describe('histories that are linearizable', () => {
  test.each<[string, ListOperation[]]>([
    ['nothing', []],
    ['one after the other', [append('a', 0, 1, 1), append('b', 2, 3, 2), read(4, 5, ['a', 'b'])]],
    ['a read beside an append sees it', [append('a', 0, 9, 1), read(1, 2, ['a'])]],
    ['a read beside an append does not see it', [append('a', 0, 9, 1), read(1, 2, [])]],
    ['appends beside each other, in either order', [append('a', 0, 9, 2), append('b', 0, 9, 1)]],
    ['an append without an answer, seen later', [lost('a', 0), read(5, 6, []), read(7, 8, ['a'])]],
    ['an append without an answer, never seen', [lost('a', 0), read(5, 6, [])]],
    ['places that nobody saw', [append('a', 0, 1, 1), append('c', 4, 5, 3), lost('b', 0)]],
    ['a second life begins empty', [append('a', 0, 1, 1), read(2, 3, [], 2)]],
  ])('%s', (_, history) => {
    expect(checkList(history).wrong).toEqual([])
  })
})

describe('histories that are not', () => {
  test.each<[string, ListOperation[], RegExp]>([
    ['a lost append', [append('a', 0, 1, 1), read(2, 3, [])], /read@2 .* is at 1\/0, after a/],
    ['a stale read', [append('a', 0, 1, 1), read(2, 3, ['a']), read(4, 5, [])], /read@4/],
    ['one place for two', [append('a', 0, 9, 1), append('b', 0, 9, 1)], /has b at 1\/0, there is a/],
    ['applied twice', [append('a', 0, 1, 1), read(2, 3, ['a', 'a'])], /a was applied twice: 1\/1 and 2/],
    ['appends against real time', [append('a', 0, 1, 2), append('b', 2, 3, 1)], /b .* is at 1\/1, after a/],
    [
      'two reads disagree',
      [lost('a', 0), lost('b', 0), read(1, 2, ['a']), read(1, 2, ['b'])],
      /has b at 1\/0/,
    ],
    ['seen before it began', [read(0, 1, ['a']), append('a', 2, 3, 1)], /a .* is at 1\/1, after read@0/],
    ['seen before it began, without an answer', [read(0, 1, ['a']), lost('a', 2)], /after read@0/],
    ['nobody appended it', [read(0, 1, ['a'])], /a is at 1\/1, and nobody appended it/],
    ['an earlier life comes back', [read(0, 1, [], 2), read(2, 3, [], 1)], /read@2/],
  ])('%s', (_, history, message) => {
    expect(checkList(history).wrong.join('\n')).toMatch(message)
  })
})

/** The same question to a search through every order that real time allows. */
function bruteForce(history: readonly ListOperation[]): boolean {
  const search = (list: readonly string[], rest: readonly ListOperation[]): boolean => {
    if (rest.every(({ end }) => end === undefined)) return true
    const soonest = Math.min(...rest.map(({ end }) => end ?? Number.POSITIVE_INFINITY))
    return rest.some((operation) => {
      if (operation.start > soonest) return false
      const next = operation.kind === 'append' ? [...list, operation.value] : list
      const { place } = operation
      if (place && place.size !== next.length) return false
      if (operation.kind === 'read' && operation.values?.some((value, at) => next[at] !== value)) return false
      return search(
        next,
        rest.filter((each) => each !== operation),
      )
    })
  }
  return search([], history)
}

/** A true run of a few concurrent calls; in every second one an answer is a lie. */
function drawn(random: () => number): ListOperation[] {
  const list: string[] = []
  const pick = (most: number): number => Math.floor(random() * most)
  const moments = Array.from({ length: 6 }, (_, index) => index * 10 + pick(10))
  const history = moments.map((at, index): ListOperation => {
    const start = at - pick(25)
    const end = at + pick(25)
    if (random() < 0.5)
      return {
        kind: 'read',
        what: `r${index}`,
        start,
        end,
        place: { life, size: list.length },
        values: [...list],
      }
    const value = `v${index}`
    if (random() < 0.3) {
      if (random() < 0.5) list.push(value)
      return { kind: 'append', value, start }
    }
    return { kind: 'append', value, start, end, place: { life, size: list.push(value) } }
  })
  if (random() < 0.5) return history
  const liar = pick(history.length)
  return history.map((operation, index) => {
    if (index !== liar || !operation.place) return operation
    const size = Math.max(operation.kind === 'append' ? 1 : 0, operation.place.size + pick(3) - 1)
    if (operation.kind === 'append') return { ...operation, place: { life, size } }
    return { ...operation, place: { life, size }, values: list.slice(0, size) }
  })
}

test('agrees with a search through all orders, on 20,000 small histories', () => {
  const random = seededRandom(1)
  const verdicts = { yes: 0, no: 0 }
  for (let round = 0; round < 20_000; round++) {
    const history = drawn(random)
    const { wrong } = checkList(history)
    const expected = bruteForce(history)
    if (expected !== (wrong.length === 0))
      throw new Error(`the search says ${expected}: ${JSON.stringify(history)}\n${wrong.join('\n')}`)
    verdicts[expected ? 'yes' : 'no']++
  }
  expect(Math.min(verdicts.yes, verdicts.no)).toBeGreaterThan(2000)
})
