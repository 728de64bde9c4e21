// What changed between two values, as patches: for states that are there as a whole after each call. It costs a look at all
// of the state, as `getState()` does, and spares writing all of it.

import type { Patches } from 'mutative'
import { encode, isOpaque } from '../../checkpoint/codec.ts'

/** With more of them the whole value is the simpler record. */
const MAX_PATCHES = 1000

type Patch = Patches[number]
type Key = string | number

/**
 * Patches that make `before` equal to `after`, order of keys included; undefined when there is no such list that is short. Both are
 * plain data.
 */
export function difference(before: object, after: object): Patches | undefined {
  const comparison = new Comparison()
  comparison.compare(before, after)
  const { patches } = comparison
  return patches.length <= MAX_PATCHES && patches[0]?.path.length !== 0 ? (patches as Patches) : undefined
}

class Comparison {
  readonly patches: Patch[] = []
  /** To where it is at the moment. */
  readonly #path: Key[] = []

  compare(before: unknown, after: unknown): void {
    if (Object.is(before, after) || this.patches.length > MAX_PATCHES) return
    const isTwo = typeof before === 'object' && typeof after === 'object' && before !== null && after !== null
    if (!isTwo) return this.#add('replace', after)
    if (Array.isArray(before) && Array.isArray(after)) return this.#lists(before, after)
    if (before instanceof Map && after instanceof Map) {
      const keys = [...before.keys()]
      const wanted = [...after.keys()]
      if (keepsOrder(keys, wanted)) return this.#members(keys, wanted, before, after)
    } else if (isRecord(before) && isRecord(after)) {
      const keys = Object.keys(before)
      const wanted = Object.keys(after)
      if (keepsOrder(keys, wanted)) return this.#members(keys, wanted, membersOf(before), membersOf(after))
    } else if (isSame(before, after)) return
    this.#add('replace', after)
  }

  #lists(before: readonly unknown[], after: readonly unknown[]): void {
    const common = Math.min(before.length, after.length)
    for (let index = 0; index < common; index++) this.#below(index, before[index], after[index])
    if (after.length < before.length) this.#add('replace', after.length, 'length')
    for (let index = common; index < after.length && this.patches.length <= MAX_PATCHES; index++)
      this.#add('add', after[index], index)
  }

  #members(keys: readonly unknown[], wanted: readonly unknown[], before: Members, after: Members): void {
    if (keys.length > 0)
      for (const key of keys) if (!after.has(key)) this.#add('remove', undefined, key as Key)
    for (const key of wanted) {
      if (before.has(key)) this.#below(key as Key, before.get(key), after.get(key))
      else this.#add('add', after.get(key), key as Key)
    }
  }

  #below(key: Key, before: unknown, after: unknown): void {
    if (Object.is(before, after)) return
    this.#path.push(key)
    this.compare(before, after)
    this.#path.pop()
  }

  #add(op: 'add' | 'replace' | 'remove', value: unknown, ...key: readonly Key[]): void {
    const path = [...this.#path, ...key]
    this.patches.push((op === 'remove' ? { op, path } : { op, path, value }) as Patch)
  }
}

interface Members {
  has(key: unknown): boolean
  get(key: unknown): unknown
}

const membersOf = (record: Readonly<Record<string, unknown>>): Members => ({
  has: (key) => Object.hasOwn(record, key as string),
  get: (key) => record[key as string],
})

/** Removing what is gone and adding what is new at the end gives this order; and every key can be in a path. */
function keepsOrder(before: readonly unknown[], after: readonly unknown[]): boolean {
  if (!after.every(isKey) || !before.every(isKey)) return false
  if (before.length === after.length && before.every((key, index) => key === after[index])) return true
  const there = new Set(after)
  const had = new Set(before)
  const wanted = [...before.filter((key) => there.has(key)), ...after.filter((key) => !had.has(key))]
  return wanted.every((key, index) => key === after[index])
}

const isKey = (key: unknown): key is Key =>
  (typeof key === 'string' && key !== 'constructor' && key !== 'prototype') || typeof key === 'number'

const isRecord = (value: object): value is Readonly<Record<string, unknown>> => {
  if (isOpaque(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Dates, binary data, sets, references: by what is written of them. */
const isSame = (before: object, after: object): boolean =>
  before.constructor === after.constructor && Buffer.compare(encode(before), encode(after)) === 0
