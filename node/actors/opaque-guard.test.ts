import { afterEach, expect, test, vi } from 'vitest'
import { StateError } from '../errors.ts'
import { OpaqueGuard } from './opaque-guard.ts'

afterEach(() => void vi.restoreAllMocks())

test('values that were replaced are forgotten before comparing them costs more than the state is worth', () => {
  const compare = vi.spyOn(Buffer, 'compare')
  const guard = new OpaqueGuard()
  const state = { data: new Uint8Array(64), others: Array.from({ length: 20 }, () => new Uint8Array(8)) }
  guard.reset(state)
  const CALLS = 1000
  for (let call = 0; call < CALLS; call++) {
    guard.check()
    state.data = new Uint8Array(64)
    guard.watch(state.data)
    if (guard.isWasteful) guard.reset(state)
  }
  expect(compare.mock.calls.length).toBeGreaterThanOrEqual(21 * CALLS)
  expect(compare.mock.calls.length).toBeLessThan(35 * CALLS)
  state.data[3] = 1
  expect(() => guard.check()).toThrow(StateError)
  expect(state.data[3]).toBe(0)
  state.others[7]![0] = 1
  expect(() => guard.check()).toThrow(StateError)
})

test('a large state is not walked through for each small change', () => {
  const guard = new OpaqueGuard()
  const state = { at: new Date(0), many: Array.from({ length: 10_000 }, (_, n) => ({ n })) }
  guard.reset(state)
  let walks = 0
  for (let call = 0; call < 200; call++) {
    guard.check()
    state.at = new Date(call)
    guard.watch(state.at)
    if (!guard.isWasteful) continue
    guard.reset(state)
    walks++
  }
  expect(walks).toBeGreaterThan(0)
  expect(walks).toBeLessThanOrEqual(3)
})
