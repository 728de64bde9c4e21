// Every peer is killed at once in the middle of a load and started again; then the same with one keeper's disk wiped.

import { createTestnet, type Testnet } from '../../testnet/testnet.ts'
import { answering } from '../../testnet/view.ts'
import { NAMES, type Outcome, round, running, sleep, survivesBoth, type Trial } from './trial.ts'

const LOAD_MS = 4000
const PER_SECOND = 40

export async function wholeMesh({ peers, say, teardown }: Trial): Promise<Outcome> {
  const acknowledged = new Map<string, string[]>()
  const net = await createTestnet(peers, {
    teardown,
    onLoad: (_, { acks }) => {
      for (const { name, token } of acks) acknowledged.set(name, [...(acknowledged.get(name) ?? []), token])
    },
  })
  const kept = await killAll(net, acknowledged, say, false)
  const wiped = await killAll(net, acknowledged, say, true)
  return { ok: kept.ok && wiped.ok, peers, kept, wiped }
}

async function killAll(
  net: Testnet,
  acknowledged: ReadonlyMap<string, readonly string[]>,
  say: (line: string) => void,
  wipe: boolean,
): Promise<Outcome> {
  for (const index of running(net))
    await net.load(index, {
      type: 'Ledger',
      method: 'add',
      names: NAMES,
      perSecond: PER_SECOND,
      prefix: `p${index}.${net.peer(index).starts}`,
      timeoutMs: 30_000,
    })
  await sleep(LOAD_MS)
  const views = await net.waitUntil('registry and journals are on enough peers', survivesBoth, 60_000)
  // A keeper of an actor's journal that is not its host: the copy that goes is one that counts.
  const entry = answering(views)[0]?.seen.actors[0]
  const keeper = entry?.keepers.find(({ peerId }) => peerId !== entry.peer?.peerId)
  const victim = net.peers.findIndex(({ peerId }) => peerId === keeper?.peerId)
  await Promise.all(net.peers.map((peer) => peer.kill()))
  const since = performance.now()
  const others = net.peers.map(({ index }) => index).filter((index) => !wipe || index !== victim)
  await Promise.all(others.map((index) => net.start(index)))
  if (wipe) await net.start(victim, { wipe: true })
  await net.settled(60_000)
  const settledMs = round(performance.now() - since)
  let calls = 0
  const lost: string[] = []
  const twice: string[] = []
  for (const name of NAMES) {
    const held = (await net.call(0, 'Ledger', name, 'tokens')) as string[]
    const tokens = acknowledged.get(name) ?? []
    calls += tokens.length
    const have = new Set(held)
    lost.push(...tokens.filter((token) => !have.has(token)))
    if (have.size < held.length) twice.push(name)
  }
  const readMs = round(performance.now() - since)
  say(
    `${wipe ? `peer ${victim} wiped` : 'all disks kept'}: ${calls} acknowledged, ${lost.length} lost, ${twice.length} twice; settled ${settledMs} ms, all read ${readMs} ms after the kill`,
  )
  return {
    ok: calls > 0 && lost.length === 0 && twice.length === 0,
    acknowledged: calls,
    lost,
    twice,
    settledMs,
    readMs,
  }
}
