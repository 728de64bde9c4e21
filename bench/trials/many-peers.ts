// Many peers on one machine: all see all, and there is one head.

import { createTestnet } from '../../testnet/testnet.ts'
import { aliveIn, answering } from '../../testnet/view.ts'
import { addToAll, mistakes, type Outcome, round, type Trial } from './trial.ts'

export async function manyPeers({ peers, say, teardown }: Trial): Promise<Outcome> {
  const since = performance.now()
  const net = await createTestnet(peers, { teardown })
  const upMs = round(performance.now() - since)
  say(`${peers} peers up, all seen by all, after ${upMs} ms`)
  const seen = answering(await net.settled(120_000)).map((view) => view.seen)
  const callsAt = performance.now()
  await addToAll(net, 'once')
  const wrong = await mistakes(net, ['once'])
  const heads = new Set(seen.map(({ status }) => status.head?.peerId))
  return {
    ok: seen.length === peers && seen.every((each) => aliveIn(each).length === peers) && heads.size === 1,
    peers,
    upMs,
    answering: seen.length,
    seesAll: seen.filter((each) => aliveIn(each).length === peers).length,
    heads: heads.size,
    term: Math.max(...seen.map(({ status }) => status.term)),
    registryKeepers: seen[0]?.status.registryKeepers,
    callsMs: round(performance.now() - callsAt),
    wrong,
    rssMb: round(Math.max(...seen.map(({ status }) => status.memory.rss)) / 2 ** 20),
  }
}
