import { expect, test, vi } from 'vitest'
import type { Ack } from './ipc.ts'
import { Load } from './load.ts'

const plan = {
  type: 'Ledger',
  method: 'add',
  names: ['a', 'b', 'c'],
  perSecond: 500,
  prefix: 'p0',
  timeoutMs: 1000,
}

test('one call per actor at a time; an actor that hangs holds up only its own calls; stop waits for what is in flight', async () => {
  const acks: Ack[] = []
  const failures: string[] = []
  const busy = new Set<string>()
  let release = (): void => {}
  const call = async (_type: string, name: string): Promise<unknown> => {
    expect(busy.has(name)).toBe(false)
    busy.add(name)
    if (name === 'b')
      await new Promise<void>((resolve) => {
        release = resolve
      })
    await new Promise((resolve) => setTimeout(resolve, 1))
    busy.delete(name)
    if (name === 'c') throw Object.assign(new Error('no'), { code: 'ACTOR_UNAVAILABLE' })
    return { by: 'peer' }
  }
  const load = new Load({ call }, plan, (report) => {
    acks.push(...report.acks)
    failures.push(...report.failures.map((failure) => failure.code))
  })
  await vi.waitFor(() => expect(acks.length).toBeGreaterThan(20))
  expect(acks.every((ack) => ack.name === 'a' && ack.by === 'peer')).toBe(true)
  expect(new Set(failures)).toEqual(new Set(['ACTOR_UNAVAILABLE']))
  const stopped = load.stop()
  release()
  await stopped
  expect(acks.some((ack) => ack.name === 'b')).toBe(true)
  expect(new Set(acks.map((ack) => ack.token)).size).toBe(acks.length)
})
