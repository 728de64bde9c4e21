// Schedules that are random, and biased: one phase of the protocol is played again and again while exactly its messages
// get lost, late and doubled, and its participants end and come back. For what directed scenarios would need too many
// coincidences for. More of them: SIM_STORMS=200 npx vitest run testnet/sim/storms

import { test } from 'vitest'
import type { PeerId } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import { replicated, type Stage, stage, synced } from './stage.ts'

const STORMS = Number(process.env.SIM_STORMS ?? 3)

interface Storm {
  /** Messages that it is about. */
  readonly hits: (message: MeshMessage) => boolean
  readonly lost: number
  readonly late: number
  readonly mostLateMs: number
  /** Of these messages a share ends who sends it or who gets it. */
  readonly ends: number
  readonly power: boolean
}

function blow(on: Stage, { hits, lost, late, mostLateMs, ends, power }: Storm): void {
  const { mesh } = on
  const { random, network } = mesh
  const end = (id: PeerId): void => {
    mesh.kill(id, power)
    // One that ends again before it is up is no failure; one that does not come up at all is found at the end.
    mesh.clock.set(20 + random() * 600, () => void on.start(id).catch(() => {}))
  }
  network.fate = (_from, _to, message) =>
    !hits(message) ? 0 : random() < lost ? 'lost' : random() < late ? random() * mostLateMs : 0
  on.seen.push((from, to, message) => {
    if (!hits(message) || random() >= ends) return
    const id = random() < 0.5 ? from : to
    mesh.clock.set(random() * 10, () => end(id))
  })
}

/** What was to end or to come back has done so. */
async function calm(on: Stage): Promise<void> {
  on.seen.length = 0
  on.mesh.network.fate = undefined
  await on.mesh.clock.run(700)
}

const isTakeOver = (message: MeshMessage): boolean =>
  ['accept', 'accepted', 'nack'].includes(message.kind) ||
  (message.kind === 'seal' && message.registry) ||
  message.kind === 'sealed' ||
  (message.kind === 'app' && message.class === 'registry') ||
  message.kind === 'pointer'

test(`${STORMS} storms: the registry is taken over while candidates and keepers end between any two of its messages`, {
  timeout: 3_600_000,
}, async () => {
  for (let seed = 1; seed <= STORMS; seed++) {
    const on = await stage(1000 + seed, 5, synced)
    blow(on, { hits: isTakeOver, lost: 0.2, late: 0.3, mostLateMs: 2500, ends: 0.02, power: seed % 2 === 0 })
    for (let round = 0; round < 6; round++) {
      const head = [...on.mesh.peers.values()].find(({ driver }) => driver.isHead)?.id
      if (head) on.mesh.kill(head, seed % 2 === 0)
      await on.mesh.clock.run(3000 + on.mesh.random() * 3000)
      if (head) await on.start(head).catch(() => {})
    }
    await calm(on)
    await on.whole().catch((error: unknown) => {
      throw new Error(`storm ${seed}`, { cause: error })
    })
  }
})

const isRecovery = (message: MeshMessage): boolean =>
  (message.kind === 'seal' && !message.registry) ||
  ['sealed', 'fill', 'held', 'fetch', 'fetched', 'ack'].includes(message.kind) ||
  (message.kind === 'app' && message.class !== 'registry')

for (const journals of [replicated, synced])
  test(`${STORMS} storms: hosts are recovered while their keepers fall behind, end and come back, ${journals.level}`, {
    timeout: 3_600_000,
  }, async () => {
    for (let seed = 1; seed <= STORMS; seed++) {
      const on = await stage(2000 + seed, 5, journals)
      blow(on, {
        hits: isRecovery,
        lost: 0.15,
        late: 0.3,
        mostLateMs: 800,
        ends: 0.002,
        power: journals === synced,
      })
      for (let round = 0; round < 8; round++) {
        const id = on.ids[Math.floor(on.mesh.random() * on.ids.length)]!
        if (on.mesh.random() < 0.3) on.mesh.freeze(id)
        else on.mesh.kill(id, journals === synced)
        await on.mesh.clock.run(on.mesh.random() * 4000)
        on.mesh.thaw(id)
        await on.start(id).catch(() => {})
      }
      await calm(on)
      await on.whole().catch((error: unknown) => {
        throw new Error(`storm ${seed}`, { cause: error })
      })
    }
  })
