// What a state of 100 MB costs: how long event loops stand still, how long calls take, how much memory, in each step of
// its life. Real processes on this machine; one of them is killed. A stall is how long an event loop stood still, `of work` what
// its own thread did at a stretch: the rest is time that others had the processor.
// `npx node bench/large-state.ts [Items|Blobs]`

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestnet } from '../testnet/testnet.ts'

const SHAPES = { Items: { total: 200_000, step: 5000 }, Blobs: { total: 100, step: 5 } } as const
const PEERS = 4
const TIMEOUT_MS = 180_000

interface Line {
  readonly at: number
  readonly stallMs: number
  readonly workMs: number
  readonly rssMb: number
}

const directory = mkdtempSync(join(tmpdir(), 'large-state-'))
process.env['GAUGE_DIRECTORY'] = directory

/** By process, what was noted since then. */
function gauges(since: number): ReadonlyMap<string, readonly Line[]> {
  return new Map(
    readdirSync(directory).map((pid) => {
      const lines = readFileSync(join(directory, pid), 'utf8').trim().split('\n')
      return [pid, lines.map((line): Line => JSON.parse(line)).filter(({ at }) => at >= since)]
    }),
  )
}

async function measure(type: keyof typeof SHAPES): Promise<void> {
  const undo: (() => unknown)[] = []
  const net = await createTestnet(PEERS, {
    actors: new URL('./large-state/actors.ts', import.meta.url).href,
    teardown: (fn) => void undo.push(fn),
  })
  const call = (method: string, ...args: readonly unknown[]): Promise<unknown> =>
    net.call(through, type, 'x', method, args, TIMEOUT_MS)
  let through = 0
  let host = 0
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const since = Date.now()
    const result = await work().catch((error: { readonly code?: unknown }) => error.code)
    const tookMs = Date.now() - since
    await sleep(300)
    const lines = [...gauges(since).values()].filter((of) => of.length > 0)
    const most = (what: keyof Line) => lines.map((of) => Math.max(...of.map((line) => line[what])))
    process.stdout.write(
      `${type.padEnd(6)} ${name.padEnd(24)} ${String(tookMs).padStart(6)} ms   stalls ${most('stallMs').join(' ')} ms   of work ${most('workMs').join(' ')} ms   rss ≤ ${Math.max(...most('rssMb'))} MB   ${JSON.stringify(result) ?? ''}\n`,
    )
  }
  try {
    const { total, step: size } = SHAPES[type]
    await call('fill', 0, 0)
    host = net.hostOf(await net.views(), type, 'x')
    through = (host + 1) % PEERS
    await step('filled, change by change', async () => {
      for (let at = 0; at < total; at += size) await call('fill', at, at + size)
    })
    await step('a small change', () => call('touch', 1))
    await step('rests: a snapshot', () => sleep(15_000))
    await step('wakes: read back', () => call('touch', 2))
    await step('a small change', () => call('touch', 3))
    await step('its host is killed', async () => {
      await net.kill(host)
      return call('touch', 4)
    })
    await step('copied at the new host', () => sleep(10_000))
    await step('what it holds', () => call('sum'))
  } finally {
    for (const each of undo.reverse()) await each()
  }
}

const wanted = process.argv.slice(2) as (keyof typeof SHAPES)[]
try {
  for (const type of wanted.length > 0 ? wanted : (['Items', 'Blobs'] as const)) await measure(type)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
