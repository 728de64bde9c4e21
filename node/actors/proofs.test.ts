import { afterEach, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { Counter } from './test-support/types.ts'
import type { ActorOptionsInput } from './types.ts'

class Loose extends Actor<{ count: number }> {
  static readonly options: ActorOptionsInput = { checkpoint: 'manual', readOnly: ['get'] }
  override state = { count: 0 }
  add(by: number): number {
    this.state.count += by
    return this.state.count
  }
  get(): number {
    return this.state.count
  }
  async *items(): AsyncGenerator<number> {}
}
class Synced extends Counter {
  static override readonly options: ActorOptionsInput = { durability: 'synced' }
}
class Teller extends Actor {
  async tell(): Promise<void> {
    await this.context.actor(Counter, 'x').with({ durability: 'synced' }).send.increment(1)
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names = 'abcd'): Promise<FakeMesh> {
  const mesh = new FakeMesh(1)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Counter, Loose, Synced, Teller])
  return mesh
}
const journalOf = (mesh: FakeMesh, key: string) => {
  const { home } = mesh.registry.actors.get(key as ActorKey)!
  return [...mesh.registry.journals.values()].filter(({ boot }) => boot === home)
}
async function crash(mesh: FakeMesh, key: string): Promise<string> {
  const old = hostOf(mesh, key)
  mesh.crash(old)
  await mesh.clock.untilTrue(() => hostOf(mesh, key) !== old && hostOf(mesh, key) !== '')
  return [...mesh.nodes.keys()][0]!
}

test('a receipt names the record, the block that has it, and who acknowledged that', async () => {
  const mesh = await peers()
  const counter = mesh.node('a').runtime.ref(Counter, 'x').with({ receipt: true })
  const first = await mesh.clock.until(counter.increment(5))
  const [journal] = journalOf(mesh, 'Counter/x')
  expect(first).toMatchObject({
    value: 5,
    receipt: { record: 2, journal: journal!.key, durability: 'replicated' },
  })
  const kept = journal!.keepers.map(({ peer }) => peer as string)
  expect(first.receipt.keepers.length).toBeGreaterThanOrEqual(2)
  expect(first.receipt.keepers.every((peer) => kept.includes(peer))).toBe(true)
  const second = await mesh.clock.until(counter.increment(1))
  expect(second.receipt.record).toBe(3)
  expect(second.receipt.block).toBeGreaterThan(first.receipt.block)
  // What changes nothing saw the last record.
  for (const method of ['get', 'peek'] as const)
    expect(await mesh.clock.until(counter[method]())).toMatchObject({ value: 6, receipt: { record: 3 } })
  await expect(mesh.clock.until(counter.failAfter(1))).rejects.toMatchObject({ code: 'NOPE' })
  expect(await mesh.clock.until(counter.with({ receipt: false }).get())).toBe(6)
})

test('after a failover a receipt is about the journal of the new home', async () => {
  const mesh = await peers()
  await mesh.clock.until(mesh.node('a').runtime.ref(Counter, 'x').increment(5))
  const there = await crash(mesh, 'Counter/x')
  const { value, receipt } = await mesh.clock.until(
    mesh.node(there).runtime.ref(Counter, 'x').with({ receipt: true }).get(),
  )
  expect(value).toBe(5)
  expect(journalOf(mesh, 'Counter/x').map(({ key }) => key as string)).toContain(receipt.journal)
  expect(receipt.keepers.length).toBeGreaterThanOrEqual(2)
})

test('G3: the host dies after the call was executed: the receipt that comes is of where its result is now', async () => {
  let later = 0
  for (let delayMs = 0; delayMs < 24; delayMs += 2) {
    const mesh = await peers()
    await mesh.clock.until(mesh.node('a').runtime.ref(Counter, 'x').increment(1))
    const host = hostOf(mesh, 'Counter/x')
    const other = [...mesh.nodes.keys()].find((name) => name !== host)!
    const call = mesh
      .node(other)
      .runtime.ref(Counter, 'x')
      .with({ receipt: true, durability: 'synced' })
      .increment(1)
    await mesh.clock.run(delayMs)
    mesh.crash(host)
    const { value, receipt } = await mesh.clock.until(call)
    expect(value).toBe(2)
    expect(receipt.durability).toBe('synced')
    expect(await mesh.clock.until(mesh.node(other).runtime.ref(Counter, 'x').get())).toBe(2)
    if (journalOf(mesh, 'Counter/x').some(({ key }) => key === receipt.journal)) later++
  }
  expect(later).toBeGreaterThan(0)
})

test('durability on a call under a relaxed policy: it is written before it is answered, and receipts are honest', async () => {
  const mesh = await peers()
  const loose = mesh.node('a').runtime.ref(Loose, 'x')
  await mesh.clock.until(loose.add(1))
  const unsaved = await mesh.clock.until(loose.with({ receipt: true }).add(1))
  expect(unsaved).toEqual({
    value: 2,
    receipt: { record: 3, journal: '', block: -1, keepers: [], durability: 'unsaved' },
  })
  const saved = await mesh.clock.until(loose.with({ receipt: true, durability: 'replicated' }).add(1))
  expect(saved).toMatchObject({ value: 3, receipt: { record: 4, durability: 'replicated' } })
  await mesh.clock.until(loose.add(1))
  expect(await mesh.clock.until(loose.with({ durability: 'replicated' }).get())).toBe(4)
  const there = await crash(mesh, 'Loose/x')
  expect(await mesh.clock.until(mesh.node(there).runtime.ref(Loose, 'x').get())).toBe(4)
})

test('a synced type says so, and asking for less gives no less', async () => {
  const mesh = await peers()
  const synced = mesh.node('a').runtime.ref(Synced, 'x')
  const { receipt } = await mesh.clock.until(
    synced.with({ receipt: true, durability: 'replicated' }).increment(1),
  )
  expect(receipt.durability).toBe('synced')
})

test('sends and generators have neither, and other words are refused', async () => {
  const mesh = await peers()
  const { runtime } = mesh.node('a')
  const refused = { code: 'BAD_INPUT' }
  await expect(runtime.ref(Counter, 'x').with({ receipt: true }).send.increment(1)).rejects.toMatchObject(
    refused,
  )
  await expect(mesh.clock.until(runtime.ref(Teller, 't').tell())).rejects.toMatchObject(refused)
  const items = runtime.ref(Loose, 'x').with({ durability: 'synced' }).items()[Symbol.asyncIterator]()
  await expect(mesh.clock.until(items.next())).rejects.toMatchObject(refused)
  const wrong = { durability: 'gold' as 'synced' }
  await expect(mesh.clock.until(runtime.ref(Counter, 'x').with(wrong).increment(1))).rejects.toMatchObject(
    refused,
  )
})
