// Remote calls that change nothing: what a call costs beside an echo of the same bytes.

import { LIBP2P, startLibp2p, startTcp, TCP } from '../floors/start.ts'
import type { Case, Row } from '../harness/case.ts'
import { compare } from '../harness/compare.ts'
import { named, startMesh } from '../mesh/mesh.ts'

const KIB_64 = 64 * 1024

const SHAPES = [
  { inFlight: 1, actors: 1, bytes: 64 },
  { inFlight: 64, actors: 1, bytes: 64 },
  { inFlight: 64, actors: 1000, bytes: 64 },
  { inFlight: 1000, actors: 1, bytes: 64 },
  { inFlight: 1000, actors: 1000, bytes: 64 },
  { inFlight: 1, actors: 1, bytes: KIB_64 },
  { inFlight: 64, actors: 1000, bytes: KIB_64 },
] as const

export const calls: Case = {
  name: 'calls',
  about: 'remote calls without a change: latency and throughput, one host, two processes',
  async run(bench) {
    const tcp = await startTcp(bench)
    const libp2p = await startLibp2p(bench)
    const mesh = await startMesh(bench, 1)
    const names = named('echo', 1000)
    await mesh.client.run('once', { type: 'Echo', method: 'echo', names, inFlight: 64, bytes: 64 })
    const rows: Row[] = []
    for (const { inFlight, actors, bytes } of SHAPES) {
      const plan = { inFlight, bytes, forMs: bench.forMs }
      const target = { type: 'Echo', method: 'echo', names: names.slice(0, actors) }
      const size = bytes === KIB_64 ? '64 KiB' : `${bytes} B`
      rows.push(
        ...(await compare(
          {
            group: `${inFlight} in flight, ${size}, ${actors} actor${actors === 1 ? '' : 's'}`,
            by: inFlight === 1 ? 'latency' : 'throughput',
            steady: true,
            subjects: [
              tcp(plan),
              { ...libp2p(plan), floors: [TCP] },
              {
                name: 'call',
                measure: () => mesh.client.run('calls', { ...target, ...plan }),
                floors: [LIBP2P],
                watched: mesh.all,
              },
            ],
          },
          bench,
        )),
      )
    }
    return rows
  },
}
