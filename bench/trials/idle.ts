// A mesh with nothing to do: memory over time, and processor time and messages per second of each peer.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createTestnet, type Testnet } from '../../testnet/testnet.ts'
import { answering } from '../../testnet/view.ts'
import { addToAll, type Outcome, round, sleep, survivesBoth, type Trial } from './trial.ts'

interface Sample {
  readonly atS: number
  readonly peers: readonly PeerSample[]
}
interface PeerSample {
  readonly rssMb: number
  readonly heapMb: number
  readonly cpuS: number
  readonly sent: number
  readonly received: number
  readonly head: boolean
}

/** Samples per run: a curve, without the sampling being the load. */
const SAMPLES = 12

export async function idle({ peers, minutes, say, teardown }: Trial): Promise<Outcome> {
  const net = await createTestnet(peers, { teardown })
  await addToAll(net, 'once')
  await net.waitUntil('registry and journals are on enough peers', survivesBoth, 60_000)
  const since = performance.now()
  const samples = [await sample(net, 0)]
  for (let i = 1; i <= SAMPLES; i += 1) {
    await sleep((minutes * 60_000 * i) / SAMPLES - (performance.now() - since))
    const taken = await sample(net, (performance.now() - since) / 1000)
    samples.push(taken)
    say(
      `${round(taken.atS)} s: RSS ${taken.peers.map(({ rssMb }) => rssMb).join(' ')} MB, heap ${taken.peers.map(({ heapMb }) => heapMb).join(' ')} MB`,
    )
  }
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample]
  const seconds = last.atS - first.atS
  const perSecond = (of: (peer: PeerSample) => number): readonly number[] =>
    last.peers.map((peer, i) => round((of(peer) - of(first.peers[i] as PeerSample)) / seconds, 2))
  return {
    ok: true,
    peers,
    seconds: round(seconds),
    head: last.peers.findIndex(({ head }) => head),
    cpuPercent: perSecond(({ cpuS }) => cpuS).map((share) => round(share * 100, 1)),
    sentPerSecond: perSecond(({ sent }) => sent),
    receivedPerSecond: perSecond(({ received }) => received),
    rssMb: { first: first.peers.map(({ rssMb }) => rssMb), last: last.peers.map(({ rssMb }) => rssMb) },
    heapMb: samples.map(({ atS, peers: all }) => [round(atS), ...all.map(({ heapMb }) => heapMb)]),
  }
}

async function sample(net: Testnet, atS: number): Promise<Sample> {
  const peers = answering(await net.views()).map(({ index, seen: { status } }): PeerSample => {
    const { memory, messages } = status
    return {
      rssMb: round(memory.rss / 2 ** 20),
      heapMb: round(memory.heapUsed / 2 ** 20, 1),
      cpuS: cpuSeconds(net.peer(index).pid as number),
      ...messages,
      head: status.isHead,
    }
  })
  return { atS, peers }
}

let ticksPerSecond: number | undefined

/** User and system time of a process so far; Linux only. */
function cpuSeconds(pid: number): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
