import { describe, expect, expectTypeOf, test } from 'vitest'
import { BadInputError } from '../errors.ts'
import { VirtualClock } from './test-support/virtual-clock.ts'
import { type Waited, wait, waitOn } from './wait.ts'

/** Settles after so many milliseconds of virtual time. */
const after = <T>(clock: VirtualClock, ms: number, value: T, fails = false): Promise<T> =>
  new Promise((resolve, reject) => {
    clock.setTimer(ms, () => (fails ? reject(new Error(String(value))) : resolve(value)))
  })

describe('wait', () => {
  test('returns the very promises, in the order given, as soon as enough are settled', async () => {
    const clock = new VirtualClock()
    const promises = [30, 10, 20, 40].map((ms) => after(clock, ms, ms))
    const one = await clock.until(waitOn(clock, promises, {}))
    expect(one.ready).toEqual([promises[1]])
    expect(one.ready[0]).toBe(promises[1])
    expect(one.pending).toEqual([promises[0], promises[2], promises[3]])
    expect(clock.now()).toBe(10)
    const two = await clock.until(waitOn(clock, one.pending, { count: 2 }))
    expect(two.ready[0]).toBe(promises[0])
    expect(two.ready[1]).toBe(promises[2])
    expect(clock.now()).toBe(30)
  })

  test('a rejected promise is ready, and nothing is left unhandled', async () => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listener)
    const clock = new VirtualClock()
    const promises = [
      after(clock, 5, 'broken', true),
      after(clock, 10, 'fine'),
      after(clock, 20, 'late', true),
    ]
    const { ready, pending } = await clock.until(waitOn(clock, promises, {}))
    expect(ready).toEqual([promises[0]])
    await expect(ready[0]).rejects.toThrow('broken')
    expect(pending).toHaveLength(2)
    await clock.run(50) // the last one fails when nobody waits any more
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })

  test('the time-out returns what there is, and zero looks without waiting', async () => {
    const clock = new VirtualClock()
    const promises = [after(clock, 10, 1), after(clock, 1000, 2), after(clock, 2000, 3)]
    const late = await clock.until(waitOn(clock, promises, { count: 2, timeoutMs: 100 }))
    expect(late).toEqual({ ready: [promises[0]], pending: [promises[1], promises[2]] })
    expect(clock.now()).toBe(100)
    const look = await clock.until(waitOn(clock, promises, { count: 3, timeoutMs: 0 }))
    expect(look.ready).toEqual([promises[0]])
    expect(clock.now()).toBe(100)
  })

  test('no more are ready than were asked for, though all are settled', async () => {
    const promises = [Promise.resolve(1), Promise.resolve(2), Promise.resolve(3)]
    const { ready, pending } = await wait(promises, { count: 2 })
    expect(await Promise.all(ready)).toEqual([1, 2])
    expect(await Promise.all(pending)).toEqual([3])
    expect(await wait([])).toEqual({ ready: [], pending: [] })
  })

  test('options that make no sense are refused', async () => {
    for (const options of [
      { count: 0 },
      { count: 2 },
      { count: 1.5 },
      { timeoutMs: -1 },
      { timeoutMs: Number.NaN },
    ])
      await expect(wait([Promise.resolve()], options)).rejects.toBeInstanceOf(BadInputError)
  })

  test('keeps the types', () => {
    expectTypeOf(wait([Promise.resolve(1)])).toEqualTypeOf<Promise<Waited<Promise<number>>>>()
    expectTypeOf<Waited<Promise<number>>['ready']>().toEqualTypeOf<Promise<number>[]>()
    // @ts-expect-error numbers are no promises
    expect(() => void wait([1]).catch(() => {})).not.toThrow()
  })
})
