import { expect, test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import { Actor } from '../../node/actors/actor.ts'
import { createRuntime, type Runtime } from '../../node/actors/runtime.ts'
import { SimMesh, type SimPeer } from './mesh.ts'

const SEEDS = Number(process.env.SIM_SEEDS ?? 15)
const FIRST = Number(process.env.SIM_FIRST ?? 1)
const ACTORS = 6

/** Remembers every token it was given: what is missing was lost, what is there twice was applied twice. */
class Ledger extends Actor<{ tokens: string[] }> {
  override state = { tokens: [] as string[] }
  add(token: string): number {
    this.state.tokens.push(token)
    return this.state.tokens.length
  }
  all(): readonly string[] {
    return [...this.state.tokens]
  }
}

interface Acknowledged {
  readonly token: string
  readonly position: number
}

class Workload {
  readonly acknowledged = new Map<string, Acknowledged[]>()
  readonly runtimes = new Map<PeerId, Runtime>()
  readonly wrong: string[] = []
  #next = 0
  running = true

  start(mesh: SimMesh, peer: SimPeer): void {
    const runtime = createRuntime({
      mesh: peer.driver,
      store: peer.store,
      clock: peer.clock,
      types: [Ledger],
    })
    this.runtimes.set(peer.id, runtime)
    const alive = () => mesh.peers.get(peer.id) === peer
    const loop = () => {
      if (!alive() || !this.running) return
      const name = `ledger-${Math.floor(mesh.random() * ACTORS)}`
      const token = `${peer.id}#${this.#next++}`
      const again = () => mesh.clock.set(30 + mesh.random() * 60, loop)
      runtime.call('Ledger', name, 'add', [token], { timeoutMs: 20_000 }).then(
        (position) => {
          // An answer that a dead process computed reaches nobody.
          if (!alive()) return
          const list = this.acknowledged.get(name) ?? []
          list.push({ token, position: position as number })
          this.acknowledged.set(name, list)
          again()
        },
        () => alive() && again(),
      )
    }
    mesh.clock.set(10, loop)
  }
}

async function run(seed: number): Promise<number> {
  const work = new Workload()
  const mesh: SimMesh = new SimMesh({ seed, types: ['Ledger'], onStart: (peer) => work.start(mesh, peer) })
  const ids = Array.from({ length: 5 }, (_, index) => mesh.name(index))
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(mesh.random() * items.length)]!
  const heal = async () => {
    mesh.network.heal()
    for (const id of ids) {
      mesh.thaw(id)
      if (!mesh.peers.has(id)) await mesh.start(id)
    }
  }
  for (const [index, id] of ids.entries()) await mesh.start(id, index === 0)
  await mesh.until('everybody is admitted', () =>
    [...mesh.peers.values()].every(({ driver }) => driver.admitted),
  )
  await mesh.clock.run(5000)
  for (let step = 0; step < 20; step++) {
    const id = pick(ids)
    const draw = mesh.random()
    if (draw < 0.25) mesh.kill(id)
    else if (draw < 0.5 && !mesh.peers.has(id)) await mesh.start(id)
    else if (draw < 0.6) mesh.freeze(id)
    else if (draw < 0.7) mesh.thaw(id)
    else if (draw < 0.85) mesh.network.cut(id, pick(ids))
    else if (draw < 0.93) mesh.network.heal()
    else if (draw < 0.96) for (const each of ids) mesh.kill(each)
    await mesh.clock.run(mesh.random() < 0.5 ? mesh.random() * 200 : mesh.random() * 4000)
  }
  await heal()
  await mesh.until(
    'everybody is admitted again',
    () => [...mesh.peers.values()].every(({ driver }) => driver.admitted),
    120_000,
  )
  work.running = false
  await mesh.clock.run(25_000)
  let acknowledged = 0
  for (const [name, list] of work.acknowledged) {
    acknowledged += list.length
    const reader = work.runtimes.get(pick(ids))!
    const tokens = (await mesh.await(reader.call('Ledger', name, 'all', []), 120_000)) as string[]
    if (new Set(tokens).size !== tokens.length) throw new Error(`${name}: a call was applied twice`)
    for (const { token, position } of list)
      if (tokens[position - 1] !== token)
        throw new Error(
          `${name}: ${token} was acknowledged at ${position}, there is ${tokens[position - 1]}; it is at ${tokens.indexOf(token) + 1}`,
        )
  }
  if (mesh.failures.length > 0) throw new Error(mesh.failures.join('\n'))
  return acknowledged
}

test(`${SEEDS} seeds: actors under random faults lose no acknowledged call and apply none twice`, {
  timeout: 3_600_000,
}, async () => {
  let acknowledged = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      acknowledged += await run(seed)
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  expect(acknowledged).toBeGreaterThan(SEEDS * 50)
})
