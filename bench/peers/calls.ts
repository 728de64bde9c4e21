// Remote calls without a change beside those of other actor systems, in the same run.

import { LIBP2P, startLibp2p } from '../floors/start.ts'
import type { Case, NoteRow, Row } from '../harness/case.ts'
import { compare, type Subject } from '../harness/compare.ts'
import { named, startMesh } from '../mesh/mesh.ts'
import { COMEDY_HOW, startComedy } from './comedy.ts'
import { ERLANG_HOW, startErlang } from './erlang.ts'
import { skipped } from './foreign.ts'
import { RAY_HOW, startRay } from './ray.ts'

const BYTES = 64
/** Of systems that run each actor in a process of its own. */
const OWN_PROCESSES = 4
const ERLANG = 'Erlang gen_server:call'
const COMEDY = 'comedy remote actor'
const RAY_SYNC = 'Ray actor call'
const RAY_ASYNC = 'Ray async actor calls'

const SHAPES = [
  { inFlight: 1, actors: 1 },
  { inFlight: 64, actors: 1 },
  { inFlight: 64, actors: 1000 },
] as const

export const peersCalls: Case = {
  name: 'peers-calls',
  about: 'remote calls beside Erlang, Ray and comedy',
  async run(bench) {
    const erlang = await startErlang(bench)
    const ray = await startRay(bench)
    const comedy = await startComedy(bench)
    const libp2p = await startLibp2p(bench)
    const mesh = await startMesh(bench, 1)
    const names = named('echo', 1000)
    await mesh.client.run('once', { type: 'Echo', method: 'echo', names, inFlight: 64, bytes: BYTES })
    const note = (version: string): NoteRow => ({ kind: 'note', text: version })
    const rows: Row[] = [
      erlang ? note(erlang.version) : skipped('Erlang/OTP', ERLANG_HOW),
      ray ? note(ray.version) : skipped('Ray', RAY_HOW),
      comedy ? note(comedy.version) : skipped('comedy', COMEDY_HOW),
    ]
    for (const { inFlight, actors } of SHAPES) {
      const plan = { inFlight, bytes: BYTES, forMs: bench.forMs }
      const target = { type: 'Echo', method: 'echo', names: names.slice(0, actors) }
      const rivals: Subject[] = [
        ...(erlang ? [{ name: ERLANG, measure: () => erlang.calls(plan, actors) }] : []),
        ...(ray && inFlight === 1 ? [{ name: RAY_SYNC, measure: () => ray.sync(plan) }] : []),
        ...(ray && inFlight > 1
          ? [{ name: RAY_ASYNC, measure: () => ray.async(plan, Math.min(actors, OWN_PROCESSES)) }]
          : []),
        ...(comedy
          ? [{ name: COMEDY, measure: () => comedy.calls(plan, Math.min(actors, OWN_PROCESSES)) }]
          : []),
      ]
      rows.push(
        ...(await compare(
          {
            group: `${inFlight} in flight, ${BYTES} B, ${actors} actor${actors === 1 ? '' : 's'}`,
            by: inFlight === 1 ? 'latency' : 'throughput',
            steady: true,
            subjects: [
              libp2p(plan),
              {
                name: 'call',
                measure: () => mesh.client.run('calls', { ...target, ...plan }),
                floors: [LIBP2P],
                besides: rivals.map(({ name }) => name),
                watched: mesh.all,
              },
              ...rivals,
            ],
          },
          bench,
        )),
      )
    }
    if (ray || comedy)
      rows.push(
        note(
          `Ray and comedy run each actor in a process of its own: ${OWN_PROCESSES} actors where the others have 1000.`,
        ),
      )
    return rows
  },
}
