// What disks hold under a long load (bench/disk-use.ts): load until so many calls are acknowledged, quiet, and what each disk held meanwhile.

import { filesBelow } from './disk/usage.ts'
import { createTestnet, type Testnet, type TestPeerOptions } from './testnet.ts'

/** What the project promises: this many times the state that is alive… */
export const DISK_FACTOR = 5
/**
 * …and this much on top, however small that state is: rocksdb's write-ahead logs and tables that wait for compaction, the
 * journals that are not yet large enough to be rolled, the facts.
 */
export const DISK_CONSTANT_BYTES = 192 * 1024 * 1024

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const PEERS = 3
const SAMPLE_MS = 1000
/** Asked of each peer; what it can't take is skipped, so that each actor has one call of each peer under way. */
const CALLS_PER_SECOND = 20_000
const MIB = 1024 * 1024
const round = (value: number, digits = 1): number => Number(value.toFixed(digits))

export interface DiskUsePlan {
  readonly calls: number
  readonly actors: number
  /** State of each actor. */
  readonly stateKiB: number
  readonly say: (line: string) => void
  readonly teardown: (end: () => Promise<void>) => void
  readonly settings?: TestPeerOptions['settings']
}

export interface DiskUse {
  readonly ok: boolean
  readonly calls: number
  readonly failed: number
  readonly seconds: number
  readonly callsPerSecond: number
  readonly liveStateMiB: number
  readonly allowedMiB: number
  /** Per peer. */
  readonly maximalMiB: readonly number[]
  readonly finalMiB: readonly number[]
  readonly finalTimesLive: readonly number[]
  /** At the end, over all peers, by kind of file. */
  readonly finalByKindMiB: Readonly<Record<string, number>>
}

export async function runDiskUse(plan: DiskUsePlan): Promise<DiskUse> {
  const { calls, actors, stateKiB, say, teardown, settings } = plan
  let acknowledged = 0
  let failed = 0
  const net = await createTestnet(PEERS, {
    teardown,
    actors: new URL(`./disk-use/board.${extension}`, import.meta.url).href,
    peer: () => (settings ? { settings } : {}),
    onLoad: (_, report) => {
      acknowledged += report.acks.length
      failed += report.failures.length
    },
  })
  const names = Array.from({ length: actors }, (_, i) => `board-${i}`)
  const states = await Promise.all(
    names.map((name, i) => net.call(i % PEERS, 'Board', name, 'fill', [stateKiB])),
  )
  const live = states.reduce<number>((sum, bytes) => sum + Number(bytes), 0)
  const maximal = net.peers.map(() => 0)
  const sample = async (): Promise<readonly Usage[]> => {
    const usages = await Promise.all(net.peers.map(({ dir }) => usageOf(dir)))
    for (const [i, { total }] of usages.entries()) maximal[i] = Math.max(maximal[i] ?? 0, total)
    return usages
  }

  const since = performance.now()
  for (const { index } of net.peers)
    await net.load(index, {
      type: 'Board',
      method: 'put',
      names,
      perSecond: CALLS_PER_SECOND,
      prefix: `from-${index}`,
      timeoutMs: 60_000,
    })
  let nextTold = calls / 20
  while (acknowledged < calls) {
    await sleep(SAMPLE_MS)
    const usages = await sample()
    if (acknowledged < nextTold) continue
    nextTold += calls / 20
    const each = usages.map(({ total }) => `${round(total / MIB)} MiB`).join(', ')
    say(`${round((performance.now() - since) / 1000)} s: ${acknowledged} calls, ${each} ${mixOf(usages)}`)
  }
  await Promise.all(net.peers.map(({ index }) => net.unload(index)))
  const seconds = (performance.now() - since) / 1000
  const final = await quiescent(net, sample)
  say(`quiet: ${mixOf(final)}`)

  const allowed = DISK_FACTOR * live + DISK_CONSTANT_BYTES
  return {
    ok: maximal.every((bytes) => bytes <= allowed),
    calls: acknowledged,
    failed,
    seconds: round(seconds),
    callsPerSecond: Math.round(acknowledged / seconds),
    liveStateMiB: round(live / MIB),
    allowedMiB: round(allowed / MIB),
    maximalMiB: maximal.map((bytes) => round(bytes / MIB)),
    finalMiB: final.map(({ total }) => round(total / MIB)),
    finalTimesLive: final.map(({ total }) => round(total / live, 2)),
    finalByKindMiB: mix(final),
  }
}

interface Usage {
  readonly total: number
  readonly byKind: Readonly<Record<string, number>>
}

/** Blocks on the disk of everything below a directory. */
async function usageOf(directory: string): Promise<Usage> {
  const byKind: Record<string, number> = {}
  let total = 0
  for (const { name, bytes } of await filesBelow(directory)) {
    total += bytes
    const kind = /\.(log|sst|blob)$/.exec(name)?.[1] ?? (name.startsWith('LOG') ? 'LOG' : 'other')
    byKind[kind] = (byKind[kind] ?? 0) + bytes
  }
  return { total, byKind }
}

function mix(usages: readonly Usage[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { byKind } of usages)
    for (const [kind, bytes] of Object.entries(byKind)) sums[kind] = (sums[kind] ?? 0) + bytes
  return Object.fromEntries(Object.entries(sums).map(([kind, bytes]) => [kind, round(bytes / MIB)]))
}
const mixOf = (usages: readonly Usage[]): string => JSON.stringify(mix(usages))

/** Samples until nothing has shrunk for a while: retired journals are deleted and compacted in the background. */
async function quiescent(net: Testnet, sample: () => Promise<readonly Usage[]>): Promise<readonly Usage[]> {
  let usages = await sample()
  for (let still = 0; still < 5; ) {
    await sleep(SAMPLE_MS)
    const before = usages
    usages = await sample()
    const moved = net.peers.some(
      ({ index }) => Math.abs(before[index]!.total - usages[index]!.total) > MIB / 4,
    )
    still = moved ? 0 : still + 1
  }
  return usages
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
