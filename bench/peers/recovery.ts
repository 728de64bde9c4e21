// One actor whose process is killed, beside Ray's restart from a file and an Erlang node that takes over from one.

import type { Case, NoteRow, Row } from '../harness/case.ts'
import { compare, type Subject } from '../harness/compare.ts'
import { loseHost } from '../mesh/losses.ts'
import { startMesh } from '../mesh/mesh.ts'
import { ERLANG_HOW, type Erlang, startErlang } from './erlang.ts'
import { skipped } from './foreign.ts'
import { RAY_HOW, startRay } from './ray.ts'

const PEERS = 5

export const peersRecovery: Case = {
  name: 'peers-recovery',
  about: 'one actor, its process killed: next answered call, beside Ray and Erlang with a checkpoint file',
  async run(bench) {
    const ray = await startRay(bench)
    const erlang = await startErlang(bench)
    const mesh = await startMesh(bench, PEERS, { settings: { rebalanceMoves: 0 } })
    let turn = 0
    const rivals: Subject[] = [
      ...(ray ? [{ name: 'Ray actor restart', measure: () => ray.restart() }] : []),
      ...(erlang ? [{ name: 'Erlang node down', measure: () => restarted(erlang) }] : []),
    ]
    // A node that was killed stays away: every round has nodes of its own.
    let unused: Erlang | undefined = erlang
    const restarted = async (first: Erlang) => {
      const nodes = unused ?? (await startErlang(bench)) ?? first
      unused = undefined
      return nodes.restart()
    }
    const rows = await compare(
      {
        group: 'one actor',
        by: 'latency',
        subjects: [
          {
            name: 'killed host',
            measure: () =>
              loseHost(mesh, { turn: turn++, actors: 1, signal: 'SIGKILL', busyMs: bench.warmUpMs }),
            floors: [],
            besides: rivals.map(({ name }) => name),
          },
          ...rivals,
        ],
      },
      bench,
    )
    const notes: NoteRow[] = [
      ray ? { kind: 'note', text: ray.version } : skipped('Ray', RAY_HOW),
      erlang ? { kind: 'note', text: erlang.version } : skipped('Erlang/OTP', ERLANG_HOW),
      {
        kind: 'note',
        text: 'Ray restarts the process on the same machine, from a file there; what a lost machine costs it is not in this figure. The Erlang program restarts by hand from a file that both nodes can read.',
      },
    ]
    return [...rows, ...notes] satisfies Row[]
  },
}
