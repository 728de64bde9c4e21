import { expect, test } from 'vitest'
import { actorKey, type BootId, type PeerId } from '../../mesh/ids.ts'
import type { MeshSettings } from '../../mesh/settings.ts'
import { createRuntime, type Runtime } from '../../node/actors/runtime.ts'
import { ActorError, MeshError } from '../../node/errors.ts'
import { unreadable } from './actor-mesh.ts'
import { History } from './history.ts'
import { Ledger, type Listed, type Relayed, type Seen, SyncedLedger } from './ledger.ts'
import { SimMesh, type SimPeer } from './mesh.ts'

const SEEDS = Number(process.env.SIM_SEEDS ?? 4)
const FIRST = Number(process.env.SIM_FIRST ?? 1)
const ACTORS = 5
const CLIENTS = 2
const CALL_MS = 20_000

interface Profile {
  readonly types: readonly string[]
  readonly settings: Partial<MeshSettings>
  /** Kills take the power: what was not synced is gone. */
  readonly power: boolean
}

/** Every seed has small journals or large ones, and either power failures (for synced actors) or both classes. */
function profileOf(seed: number): Profile {
  const power = seed % 3 === 0
  return {
    power,
    types: power ? ['SyncedLedger'] : ['Ledger', 'SyncedLedger'],
    settings: seed % 2 === 0 ? { journalMaxBlocks: 15 } : {},
  }
}

class Workload {
  readonly history = new History()
  readonly runtimes = new Map<PeerId, Runtime>()
  readonly #profile: Profile
  #next = 0
  running = true

  constructor(profile: Profile) {
    this.#profile = profile
  }

  start(mesh: SimMesh, peer: SimPeer): void {
    const runtime = createRuntime({
      mesh: peer.driver,
      store: peer.store,
      clock: peer.clock,
      types: [Ledger, SyncedLedger],
    })
    this.runtimes.set(peer.id, runtime)
    peer.driver.onRegistry((state) => this.history.wrong.push(...unreadable(state)))
    const alive = () => mesh.peers.get(peer.id) === peer
    for (let client = 0; client < CLIENTS; client++) {
      const loop = async () => {
        if (!alive() || !this.running) return
        await this.#once(mesh, peer, runtime, alive)
        if (alive()) mesh.clock.set(20 + mesh.random() * 80, loop)
      }
      mesh.clock.set(10 + mesh.random() * 50, loop)
    }
  }

  actors(): [string, string][] {
    return this.#profile.types.flatMap((type) =>
      Array.from({ length: ACTORS }, (_, index): [string, string] => [type, `no-${index}`]),
    )
  }

  async #once(mesh: SimMesh, peer: SimPeer, runtime: Runtime, alive: () => boolean): Promise<void> {
    const { history } = this
    const actors = this.actors()
    const [type, name] = actors[Math.floor(mesh.random() * actors.length)]!
    const [type2, name2] = actors[Math.floor(mesh.random() * actors.length)]!
    const actor = actorKey(type, name)
    const other = actorKey(type2, name2)
    const draw = mesh.random()
    const token = `${peer.id}#${this.#next++}`
    const start = mesh.clock.now
    const now = () => mesh.clock.now
    const { boot } = peer.driver
    const call = async <Result>(method: string, ...args: unknown[]): Promise<Result | undefined> => {
      try {
        const result = await runtime.call(type, name, method, args, { timeoutMs: CALL_MS })
        // An answer that a dead process computed reaches nobody.
        return alive() ? (result as Result) : undefined
      } catch (error) {
        if (alive()) this.#failed(peer, boot, actor, token, error, start, now())
        return undefined
      }
    }
    if (draw < 0.45) {
      const seen = await call<Seen>('add', token)
      if (seen) history.wrote(actor, token, seen, start, now())
    } else if (draw < 0.6) {
      const seen = await call<Listed>('all')
      if (seen) history.read(actor, 'all', seen, start, now())
    } else if (draw < 0.68) {
      const seen = await call<Seen>('size')
      if (seen) history.read(actor, 'size', seen, start, now())
    } else if (draw < 0.75) {
      history.never(actor, token)
      await call('addThenThrow', token)
    } else if (draw < 0.87 && actor !== other) {
      const seen = await call<Relayed>('relay', token, type2, name2)
      if (!seen) return
      history.wrote(actor, `${token}.b`, seen, start, now())
      history.wrote(other, `${token}.other`, seen.other, start, now())
    } else if (draw < 0.97 && actor !== other) {
      const seen = await call<Seen>(draw < 0.92 ? 'mirror' : 'watch', token, type2, name2)
      if (seen) history.read(other, 'mirror', seen, start, now())
    } else if (draw > 0.985) {
      await runtime.stop(type, name, 5000).catch(() => {})
      if (alive()) await runtime.create(type, name).catch(() => {})
    }
  }

  #failed(
    peer: SimPeer,
    boot: BootId,
    actor: string,
    token: string,
    error: unknown,
    start: number,
    end: number,
  ): void {
    const { history } = this
    if (error instanceof ActorError) {
      const seen = error.data as unknown as Seen
      if (error.message === 'boom') history.read(actor, 'throw', seen, start, end)
      else history.wrong.push(`${token}: ${error.stack}`)
      return
    }
    if (!(error instanceof MeshError)) {
      history.wrong.push(`${token}: ${error instanceof Error ? error.stack : error}`)
      return
    }
    if (error.executed === 'no') for (const part of ['', '.a', '.b']) history.never(actor, `${token}${part}`)
    const lived = peer.driver.boot === boot && peer.driver.registry?.boots.get(boot)?.status === 'live'
    // A host that knows of the caller's end before the caller itself refuses its calls; a lost result is never right.
    if (error.code === 'CALL_EXPIRED' && lived && error.message.includes('its result is gone'))
      history.wrong.push(`${token} expired: ${error.message}`)
  }
}

async function run(seed: number): Promise<number> {
  const profile = profileOf(seed)
  const work = new Workload(profile)
  const { history } = work
  const mesh: SimMesh = new SimMesh({
    seed,
    types: ['Ledger', 'SyncedLedger'],
    settings: profile.settings,
    onStart: (peer) => work.start(mesh, peer),
  })
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
  await mesh.clock.run(3000)
  let wiped = false
  for (let step = 0; step < 20; step++) {
    const id = pick(ids)
    const peer = mesh.peers.get(id)
    const draw = mesh.random()
    if (draw < 0.2) mesh.kill(id, profile.power && mesh.random() < 0.7)
    else if (draw < 0.45 && !peer) await mesh.start(id)
    else if (draw < 0.55) mesh.freeze(id)
    else if (draw < 0.65) mesh.thaw(id)
    else if (draw < 0.78) mesh.network.cut(id, pick(ids))
    else if (draw < 0.86) mesh.network.heal()
    else if (draw < 0.92 && peer && !peer.frozen)
      void peer.driver.leave().then(() => mesh.peers.get(id) === peer && mesh.kill(id))
    else if (draw < 0.95) for (const each of ids) mesh.kill(each, profile.power && mesh.random() < 0.7)
    else if (!wiped) {
      // G1 holds while a majority of the keepers keeps its disks: one is wiped in a whole mesh, with time to be replaced.
      wiped = true
      await heal()
      await mesh.clock.run(12_000)
      mesh.wipe(id)
      await mesh.start(id)
      await mesh.clock.run(12_000)
    }
    await mesh.clock.run(mesh.random() < 0.5 ? mesh.random() * 200 : mesh.random() * 4000)
  }
  await heal()
  // A peer that was leaving goes now; it comes back.
  await mesh.clock.run(16_000)
  await heal()
  await mesh.until(
    'everybody is admitted again',
    () => [...mesh.peers.values()].every(({ driver }) => driver.admitted),
    120_000,
  )
  work.running = false
  await mesh.clock.run(CALL_MS + 5000)
  const final = new Map<string, Listed>()
  for (const [type, name] of work.actors()) {
    const key = actorKey(type, name)
    const reader = work.runtimes.get(pick(ids))!
    try {
      final.set(key, (await mesh.await(reader.call(type, name, 'all', []), 120_000)) as Listed)
    } catch (error) {
      if (error instanceof MeshError && error.code === 'ACTOR_DIED') continue
      const known = [...mesh.peers.values()].map(
        ({ id, driver }) => `${id}: ${JSON.stringify(driver.registry?.actors.get(key))}`,
      )
      throw new Error([error, ...known, mesh.dump()].join('\n'), { cause: error })
    }
  }
  const wrong = [...history.check(final), ...mesh.failures]
  if (wrong.length > 0) throw new Error(wrong.slice(0, 12).join('\n'))
  return history.operations
}

test(`${SEEDS} seeds: every actor's history is linearizable and exactly once under mixed faults`, {
  timeout: 3_600_000,
}, async () => {
  let operations = 0
  const failed: string[] = []
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      operations += await run(seed)
    } catch (error) {
      failed.push(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    }
  }
  if (failed.length > 0) throw new Error(failed.join('\n'))
  expect(operations).toBeGreaterThan(SEEDS * 100)
})
