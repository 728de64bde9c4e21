// A host is killed, or frozen, with so many actors on it; the client calls each of them at that moment. Beside it the least a
// client can wait: its connection closes, the port refuses, and another server answers over bare TCP.

import type { Bench, Case, FigureRow, Row } from '../harness/case.ts'
import { compare, type Subject } from '../harness/compare.ts'
import { type Measured, measured, spread } from '../harness/statistics.ts'
import { Worker } from '../harness/worker.ts'
import { loseHost, populate, victimOf } from '../mesh/losses.ts'
import { named, startMesh } from '../mesh/mesh.ts'

const PEERS = 5
const TCP_FAIL_OVER = 'raw TCP to a standby'
/** A round with 10,000 actors takes most of a minute. */
const LARGE_ROUNDS = 2
/** Nothing moves by itself: actors stay where the round wants them. */
const settings = { rebalanceMoves: 0 }

async function tcpFailOver(bench: Bench): Promise<Measured> {
  type Jobs = typeof import('../floors/tcp.ts')
  const start = () => Worker.start<Jobs>(new URL('../floors/tcp.ts', import.meta.url))
  const [server, standby, client] = [await start(), await start(), await start()]
  const end = () => Promise.all([server, standby, client].map((worker) => worker.kill()))
  bench.teardown(end)
  const [port, other] = [await server.run('serve'), await standby.run('serve')]
  await client.run('failOver', { port, standby: other })
  const since = Date.now()
  server.signal('SIGKILL')
  const took = (await client.run('failedOverAt')) - since
  await end()
  return measured([took], took)
}

const SHAPES = [
  { actors: 1, variants: ['killed'] },
  { actors: 100, variants: ['killed', 'killed, the head', 'frozen'] },
  { actors: 1000, variants: ['killed'] },
  { actors: 10_000, variants: ['killed'] },
] as const

export const recovery: Case = {
  name: 'recovery',
  about: 'a host is killed or frozen: time until its actors acknowledge calls again',
  async run(bench) {
    const mesh = await startMesh(bench, PEERS, { settings })
    const rows: Row[] = []
    let turn = 0
    for (const { actors, variants } of SHAPES) {
      const group = `${actors} actor${actors === 1 ? '' : 's'} on the lost peer of ${PEERS}`
      const subjects: Subject[] = variants.map((name) => ({
        name,
        measure: () =>
          loseHost(mesh, {
            turn: turn++,
            actors,
            signal: name === 'frozen' ? 'SIGSTOP' : 'SIGKILL',
            head: name === 'killed, the head',
            busyMs: bench.warmUpMs,
          }),
        ...(name === 'killed' && { floors: [TCP_FAIL_OVER] }),
        watched: [mesh.client],
      }))
      const floor: Subject = { name: TCP_FAIL_OVER, measure: () => tcpFailOver(bench) }
      const rounds = actors >= 10_000 ? Math.min(LARGE_ROUNDS, bench.rounds) : bench.rounds
      const compared = await compare(
        { group, by: 'latency', subjects: [floor, ...subjects] },
        { ...bench, rounds },
      )
      const serving = compared
        .filter(({ subject }) => subject !== TCP_FAIL_OVER)
        .map(
          ({ subject, maxMs }): FigureRow => ({
            kind: 'figure',
            group: `${group}: until all serve`,
            name: subject,
            unit: 'ms',
            value: maxMs,
          }),
        )
      rows.push(...compared, ...(actors > 1 ? serving : []))
    }
    return rows
  },
}

export const restore: Case = {
  name: 'restore',
  about: 'a host is killed: time until every actor has three live keepers again',
  async run(bench) {
    const mesh = await startMesh(bench, PEERS, { settings })
    const times: number[] = []
    for (let round = 0; round < bench.rounds; round += 1) {
      const victim = await victimOf(mesh, round, false)
      await populate(mesh, named(`kept-${round}`, 100), victim)
      const since = Date.now()
      mesh.hosts[victim]!.signal('SIGKILL')
      await mesh.client.run('noticed', `host-${victim}`)
      times.push((await mesh.client.run('kept', { type: 'Cell', keepers: 3 })) - since)
      bench.say(`three keepers again after ${times.at(-1)} ms`)
      await mesh.hosts[victim]!.kill()
      await mesh.restart(victim)
    }
    return [
      {
        kind: 'figure',
        group: 'replica count',
        name: '100 actors on the killed peer',
        unit: 'ms',
        value: spread(times),
      },
      {
        kind: 'note',
        text: 'Where the journals of the new homes had the lost peer as a keeper, that is replaced after `keeperLostAfterMs`, 2,500 ms by default.',
      },
    ]
  },
}
