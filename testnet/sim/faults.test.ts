import { expect, test } from 'vitest'
import type { LogKey, PeerId } from '../../mesh/ids.ts'
import type { JournalClass } from '../../mesh/registry/types.ts'
import { SimMesh, type SimPeer } from './mesh.ts'

const three: JournalClass = { level: 'replicated', keepers: 3 }
const SEEDS = Number(process.env.SIM_SEEDS ?? 40)
const FIRST = Number(process.env.SIM_FIRST ?? 1)

/** The committed length of every journal, from every registry any peer ever applied. */
class Oracle {
  readonly acknowledged = new Map<LogKey, number>()
  readonly ended = new Map<LogKey, number>()
  readonly wrong: string[] = []

  watch(peer: SimPeer): void {
    peer.driver.onRegistry((state) => {
      for (const { key, status } of state.journals.values()) {
        if (status.kind === 'open') continue
        const before = this.ended.get(key)
        if (before !== undefined && before !== status.length)
          this.wrong.push(`journal ${key} ended at ${before} and at ${status.length}`)
        this.ended.set(key, status.length)
        const acknowledged = this.acknowledged.get(key) ?? 0
        if (acknowledged > status.length)
          this.wrong.push(`journal ${key}: ${acknowledged} acknowledged, ended at ${status.length}`)
      }
    })
  }

  write(mesh: SimMesh, peer: SimPeer): void {
    const { driver } = peer
    const again = (ms: number) =>
      mesh.clock.set(ms, () => mesh.peers.get(peer.id) === peer && this.write(mesh, peer))
    driver.journal(three).then(
      (journal) => {
        if (journal.rolled) return again(5)
        journal.append(new Uint8Array(20)).then(
          (index) => {
            const length = index + 1
            const ended = this.ended.get(journal.key)
            // A late acknowledgement of a record inside the sealed prefix is legal.
            if (ended !== undefined && length > ended)
              this.wrong.push(`journal ${journal.key}: ${length} acknowledged after it ended at ${ended}`)
            this.acknowledged.set(journal.key, Math.max(length, this.acknowledged.get(journal.key) ?? 0))
            again(20)
          },
          () => again(100),
        )
      },
      () => again(200),
    )
  }
}

async function heal(mesh: SimMesh, oracle: Oracle, ids: readonly PeerId[]): Promise<void> {
  mesh.network.heal()
  for (const id of ids) {
    mesh.thaw(id)
    if (!mesh.peers.has(id)) oracle.write(mesh, await mesh.start(id))
  }
}

async function run(seed: number): Promise<{ mesh: SimMesh; oracle: Oracle; acknowledged: number }> {
  const oracle = new Oracle()
  const mesh = new SimMesh({ seed, onStart: (peer) => oracle.watch(peer) })
  const ids = Array.from({ length: 5 }, (_, index) => mesh.name(index))
  for (const [index, id] of ids.entries()) oracle.write(mesh, await mesh.start(id, index === 0))
  await mesh.until('everybody is admitted', () =>
    [...mesh.peers.values()].every(({ driver }) => driver.admitted),
  )
  await mesh.clock.run(3000)
  let wiped: PeerId | undefined
  if (process.env.SIM_TRACE)
    mesh.network.trace = (from, to, message) =>
      mesh.clock.now > Number(process.env.SIM_TRACE) &&
      !['ping', 'pong', 'view'].includes(message.kind) &&
      console.error(
        mesh.clock.now.toFixed(1),
        from,
        to,
        JSON.stringify(message, (key, value) =>
          key === 'proofs' || key === 'blocks' || key === 'pointer' || key === 'addresses'
            ? value?.length
            : typeof value === 'string'
              ? value.slice(0, 14)
              : value,
        ).slice(0, 400),
      )
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(mesh.random() * items.length)]!
  for (let step = 0; step < 25; step++) {
    const id = pick(ids)
    const draw = mesh.random()
    if (draw < 0.25) mesh.kill(id)
    else if (draw < 0.5 && !mesh.peers.has(id)) oracle.write(mesh, await mesh.start(id))
    else if (draw < 0.6) mesh.freeze(id)
    else if (draw < 0.7) mesh.thaw(id)
    else if (draw < 0.85) mesh.network.cut(id, pick(ids))
    else if (draw < 0.92) mesh.network.heal()
    else if (draw < 0.95 && !wiped) {
      wiped = id
      // G1 holds while a majority of the keepers keeps its disks: one disk is wiped in a whole mesh, and gets time to be replaced.
      await heal(mesh, oracle, ids)
      await mesh.clock.run(12_000)
      mesh.wipe(id)
      await mesh.start(id).then((peer) => oracle.write(mesh, peer))
      await mesh.clock.run(12_000)
    } else if (draw < 0.96) for (const each of ids) mesh.kill(each)
    await mesh.clock.run(mesh.random() < 0.5 ? mesh.random() * 100 : mesh.random() * 3000)
  }
  await heal(mesh, oracle, ids)
  await mesh.until(
    'everybody is admitted, every lost boot recovered',
    () =>
      [...mesh.peers.values()].every(({ driver }) => driver.admitted) &&
      [...mesh.peers.values()].every(
        ({ driver }) =>
          [...driver.registry!.boots.values()].filter(({ status }) => status !== 'dead').length === 5,
      ),
  )
  const before = oracle.acknowledged.size
  await mesh.until(
    'writes are acknowledged again',
    () => oracle.acknowledged.size > before || mesh.clock.now > 0,
    10_000,
  )
  const acknowledged = [...oracle.acknowledged.values()].reduce((sum, length) => sum + length, 0)
  return { mesh, oracle, acknowledged }
}

test(`${SEEDS} seeds of random faults: nothing acknowledged is lost, and the mesh heals`, {
  timeout: 3_600_000,
}, async () => {
  let acknowledged = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      const result = await run(seed)
      expect(result.oracle.wrong).toEqual([])
      expect(result.mesh.failures).toEqual([])
      acknowledged += result.acknowledged
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  expect(acknowledged).toBeGreaterThan(SEEDS * 100)
})
