// A small testnet in a network namespace: calls go on while packets between two of its peers are lost, then all is healed. Says
// in one line of JSON what came of it. packets/packets.test.ts runs it behind `netnsCommand`.

import { packetCounts } from '../packets/packet-loss.ts'
import { createTestnet } from '../testnet.ts'

export interface LossRun {
  readonly acknowledged: readonly string[]
  /** What each peer's reading of the actor gave in the end. */
  readonly ends: readonly (readonly string[])[]
  /** From when the first packet may be lost. */
  readonly lost: number
  readonly retransmitted: number
  readonly spurious: number
  /** Before, and when everything was healed. */
  readonly lostBefore: number
  readonly lostAfterwards: number
}

/** Some packets, then all of them. */
const LOSSES = [0.3, 1]
const LASTS_MS = 1500

const ends: (() => Promise<void>)[] = []
try {
  const net = await createTestnet(3, { links: true, teardown: (end) => void ends.push(end) })
  await net.call(0, 'Ledger', 'a', 'tokens')
  const host = net.hostOf(await net.views(), 'Ledger', 'a')
  const [caller, other] = net.peers.map(({ index }) => index).filter((index) => index !== host)
  const acknowledged: string[] = []
  const before = packetCounts()
  for (const loss of LOSSES) {
    for (const [from, to] of [
      [host, other],
      [other, host],
    ] as const)
      net.links.set(from!, to!, { loss })
    const until = performance.now() + LASTS_MS
    for (let n = 0; performance.now() < until; n++) {
      await net.call(caller!, 'Ledger', 'a', 'add', [`${loss}-${n}`])
      acknowledged.push(`${loss}-${n}`)
    }
  }
  net.links.healAll()
  const after = packetCounts()
  await net.settled()
  const read = net.peers.map(({ index }) => net.call(index, 'Ledger', 'a', 'tokens'))
  const result: LossRun = {
    acknowledged,
    ends: (await Promise.all(read)) as string[][],
    lost: after.lost - before.lost,
    retransmitted: after.retransmitted - before.retransmitted,
    spurious: after.spurious - before.spurious,
    lostBefore: before.lost,
    lostAfterwards: packetCounts().lost - after.lost,
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  for (const end of ends) await end()
}
