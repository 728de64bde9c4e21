// The four ways to checkpoint that Ray's page names, side by side, each through a crash of its actor's host. Ray's actors
// have to do all of this by hand; the first two are options here, the other two are written down as they are done there,
// to show what they leave to you.
//
//   node examples/checkpoint-ways.ts

// In an app: from 'actor-mesh'
import { Actor, type ActorClass, type ActorOptionsInput, type MeshNode } from '../node/index.ts'
import { isProgram, type LocalMesh, print, startLocalMesh } from './local-mesh.ts'

interface Sum {
  readonly total: number
  /** The number of the last value in it: who is asked to add that again knows it. */
  readonly last: number
}
const NOTHING: Sum = { total: 0, last: 0 }

const add = (sum: Sum, n: number, value: number): Sum =>
  n <= sum.last ? sum : { total: sum.total + value, last: n }

/** 1. "Write the state to local disk": to those of three peers, before a call is answered, so another one can go on. */
export class OnDisks extends Actor<Sum> {
  override state = NOTHING
  process(n: number, value: number): number {
    this.state = add(this.state, n, value)
    return this.state.total
  }
}

/** 2. "…and sync it across the cluster": and it is synced there, so that the power may go off everywhere at once. */
export class OnSyncedDisks extends OnDisks {
  static readonly options: ActorOptionsInput = { durability: 'synced' }
}

/** Where an actor finds the node it runs on; several share this process. In an app there is one. */
const nodes = new Map<string, MeshNode>()

/** 3. "Write the state to the internal kv store": the actor itself has none, and reads what is there each time. */
export class InKv extends Actor<Record<string, never>> {
  override state = {}
  async process(n: number, value: number): Promise<number> {
    const { kv } = nodes.get(this.context.peer)!
    const key = `checkpoints/${this.context.name}`
    const sum = add(((await kv.get(key))?.value as Sum | undefined) ?? NOTHING, n, value)
    await kv.put(key, sum)
    return sum.total
  }
}

/** 4. "Write the state to an actor placed on the head node": which follows the head here, and is as durable as any. */
export class Checkpoints extends Actor<{ sums: Record<string, Sum> }> {
  static readonly options: ActorOptionsInput = { home: 'head', readOnly: ['load'] }
  override state = { sums: {} as Record<string, Sum> }
  load(name: string): Sum {
    return this.state.sums[name] ?? NOTHING
  }
  save(name: string, sum: Sum): void {
    this.state.sums[name] = sum
  }
}
export class OnTheHead extends Actor<Record<string, never>> {
  override state = {}
  async process(n: number, value: number): Promise<number> {
    const checkpoints = this.context.actor(Checkpoints, 'all')
    const sum = add(await checkpoints.load(this.context.name), n, value)
    await checkpoints.save(this.context.name, sum)
    return sum.total
  }
}

type Way = ActorClass<OnDisks> | ActorClass<InKv> | ActorClass<OnTheHead>
const WAYS: readonly (readonly [string, Way])[] = [
  ['on disks', OnDisks],
  ['on synced disks', OnSyncedDisks],
  ['in the kv store', InKv],
  ['in an actor on the head', OnTheHead],
]

/** Ten values, a crash of the host, an eleventh. */
async function through(
  mesh: LocalMesh,
  up: () => MeshNode,
  [what, type]: (typeof WAYS)[number],
): Promise<number> {
  const process = (n: number): Promise<number> =>
    up()
      .actor<OnDisks>(type as ActorClass<OnDisks>, 'one')
      .process(n, n)
  for (let n = 1; n <= 10; n += 1) await process(n)
  await mesh.copied()
  const host = mesh.hostOf(type.name, 'one')
  await host.close()
  const total = await process(11)
  print(`${what}: ${total}, after the crash of ${host.name}`)
  return total
}

export async function main(): Promise<readonly number[]> {
  const mesh = await startLocalMesh(8, [...WAYS.map(([, type]) => type as ActorClass), Checkpoints])
  try {
    const down = new Set<MeshNode>()
    for (const node of mesh.nodes) {
      nodes.set(node.peerId, node)
      void node.closed.then(() => down.add(node))
    }
    const up = (): MeshNode => mesh.nodes.find((node) => !down.has(node))!
    const totals: number[] = []
    for (const way of WAYS) totals.push(await through(mesh, up, way))
    return totals
  } finally {
    await mesh.end()
  }
}

if (isProgram(import.meta.url)) await main()
