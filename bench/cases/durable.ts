// Calls that change a state of which three peers keep copies, beside what they consist of at least: the way to the host
// and from there to a keeper, and an append or a sync.

import { APPEND, LIBP2P, SYNC, startDisk, startLibp2p } from '../floors/start.ts'
import type { Case, Row } from '../harness/case.ts'
import { compare } from '../harness/compare.ts'
import { named, startMesh } from '../mesh/mesh.ts'

const SHAPES = [
  { inFlight: 1, actors: 1 },
  { inFlight: 256, actors: 100 },
] as const
const BYTES = 64

export const durable: Case = {
  name: 'durable',
  about: 'calls that change a state: replicated and synced, three keepers',
  async run(bench) {
    const libp2p = await startLibp2p(bench)
    const disk = await startDisk(bench)
    const mesh = await startMesh(bench, 3)
    const names = named('cell', 100)
    for (const type of ['Cell', 'SyncedCell'])
      await mesh.client.run('once', { type, method: 'set', names, inFlight: 64, bytes: BYTES })
    const rows: Row[] = []
    for (const { inFlight, actors } of SHAPES) {
      const plan = { inFlight, bytes: BYTES, forMs: bench.forMs }
      const subject = (name: string, type: string, floors: readonly string[]) => ({
        name,
        measure: () =>
          mesh.client.run('calls', { type, method: 'set', names: names.slice(0, actors), ...plan }),
        floors,
        watched: mesh.all,
      })
      rows.push(
        ...(await compare(
          {
            group: `${inFlight} in flight, ${BYTES} B, ${actors} actor${actors === 1 ? '' : 's'}`,
            by: inFlight === 1 ? 'latency' : 'throughput',
            steady: true,
            subjects: [
              libp2p(plan),
              disk.append(plan),
              disk.sync(plan),
              subject('replicated', 'Cell', [LIBP2P, APPEND]),
              subject('synced', 'SyncedCell', [LIBP2P, SYNC]),
            ],
          },
          bench,
        )),
      )
    }
    return rows
  },
}
