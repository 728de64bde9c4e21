// What a mesh with nothing to do costs each of its peers, beside a node process that does nothing at all.

import type { Case, FigureRow } from '../harness/case.ts'
import { program } from '../harness/program.ts'
import { spread } from '../harness/statistics.ts'
import { Worker } from '../harness/worker.ts'
import { named, startMesh } from '../mesh/mesh.ts'

const PEERS = 5
const MIB = 2 ** 20
/** After the last call: snapshots, copies and gossip of the start are over. */
const REST_MS = 5000
/** Longer than the other measurements: at rest little happens. */
const TIMES_LONGER = 10

export const idle: Case = {
  name: 'idle',
  about: `processor time, messages and memory of a peer at rest, in a mesh of ${PEERS}`,
  async run(bench) {
    const bare = await Worker.start<typeof import('../mesh/peer.ts')>(
      new URL('../mesh/peer.ts', import.meta.url),
    )
    bench.teardown(() => bare.kill())
    const mesh = await startMesh(bench, PEERS)
    await mesh.client.run('once', {
      type: 'Cell',
      method: 'set',
      names: named('idle', 100),
      inFlight: 64,
      bytes: 64,
    })
    await new Promise((resolve) => setTimeout(resolve, REST_MS))
    const usages = () => Promise.all([...mesh.hosts, bare].map((peer) => peer.run('usage')))
    const before = await usages()
    const since = performance.now()
    bench.say(`at rest for ${(bench.forMs * TIMES_LONGER) / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, bench.forMs * TIMES_LONGER))
    const seconds = (performance.now() - since) / 1000
    const after = await usages()
    const changes = after.map((now, peer) => {
      const then = before[peer]!
      return {
        cpu: (now.cpuUs - then.cpuUs) / 1e6 / seconds,
        sent: (now.sent - then.sent) / seconds,
        received: (now.received - then.received) / seconds,
        rss: now.rss / MIB,
      }
    })
    const [peers, none] = [changes.slice(0, -1), changes.at(-1)!]
    const group = `a peer of ${PEERS} at rest, 100 actors`
    const figure = (name: string, unit: string, of: keyof typeof none): FigureRow => ({
      kind: 'figure',
      group,
      name,
      unit,
      value: spread(peers.map((each) => each[of])),
    })
    const memory = figure('resident memory', 'MiB', 'rss')
    return [
      figure('processor, share of one', '', 'cpu'),
      figure('messages sent per second', '', 'sent'),
      figure('messages received per second', '', 'received'),
      {
        ...memory,
        ratio: {
          to: `a node process with the package loaded (${Math.round(none.rss)} MiB)`,
          median: memory.value.median / none.rss,
        },
      },
    ]
  },
}

export const memory: Case = program('memory', 'memory of an actor in its host: active and idle, passivated', [
  '--expose-gc',
  'bench/actor-memory.ts',
])
