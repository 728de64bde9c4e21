// What an actor costs in its host's memory, idle and active or passivated, beyond its entry in the registry: heap with
// 10,000 of them, less the heap of the same process after its runtime dropped them. `npx node --expose-gc bench/actor-memory.ts`

import { Actor } from '../node/actors/actor.ts'
import { FakeMesh } from '../node/actors/test-support/fake-mesh.ts'
import type { ActorOptionsInput } from '../node/actors/types.ts'

const ACTORS = Number(process.argv[2] ?? 10_000)
const AT_A_TIME = 500
const IDLE_MS = 60_000

class Cell extends Actor<{ value: number; name: string }> {
  static readonly options: ActorOptionsInput = { idleMs: IDLE_MS }
  override state = { value: 0, name: '' }
  set(value: number): number {
    this.state.value = value
    this.state.name = this.context.name
    return value
  }
}

const collect = globalThis.gc
if (collect === undefined) throw new Error('start with --expose-gc: the heap is compared after a collection')
const heap = async (): Promise<number> => {
  for (let round = 0; round < 4; round++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

const mesh = new FakeMesh()
const { runtime } = await mesh.start('a', [Cell])
await mesh.start('b', [])
for (let at = 0; at < ACTORS; at += AT_A_TIME) {
  const calls = Array.from({ length: AT_A_TIME }, (_, n) => runtime.ref(Cell, `cell-${at + n}`).set(at + n))
  await mesh.clock.until(Promise.all(calls))
}
await mesh.clock.run(1000)
const { live } = runtime
const active = await heap()
await mesh.clock.run(2 * IDLE_MS)
const { passive } = runtime
const resting = await heap()
runtime.close()
await mesh.clock.run(1000)
const none = await heap()

const each = (bytes: number): string => `${Math.round((bytes - none) / ACTORS)} bytes each`
process.stdout.write(`${live} active and idle: ${each(active)}; ${passive} passivated: ${each(resting)}\n`)
