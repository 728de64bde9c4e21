// Reads that may be a little old: what they answer, what they refuse, and when they are calls like any other.

import { afterEach, expect, test } from 'vitest'
import type { ActorError } from '../errors.ts'
import { Actor } from './actor.ts'
import { FakeMesh, hostOf } from './test-support/fake-mesh.ts'
import type { ActorOptionsInput, ActorRef } from './types.ts'

class Board extends Actor<{ scores: Map<string, number>; friend: ActorRef<Board> | null }> {
  static readonly options: ActorOptionsInput = { readOnly: ['top', 'fail', 'cheat', 'where', 'ask', 'best'] }
  override state = { scores: new Map<string, number>(), friend: null as ActorRef<Board> | null }
  score(who: string, points: number): number {
    this.state.scores.set(who, points)
    return this.state.scores.size
  }
  befriend(friend: ActorRef<Board>): void {
    this.state.friend = friend
  }
  top(above: number): readonly string[] {
    return [...this.state.scores].filter(([, points]) => points > above).map(([who]) => who)
  }
  where(): string {
    return this.context.peer
  }
  fail(): never {
    throw Object.assign(new RangeError('no'), { code: 'NO', data: { size: this.state.scores.size } })
  }
  cheat(): number {
    return this.state.scores.set('me', 100).size
  }
  async best(): Promise<readonly string[] | undefined> {
    return this.state.friend?.top(0)
  }
  async ask(name: string): Promise<string> {
    return this.context
      .actor(Board, name)
      .with({ reads: { maxLagMs: 60_000 } })
      .where()
  }
}

class Opened extends Board {
  static readonly actorName = 'Opened'
  protected override onActivate(): void {}
}

const opened: FakeMesh[] = []
afterEach(() => {
  for (const mesh of opened.splice(0)) for (const node of mesh.nodes.values()) node.runtime.close()
})
async function peers(names: string): Promise<FakeMesh> {
  const mesh = new FakeMesh()
  opened.push(mesh)
  for (const name of names) await mesh.start(name, [Board, Opened])
  return mesh
}
const lagging = (mesh: FakeMesh, at: string, type: typeof Board = Board): ActorRef<Board> =>
  mesh
    .node(at)
    .runtime.ref(type, 'x')
    .with({ reads: { maxLagMs: 500 } })
const reader = (mesh: FakeMesh, type = 'Board'): string =>
  [...mesh.nodes.keys()].find((id) => id !== hostOf(mesh, `${type}/x`))!

test('run here, on a copy, with arguments, results, errors and references as ever', async () => {
  const mesh = await peers('abcd')
  const writer = mesh.node('a').runtime.ref(Board, 'x')
  await mesh.clock.until(writer.score('ada', 3))
  await mesh.clock.until(mesh.node('a').runtime.ref(Board, 'y').score('zoe', 1))
  await mesh.clock.until(writer.befriend(mesh.node('a').runtime.ref(Board, 'y')))
  const at = reader(mesh)
  const ref = lagging(mesh, at)
  expect(await mesh.clock.until(ref.where())).toBe(at)
  expect(await mesh.clock.until(ref.top(2))).toEqual(['ada'])
  expect(await mesh.clock.until(ref.top(5))).toEqual([])
  expect(await mesh.clock.until(ref.best())).toEqual(['zoe'])
  const error = (await mesh.clock.until(ref.fail().catch((thrown: unknown) => thrown))) as ActorError
  expect(error).toMatchObject({ name: 'RangeError', message: 'no', code: 'NO' })
  await expect(mesh.clock.until(ref.cheat())).rejects.toMatchObject({ code: 'BAD_STATE_CHANGE' })
  expect(await mesh.clock.until(ref.top(50))).toEqual([])
})

test('without a host in reach they are answered as long as the bound allows, and are calls then', async () => {
  const mesh = await peers('abcd')
  await mesh.clock.until(mesh.node('a').runtime.ref(Board, 'x').score('ada', 3))
  const at = reader(mesh)
  const ref = lagging(mesh, at)
  expect(await mesh.clock.until(ref.top(0))).toEqual(['ada'])
  mesh.isolate(hostOf(mesh, 'Board/x'), false)
  await mesh.clock.run(300)
  expect(await mesh.clock.until(ref.top(0))).toEqual(['ada'])
  await mesh.clock.run(300)
  await expect(mesh.clock.until(ref.with({ timeoutMs: 1000 }).top(0))).rejects.toMatchObject({
    code: 'ACTOR_UNAVAILABLE',
  })
})

test('inside an actor, of a class with onActivate, and of an actor that was never there, they are calls', async () => {
  const mesh = await peers('abcd')
  expect(await mesh.clock.until(lagging(mesh, 'b').top(0))).toEqual([])
  await mesh.clock.until(mesh.node('a').runtime.ref(Opened, 'x').score('ada', 3))
  const at = reader(mesh, 'Opened')
  expect(await mesh.clock.until(lagging(mesh, at, Opened).where())).toBe(hostOf(mesh, 'Opened/x'))
  await mesh.clock.until(mesh.node('a').runtime.ref(Board, 'y').score('ada', 3))
  const asked = mesh.node('a').runtime.ref(Board, 'y').ask('x')
  expect(await mesh.clock.until(asked)).toBe(hostOf(mesh, 'Board/x'))
})
