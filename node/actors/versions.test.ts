import { afterEach, describe, expect, test } from 'vitest'
import type { ActorKey } from '../../mesh/ids.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import { describeType } from './type-info.ts'
import type { ActorClass, ActorOptionsInput } from './types.ts'

class First extends Actor<{ name: string }> {
  static readonly actorName = 'Person'
  static readonly options: ActorOptionsInput = { readOnly: ['look'] }
  override state = { name: 'Ada Lovelace' }
  add(name: string): string {
    this.state.name += ` ${name}`
    return this.state.name
  }
  look(): unknown {
    return this.state
  }
}

let migrations: number[] = []
let during: () => void = () => {}
class Third extends Actor<{ names: string[] }> {
  static readonly actorName = 'Person'
  static readonly version: number = 3
  static readonly options: ActorOptionsInput = { readOnly: ['look'], idleMs: 1000 }
  static migrate(state: { name: string }, fromVersion: number): { names: string[] } {
    migrations.push(fromVersion)
    during()
    const { name } = state
    state.name = 'half done'
    if (name.includes('Unlucky')) throw new RangeError('no such people')
    return { names: name.split(' ') }
  }
  override state = { names: [] as string[] }
  add(name: string): number {
    return this.state.names.push(name)
  }
  look(): unknown {
    return this.state
  }
}

class NoMigrate extends Actor {
  static readonly actorName = 'Person'
  static readonly version = 1
  add(): void {}
}

const opened: FakeMesh[] = []
afterEach(() => {
  migrations = []
  during = () => {}
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string, type: ActorClass): Promise<FakeMesh> {
  const mesh = new FakeMesh(1)
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [type])
  return mesh
}
const key = 'Person/x' as ActorKey
const entry = (mesh: FakeMesh) => mesh.registry.actors.get(key)!
const call = (mesh: FakeMesh, from: string, method: string, ...args: unknown[]): Promise<unknown> =>
  mesh.clock.until(mesh.node(from).runtime.call('Person', 'x', method, args))
async function moved(mesh: FakeMesh, to: string): Promise<void> {
  void mesh
    .node('a')
    .peer.command({ kind: 'move', actor: key, epoch: entry(mesh).epoch, to: mesh.node(to).peer.self })
  await mesh.clock.untilTrue(() => hostOf(mesh, 'Person/x') === to)
}

describe('versions of a state', () => {
  test('an older state is migrated once, and what comes of it is what every later home finds', async () => {
    const mesh = await peers('abc', First)
    await call(mesh, 'a', 'add', 'King')
    await mesh.start('d', [Third])
    await mesh.start('e', [Third])
    await moved(mesh, 'd')
    expect(await call(mesh, 'a', 'look')).toEqual({ names: ['Ada', 'Lovelace', 'King'] })
    expect(await call(mesh, 'b', 'add', 'Byron')).toBe(4)
    expect(migrations).toEqual([0])
    // It rests, and wakes up, as what it is now.
    await mesh.clock.untilTrue(() => mesh.node('d').runtime.passive === 1)
    expect(await call(mesh, 'a', 'add', 'Countess')).toBe(5)
    await moved(mesh, 'e')
    expect(await call(mesh, 'a', 'look')).toEqual({ names: ['Ada', 'Lovelace', 'King', 'Byron', 'Countess'] })
    expect(migrations).toEqual([0])
  })

  test('a rolling upgrade: every peer restarts with the newer class, and the state is migrated once', async () => {
    const mesh = await peers('abc', First)
    await call(mesh, 'a', 'add', 'King')
    for (const name of ['a', 'b', 'c']) {
      mesh.crash(name)
      await mesh.start(name, [Third])
    }
    expect(await call(mesh, 'a', 'look')).toEqual({ names: ['Ada', 'Lovelace', 'King'] })
    mesh.crash(hostOf(mesh, 'Person/x'))
    const [other] = [...mesh.nodes.keys()]
    expect(await call(mesh, other!, 'look')).toEqual({ names: ['Ada', 'Lovelace', 'King'] })
    expect(migrations).toEqual([0])
  })

  test('a state that is newer than the class here waits, says why, loses nothing, and is never given up for it', async () => {
    class Careful extends First {
      static override readonly options: ActorOptionsInput = { ...First.options, maxRestarts: 0 }
    }
    const mesh = await peers('abc', Careful)
    await call(mesh, 'a', 'add', 'King')
    await mesh.start('d', [Third])
    await moved(mesh, 'd')
    await call(mesh, 'a', 'add', 'Byron')
    await moved(mesh, 'b')
    const why = /version 3 of Person, and this peer has version 0: start this peer with the newer class/
    await expect(call(mesh, 'a', 'look')).rejects.toMatchObject({
      code: 'ACTOR_UNAVAILABLE',
      why: expect.stringMatching(why),
    })
    expect(entry(mesh).failures).toMatchObject({ count: 0, cause: expect.stringMatching(why) })
    expect(entry(mesh).status).toEqual({ kind: 'running' })
    await moved(mesh, 'd')
    expect(await call(mesh, 'a', 'look')).toEqual({ names: ['Ada', 'Lovelace', 'King', 'Byron'] })
    expect(migrations).toEqual([0])
  })

  test('a migration that throws, or is missing, has changed nothing: it waits for a class that can', async () => {
    const mesh = await peers('abc', First)
    await call(mesh, 'a', 'add', 'Unlucky')
    await mesh.start('d', [Third])
    await moved(mesh, 'd')
    await expect(call(mesh, 'a', 'look')).rejects.toMatchObject({
      why: expect.stringContaining(
        'Person.migrate failed for a state of version 0: RangeError: no such people',
      ),
    })
    await mesh.start('e', [NoMigrate])
    await moved(mesh, 'e')
    await expect(call(mesh, 'a', 'add')).rejects.toMatchObject({
      why: expect.stringContaining('version 1 without a static migrate(state, fromVersion): add one'),
    })
    await moved(mesh, 'b')
    expect(await call(mesh, 'a', 'look')).toEqual({ name: 'Ada Lovelace Unlucky' })
  })

  test('H2 what a migration gave is durable before anybody hears of it', async () => {
    const mesh = await peers('abc', First)
    await call(mesh, 'a', 'add', 'King')
    await mesh.start('d', [Third])
    during = () => mesh.isolate('d')
    await moved(mesh, 'd')
    let heard = false
    const asked = mesh.node('d').runtime.call('Person', 'x', 'look', [])
    asked.then(
      () => {
        heard = true
      },
      () => {},
    )
    await mesh.clock.untilTrue(() => migrations.length > 0)
    await mesh.clock.untilTrue(() => entry(mesh).epoch > 2)
    expect(heard).toBe(false)
    // Its home was lost before the record was there: the next one finds what was there before.
    expect(await call(mesh, 'a', 'look')).toEqual({ name: 'Ada Lovelace King' })
    expect(heard).toBe(false)
  })

  test('a version is a whole number, and a migrate without one is a mistake', () => {
    class Odd extends Actor {
      static readonly version = 1.5
    }
    class Without extends Actor {
      static migrate(state: object): object {
        return state
      }
    }
    expect(() => describeType(Odd)).toThrow('Odd.version is 1.5: a whole number, at least 0')
    expect(() => describeType(Without)).toThrow('Without has migrate and no version: set static version')
  })

  test('a migrate that answers with a promise, or nothing, says so', async () => {
    class Late extends Actor {
      static readonly actorName = 'Person'
      static readonly version = 1
      static async migrate(state: object): Promise<object> {
        return state
      }
      look(): void {}
    }
    class Nothing extends Actor {
      static readonly actorName = 'Person'
      static readonly version = 1
      static migrate(): object {
        return undefined as unknown as object
      }
      look(): void {}
    }
    for (const [type, what] of [
      [Late, 'it returned a promise: return the state, an object, at once'],
      [Nothing, 'it returned undefined'],
    ] as const) {
      const mesh = await peers('abc', First)
      await call(mesh, 'a', 'add', 'King')
      await mesh.start('d', [type])
      await moved(mesh, 'd')
      await expect(call(mesh, 'a', 'look')).rejects.toMatchObject({ why: expect.stringContaining(what) })
    }
  })
})
