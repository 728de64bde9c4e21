// Reads from another peer: local ones answer at once, linearizable ones after the keepers confirmed the host.

import { LIBP2P, startLibp2p } from '../floors/start.ts'
import type { Case, Row } from '../harness/case.ts'
import { compare } from '../harness/compare.ts'
import { named, startMesh } from '../mesh/mesh.ts'

const SHAPES = [
  { inFlight: 1, actors: 1 },
  { inFlight: 64, actors: 100 },
] as const
const BYTES = 64

export const reads: Case = {
  name: 'reads',
  about: 'remote reads: local and linearizable, three keepers',
  async run(bench) {
    const libp2p = await startLibp2p(bench)
    const mesh = await startMesh(bench, 3)
    const names = named('read', 100)
    for (const type of ['Echo', 'CertainEcho'])
      await mesh.client.run('once', { type, method: 'echo', names, inFlight: 64, bytes: BYTES })
    const rows: Row[] = []
    for (const { inFlight, actors } of SHAPES) {
      const plan = { inFlight, bytes: BYTES, forMs: bench.forMs }
      const subject = (name: string, type: string) => ({
        name,
        measure: () =>
          mesh.client.run('calls', { type, method: 'echo', names: names.slice(0, actors), ...plan }),
        floors: [LIBP2P],
        watched: mesh.all,
      })
      rows.push(
        ...(await compare(
          {
            group: `${inFlight} in flight, ${BYTES} B, ${actors} actor${actors === 1 ? '' : 's'}`,
            by: inFlight === 1 ? 'latency' : 'throughput',
            steady: true,
            subjects: [libp2p(plan), subject('local', 'Echo'), subject('linearizable', 'CertainEcho')],
          },
          bench,
        )),
      )
    }
    return rows
  },
}
