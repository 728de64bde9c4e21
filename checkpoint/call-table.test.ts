import { describe, expect, test } from 'vitest'
import { bootId, peerId } from '../mesh/ids.ts'
import { CallTable, type SettledCall } from './call-table.ts'

const caller = bootId(peerId('p'), 'n')
const result = new Uint8Array([1])
const call = (n: number, own: number, all: number, path = ''): SettledCall => ({
  caller,
  n,
  path,
  floors: { own, all },
  result,
})

describe('call table', () => {
  test('T1, T2: an entry goes when its floor passes, and is refused from then on', () => {
    const table = new CallTable()
    table.settle(call(5, 5, 3), 1)
    expect(table.lookup(call(5, 0, 0))).toEqual({ kind: 'settled', result, sequence: 1 })
    expect(table.lookup(call(4, 0, 0)).kind).toBe('expired')
    expect(table.lookup(call(6, 0, 0)).kind).toBe('new')
    table.raise(caller, { own: 6, all: 3 })
    expect(table.lookup(call(5, 0, 0)).kind).toBe('expired')
    expect(table.size).toBe(0)
  })

  test('a nested call has its own place, and goes by the floor over all actors', () => {
    const table = new CallTable()
    table.settle(call(5, 0, 5, 'x.0'), 1)
    table.settle(call(5, 0, 5, 'x.1'), 2)
    table.raise(caller, { own: 9, all: 5 })
    expect(table.lookup(call(5, 0, 0, 'x.1'))).toEqual({ kind: 'settled', result, sequence: 2 })
    expect(table.lookup(call(5, 0, 0, 'y.0')).kind).toBe('new')
    table.raise(caller, { own: 9, all: 6 })
    expect(table.lookup(call(5, 0, 0, 'x.1')).kind).toBe('expired')
  })

  test('T3: what a snapshot stores is all of it', () => {
    const table = new CallTable()
    table.settle(call(5, 2, 1), 1)
    table.settle(call(6, 2, 1, 'x.0'), 2)
    const copy = CallTable.from(structuredClone(table.toData()))
    expect(copy.toData()).toEqual(table.toData())
    expect(copy.lookup(call(1, 0, 0)).kind).toBe('expired')
  })

  test('callers that are refused for ever are forgotten; floors never go back', () => {
    const table = new CallTable()
    table.settle(call(5, 5, 5), 1)
    table.raise(caller, { own: 2, all: 2 })
    expect(table.lookup(call(4, 0, 0)).kind).toBe('expired')
    table.forget(() => true)
    expect(table.size).toBe(0)
  })
})
