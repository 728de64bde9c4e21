// Durable calls beside messages and values that three servers keep, in the same run.

import { LIBP2P, SYNC, startDisk, startLibp2p } from '../floors/start.ts'
import type { Case, NoteRow, Row } from '../harness/case.ts'
import { compare } from '../harness/compare.ts'
import { named, startMesh } from '../mesh/mesh.ts'
import { ETCD_HOW, startEtcd } from './etcd.ts'
import { skipped } from './foreign.ts'
import { NATS_HOW, startNats } from './nats.ts'

const BYTES = 64
const SHAPES = [
  { inFlight: 1, actors: 1 },
  { inFlight: 256, actors: 100 },
] as const

export const peersDurable: Case = {
  name: 'peers-durable',
  about: 'durable calls, three keepers, beside NATS JetStream R3 and etcd',
  async run(bench) {
    const nats = await startNats(bench)
    const etcd = await startEtcd(bench)
    const libp2p = await startLibp2p(bench)
    const disk = await startDisk(bench)
    const mesh = await startMesh(bench, 3)
    const names = named('cell', 100)
    for (const type of ['Cell', 'SyncedCell'])
      await mesh.client.run('once', { type, method: 'set', names, inFlight: 64, bytes: BYTES })
    const note = (version: string): NoteRow => ({ kind: 'note', text: version })
    const rows: Row[] = [
      nats ? note(nats.version) : skipped('NATS', NATS_HOW),
      etcd ? note(etcd.version) : skipped('etcd', ETCD_HOW),
    ]
    for (const { inFlight, actors } of SHAPES) {
      const plan = { inFlight, bytes: BYTES, forMs: bench.forMs }
      const rivals = [
        ...(nats ? [nats.publish(plan, actors)] : []),
        ...(etcd ? [etcd.put(plan, actors)] : []),
      ]
      const subject = (name: string, type: string, floors: readonly string[]) => ({
        name,
        measure: () =>
          mesh.client.run('calls', { type, method: 'set', names: names.slice(0, actors), ...plan }),
        floors,
        besides: rivals.map((rival) => rival.name),
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
              disk.sync(plan),
              subject('replicated', 'Cell', [LIBP2P]),
              subject('synced', 'SyncedCell', [LIBP2P, SYNC]),
              ...rivals,
            ],
          },
          bench,
        )),
      )
    }
    return rows
  },
}
