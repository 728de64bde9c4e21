// Looking back at an actor, going back to what it was, and copies of it: whatever happens to its hosts meanwhile.

import { afterEach, describe, expect, test } from 'vitest'
import { actorKey, peerId } from '../../mesh/ids.ts'
import { BadInputError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import type { ActorOptionsInput, ActorRef } from './types.ts'

class Diary extends Actor<{ lines: string[] }> {
  static readonly options: ActorOptionsInput = { readOnly: ['all'] }
  override state = { lines: [] as string[] }
  constructor(first?: string) {
    super()
    if (first !== undefined) this.state.lines.push(first)
  }
  write(line: string): number {
    return this.state.lines.push(line)
  }
  all(): readonly string[] {
    return this.state.lines
  }
  arm(): void {
    this.schedule.after(10, this.write, 'rung')
  }
  async slow(line: string): Promise<number> {
    const length = this.state.lines.push(line)
    for (let time = 0; time < 5; time++) await this.context.actor(Diary, 'other').all()
    return length
  }
}

/** With fields of its own for a state. */
class Fields extends Actor {
  #lines: string[] = []
  write(line: string): number {
    return this.#lines.push(line)
  }
  all(): readonly string[] {
    return this.#lines
  }
  getState(): { lines: string[] } {
    return { lines: this.#lines }
  }
  loadState({ lines }: { lines: string[] }): void {
    this.#lines = lines
  }
}

/** A later version of the diary. */
class Dated extends Actor<{ days: string[] }> {
  static readonly actorName = 'Diary'
  static readonly version = 2
  static migrate({ lines }: { lines: string[] }): object {
    return { days: lines.map((line) => `day of ${line}`) }
  }
  override state = { days: [] as string[] }
  all(): readonly string[] {
    return this.state.days
  }
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string, seed = 1): Promise<FakeMesh> {
  const mesh = new FakeMesh(seed)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Diary, Fields])
  return mesh
}
const diary = (mesh: FakeMesh, at: string, name = 'x'): ActorRef<Diary> =>
  mesh.node(at).runtime.ref(Diary, name)
const host = (mesh: FakeMesh, name = 'x'): string => hostOf(mesh, `Diary/${name}`)
const others = (mesh: FakeMesh, ...but: string[]): string[] =>
  [...mesh.nodes.keys()].filter((id) => !but.includes(id))

describe('history', () => {
  test('lists what made each record, newest first, from every peer', async () => {
    const mesh = await peers('abcd')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    await mesh.clock.until(diary(mesh, 'b').arm())
    await mesh.clock.run(200)
    for (const at of 'abcd') {
      const { records, missing, unreadable } = await mesh.clock.until(diary(mesh, at).history())
      expect({ missing, unreadable }).toEqual({ missing: [], unreadable: [] })
      expect(records.map(({ record, kind, method, caller }) => [record, kind, method, caller])).toEqual([
        [5, 'alarm', 'write', undefined],
        [4, 'agenda', undefined, undefined],
        [3, 'call', 'arm', 'b'],
        [2, 'call', 'write', 'a'],
        [1, 'snapshot', undefined, undefined],
      ])
      for (const { at: time, bytes, epoch, foldedInto } of records) {
        expect(time).toBeGreaterThan(1_700_000_000_000)
        if (foldedInto === undefined) expect(bytes).toBeGreaterThan(0)
        expect(epoch).toBe(1)
      }
    }
  })

  test('comes in pages, and names every change, also those that are written as one snapshot', async () => {
    const mesh = await peers('abc')
    const total = 300
    for (let n = 0; n < total; n += 10)
      await mesh.clock.until(
        Promise.all(Array.from({ length: 10 }, (_, i) => diary(mesh, 'a').write(`${n + i}`))),
      )
    const seen: number[] = []
    let snapshots = 0
    for (let before: number | undefined; before !== 1; before = seen.at(-1)!) {
      const page = await mesh.clock.until(
        diary(mesh, 'b').history({ limit: 7, ...(before !== undefined && { before }) }),
      )
      expect(page).toMatchObject({ missing: [], unreadable: [] })
      for (const { record, kind, method, whole, restorable, foldedInto } of page.records) {
        seen.push(record)
        if (whole) snapshots++
        expect(restorable).toBe(foldedInto === undefined)
        if (record > 1) expect([kind, method]).toEqual(['call', 'write'])
      }
    }
    expect(seen).toEqual(Array.from({ length: total + 1 }, (_, n) => total + 1 - n))
    expect(snapshots).toBeGreaterThan(1)
  })

  test('R10 a host that nobody hears of lists nothing that is not acknowledged', async () => {
    const mesh = await peers('abcd')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    const home = host(mesh)
    const log = mesh.journalsOf(home)[0]!
    for (const keeper of log.keepers) if (keeper.peer !== home) log.slow.add(keeper.peer)
    const lost = diary(mesh, home).write('lost')
    lost.catch(() => {})
    await mesh.clock.run(200)
    const { records } = await mesh.clock.until(diary(mesh, home).history())
    expect(records.map(({ record }) => record)).toEqual([2, 1])
  })

  test('goes on over hosts, and says which numbers are gone with the journals they were in', async () => {
    const mesh = await peers('abcde')
    for (const line of ['1', '2', '3']) await mesh.clock.until(diary(mesh, 'a').write(line))
    const first = host(mesh)
    const [at] = others(mesh, first)
    mesh.crash(first)
    await mesh.clock.until(diary(mesh, at!).write('4'))
    const soon = await mesh.clock.until(diary(mesh, at!).history())
    expect(soon.records.find(({ kind }) => kind === 'call')).toMatchObject({
      method: 'write',
      caller: at,
      epoch: 2,
    })
    const numbers = new Set(soon.records.map(({ record }) => record))
    for (const { from, to } of soon.missing) for (let n = from; n <= to; n++) numbers.add(n)
    expect(numbers.size).toBe(soon.records[0]!.record)
    // Its state is copied, and nobody needs the journal of the lost host any more.
    await mesh.clock.untilTrue(() => {
      const { actors, journals } = mesh.node(at!).peer.registry!
      const isCopied = actors.get(actorKey('Diary', 'x'))!.sources.length === 0
      return isCopied && [...journals.values()].every(({ status }) => status.kind === 'open')
    })
    const later = await mesh.clock.until(diary(mesh, at!).history())
    expect(later.missing.at(-1)!.from).toBe(1)
    expect(later.records.length).toBeGreaterThan(0)
    await expect(mesh.clock.until(diary(mesh, at!).restore({ record: 2 }))).rejects.toThrow('is not kept')
  })

  test('says what can not be read at the moment', async () => {
    const mesh = await peers('abcde')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    const home = host(mesh)
    const [at] = others(mesh, home)
    mesh.isolate(home, false)
    const { records, missing, unreadable } = await mesh.clock.until(diary(mesh, at!).history())
    expect({ records, missing }).toEqual({ records: [], missing: [] })
    expect(unreadable).toEqual([expect.stringContaining(`is open at ${home}`)])
  })

  test('of what is not there, or of nonsense, is refused', async () => {
    const mesh = await peers('abc')
    await expect(mesh.clock.until(diary(mesh, 'a', 'nobody').history())).rejects.toThrow(
      'there is no actor Diary/nobody',
    )
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    await expect(mesh.clock.until(diary(mesh, 'a').history({ limit: 0 }))).rejects.toThrow('limit is 0')
    await expect(mesh.clock.until(diary(mesh, 'a').history({ before: 1.5 }))).rejects.toThrow(BadInputError)
  })
})

describe('restore', () => {
  test('writes an earlier state as a new record, and erases nothing', async () => {
    const mesh = await peers('abcd')
    for (const line of ['one', 'two', 'three']) await mesh.clock.until(diary(mesh, 'a').write(line))
    expect(await mesh.clock.until(diary(mesh, 'b').restore({ record: 3 }))).toBe(5)
    expect(await mesh.clock.until(diary(mesh, 'c').all())).toEqual(['one', 'two'])
    expect(await mesh.clock.until(diary(mesh, 'c').write('other'))).toBe(3)
    expect(await mesh.clock.until(diary(mesh, 'b').restore({ record: 4 }))).toBe(7)
    expect(await mesh.clock.until(diary(mesh, 'c').all())).toEqual(['one', 'two', 'three'])
    const { records, unreadable } = await mesh.clock.until(diary(mesh, 'd').history())
    expect(unreadable).toEqual([])
    expect(records.map(({ kind, method }) => `${kind} ${method}`)).toEqual([
      'restore 4',
      'call write',
      'restore 3',
      'call write',
      'call write',
      'call write',
      'snapshot undefined',
    ])
    expect(records[0]!.caller).toBe('b')
  })

  test('G3 happens once, whenever the host dies', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const mesh = await peers('abcde', seed)
      for (const line of ['one', 'two', 'three']) await mesh.clock.until(diary(mesh, 'a').write(line))
      const home = host(mesh)
      const [at] = others(mesh, home)
      const restoring = diary(mesh, at!).restore({ record: 2 })
      const next = diary(mesh, at!).write('next')
      mesh.later(seed * 2, () => mesh.crash(home))
      const outcome = await mesh.clock.until(restoring.then(String, (error: Error) => error))
      await mesh.clock.until(next)
      // Once its journal is gone there may be no such record any more: then nothing was changed.
      const before = outcome instanceof BadInputError ? ['one', 'two', 'three'] : ['one']
      expect(await mesh.clock.until(diary(mesh, at!).all())).toEqual([...before, 'next'])
    }
  })

  test('a record that was never written is refused', async () => {
    const mesh = await peers('abc')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    for (const record of [0, 3, 99, Number.NaN])
      await expect(mesh.clock.until(diary(mesh, 'a').restore({ record }))).rejects.toMatchObject({
        code: 'BAD_INPUT',
      })
    expect(await mesh.clock.until(diary(mesh, 'a').all())).toEqual(['one'])
  })
})

test('a state in fields of its own is restored and copied, too', async () => {
  const mesh = await peers('abc')
  const fields = mesh.node('a').runtime.ref(Fields, 'x')
  for (const line of ['one', 'two']) await mesh.clock.until(fields.write(line))
  await mesh.clock.until(fields.restore({ record: 2 }))
  expect(await mesh.clock.until(fields.all())).toEqual(['one'])
  expect(await mesh.clock.until(fields.write('other'))).toBe(2)
  await mesh.clock.until(fields.fork('copy', { record: 3 }))
  const copy = mesh.node('b').runtime.ref(Fields, 'copy')
  expect(await mesh.clock.until(copy.all())).toEqual(['one', 'two'])
  expect(await mesh.clock.until(copy.write('three'))).toBe(3)
})

test('a state of an older version is restored and copied as the class wants it now', async () => {
  const mesh = await peers('a')
  for (const line of ['one', 'two']) await mesh.clock.until(diary(mesh, 'a').write(line))
  for (const name of 'bc') await mesh.start(name, [Dated])
  const { key: actor, epoch } = mesh.registry.actors.get(actorKey('Diary', 'x'))!
  // It moves to a peer with the newer class; its old home, and journal, stay.
  mesh
    .node('a')
    .peer.command({ kind: 'move', actor, epoch, to: peerId('b') })
    .catch(() => {})
  await mesh.clock.untilTrue(() => mesh.registry.actors.get(actor)!.home?.startsWith('b/') === true)
  const ref = mesh.node('b').runtime.ref(Dated, 'x')
  expect(await mesh.clock.until(ref.all())).toEqual(['day of one', 'day of two'])
  await mesh.clock.until(ref.restore({ record: 2 }))
  expect(await mesh.clock.until(ref.all())).toEqual(['day of one'])
  await mesh.clock.until(ref.fork('copy', { record: 3 }))
  for (
    let tries = 0;
    tries < 20 && !mesh.registry.actors.get(actorKey('Diary', 'copy'))!.home?.startsWith('b/');
    tries++
  ) {
    const { key, epoch: now } = mesh.registry.actors.get(actorKey('Diary', 'copy'))!
    await mesh.clock.until(
      mesh.node('b').peer.command({ kind: 'move', actor: key, epoch: now, to: peerId('b') }),
    )
    await mesh.clock.run(1000)
  }
  expect(await mesh.clock.until(mesh.node('b').runtime.ref(Dated, 'copy').all())).toEqual([
    'day of one',
    'day of two',
  ])
})

describe('fork', () => {
  test('makes a new actor of the state, now or as of a record; they have nothing to do with each other', async () => {
    const mesh = await peers('abcd')
    const origin = mesh.node('a').runtime.ref(Diary, 'x', 'zero')
    for (const line of ['one', 'two']) await mesh.clock.until(origin.write(line))
    await mesh.clock.until(diary(mesh, 'b').fork('now'))
    await mesh.clock.until(diary(mesh, 'c').fork('then', { record: 2 }))
    await mesh.clock.until(diary(mesh, 'a').write('three'))
    await mesh.clock.until(diary(mesh, 'a', 'then').write('other'))
    expect(await mesh.clock.until(diary(mesh, 'd', 'now').all())).toEqual(['zero', 'one', 'two'])
    expect(await mesh.clock.until(diary(mesh, 'd', 'then').all())).toEqual(['zero', 'one', 'other'])
    expect(await mesh.clock.until(origin.all())).toEqual(['zero', 'one', 'two', 'three'])
    const { records } = await mesh.clock.until(diary(mesh, 'd', 'then').history())
    expect(records.map(({ kind, method }) => [kind, method])).toEqual([
      ['call', 'write'],
      ['fork', 'Diary/x at record 2'],
      ['snapshot', undefined],
    ])
  })

  test('a name that is taken, an actor that is not there', async () => {
    const mesh = await peers('abc')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    await mesh.clock.until(diary(mesh, 'a', 'y').write('why'))
    await expect(mesh.clock.until(diary(mesh, 'b').fork('y'))).rejects.toThrow(
      'there is an actor of that name',
    )
    await expect(mesh.clock.until(diary(mesh, 'b').fork('x'))).rejects.toThrow(
      'there is an actor of that name',
    )
    await expect(mesh.clock.until(diary(mesh, 'b', 'z').fork('new'))).rejects.toThrow(
      'there is no actor Diary/z',
    )
    await expect(mesh.clock.until(diary(mesh, 'b').fork('new', { record: 9 }))).rejects.toThrow('is not kept')
    expect(mesh.registry.actors.has(actorKey('Diary', 'new'))).toBe(false)
    expect(await mesh.clock.until(diary(mesh, 'c', 'y').all())).toEqual(['why'])
  })

  test('an actor that took the name of a copy meanwhile is not taken for it', async () => {
    const mesh = await peers('abc')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    const call = mesh.node('b').runtime.call('Diary', 'x', '#become', [new Uint8Array(), 'Diary/y'])
    await expect(mesh.clock.until(call)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect(await mesh.clock.until(diary(mesh, 'c').all())).toEqual(['one'])
  })

  test('N1 whoever calls the copy sees the state of its origin first, whenever hosts die', async () => {
    for (let seed = 1; seed <= 16; seed++) {
      const mesh = await peers('abcde', seed)
      for (const line of ['one', 'two']) await mesh.clock.until(diary(mesh, 'a').write(line))
      const [at, doomed] = others(mesh, host(mesh))
      const forking = diary(mesh, at!).fork('copy')
      const seen: string[][] = []
      // Somebody who can not wait for it.
      const early = (async (): Promise<void> => {
        await mesh.clock.untilTrue(() => mesh.registry.actors.has(actorKey('Diary', 'copy')))
        seen.push([...(await diary(mesh, at!, 'copy').with({ timeoutMs: 60_000 }).all())])
      })()
      mesh.later(4 + seed * 2, () => {
        const home = mesh.registry.actors.get(actorKey('Diary', 'copy'))?.home
        const victim = home?.split('/')[0] ?? doomed!
        if (victim !== at && mesh.nodes.has(peerId(victim))) mesh.crash(victim)
      })
      await mesh.clock.until(forking)
      await mesh.clock.until(early)
      expect(seen).toEqual([['one', 'two']])
      expect(await mesh.clock.until(diary(mesh, at!, 'copy').write('three'))).toBe(3)
    }
  })

  test('N2 one that lost its maker answers nothing, says why, and is given up', async () => {
    const mesh = await peers('abcde')
    await mesh.clock.until(diary(mesh, 'a').write('one'))
    const [maker, at] = others(mesh, host(mesh))
    void diary(mesh, maker!)
      .fork('copy')
      .catch(() => {})
    await mesh.clock.untilTrue(() => mesh.registry.actors.has(actorKey('Diary', 'copy')))
    mesh.crash(maker!)
    const waiting = diary(mesh, at!, 'copy').with({ timeoutMs: 3000 }).all()
    const answer = await mesh.clock.until(waiting.catch((error: Error) => error))
    expect(answer).toMatchObject({
      code: 'ACTOR_UNAVAILABLE',
      why: expect.stringContaining('a copy of Diary/x'),
    })
    await mesh.clock.untilTrue(
      () => mesh.registry.actors.get(actorKey('Diary', 'copy'))!.status.kind === 'dead',
      90_000,
    )
    await mesh.clock.until(diary(mesh, at!).fork('copy'))
    expect(await mesh.clock.until(diary(mesh, at!, 'copy').all())).toEqual(['one'])
  })
})
