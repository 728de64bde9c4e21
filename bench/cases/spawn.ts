// Actors that come to be, and actors that wake: by the first call of each.

import { APPEND, LIBP2P, SYNC, startDisk, startLibp2p } from '../floors/start.ts'
import type { Case, Row } from '../harness/case.ts'
import { compare } from '../harness/compare.ts'
import { named, startMesh } from '../mesh/mesh.ts'

const BYTES = 64
const SHAPES = [
  { inFlight: 1, actors: 50 },
  { inFlight: 64, actors: 1000 },
] as const

export const spawn: Case = {
  name: 'spawn',
  about: 'creation of actors, a synced command of the registry each',
  async run(bench) {
    const libp2p = await startLibp2p(bench)
    const disk = await startDisk(bench)
    const mesh = await startMesh(bench, 3)
    const rows: Row[] = []
    let made = 0
    for (const { inFlight, actors } of SHAPES) {
      const plan = { inFlight, bytes: BYTES, forMs: bench.forMs }
      const measure = () => {
        made += 1
        return mesh.client.run('create', { type: 'Cell', names: named(`spawn-${made}`, actors), inFlight })
      }
      rows.push(
        ...(await compare(
          {
            group: `${inFlight} in flight, ${actors} new actors`,
            by: inFlight === 1 ? 'latency' : 'throughput',
            steady: true,
            subjects: [
              libp2p(plan),
              disk.sync(plan),
              { name: 'creation', measure, floors: [LIBP2P, SYNC], watched: mesh.all },
            ],
          },
          bench,
        )),
      )
    }
    return rows
  },
}

export const activation: Case = {
  name: 'activation',
  about: 'first call of passivated actors: their one record is read back, then a durable call',
  async run(bench) {
    const libp2p = await startLibp2p(bench)
    const disk = await startDisk(bench)
    const mesh = await startMesh(bench, 1)
    const rows: Row[] = []
    await mesh.hosts[0]!.run('watchPassivations')
    for (const { inFlight, actors } of SHAPES) {
      const names = named(`sleeper-${inFlight}`, actors)
      const plan = { inFlight, bytes: BYTES, forMs: bench.forMs }
      const wake = { type: 'Sleeper', method: 'set', names, inFlight, bytes: BYTES }
      await mesh.client.run('once', { ...wake, inFlight: 64 })
      const measure = async () => {
        await mesh.hosts[0]!.run('passivated', actors)
        return mesh.client.run('once', wake)
      }
      rows.push(
        ...(await compare(
          {
            group: `${inFlight} in flight, ${actors} passive actors, one keeper`,
            by: inFlight === 1 ? 'latency' : 'throughput',
            steady: true,
            subjects: [
              libp2p(plan),
              disk.append(plan),
              { name: 'wake and change', measure, floors: [LIBP2P, APPEND], watched: mesh.all },
            ],
          },
          bench,
        )),
      )
      await mesh.hosts[0]!.run('passivated', actors)
    }
    return rows
  },
}
