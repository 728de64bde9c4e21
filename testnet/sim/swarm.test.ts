import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { FIXTURES } from './fixtures/seeds.ts'
import type { Profile } from './swarm/profile.ts'
import { Report } from './swarm/report.ts'
import { runSeed } from './swarm/run-seed.ts'

/** The same ones every time; `npm run sim` is for others. */
const FIRST = 1
const SEEDS = 200

async function run(seeds: readonly number[], bias: Partial<Profile> = {}): Promise<Report> {
  const report = new Report()
  const failed: string[] = []
  for (const seed of seeds) failed.push(report.add(await runSeed(seed, { bias })))
  const told = failed.filter((text) => text !== '')
  if (told.length > 0) throw new Error(told.join('\n'))
  return report
}

test(`${SEEDS} seeds of random faults: nothing acknowledged is lost or applied twice, and the mesh heals`, {
  timeout: 600_000,
}, async () => {
  const report = await run(Array.from({ length: SEEDS }, (_, index) => FIRST + index))
  expect(report.kinds).toBeGreaterThan(25)
  expect(report.acknowledged).toBeGreaterThan(SEEDS * 30)
})

test.each(FIXTURES)(
  'seed $seed, which found that $why',
  { timeout: 60_000 },
  async ({ seed, agenda = false, asDrawn = false }) => {
    const without = { kv: false, daemons: false, encrypted: false, looksBack: false, renews: false }
    await run([seed], asDrawn ? {} : { agenda, ...without })
  },
)

/** Everything that happens in a run, with its virtual time, as one hash. */
async function trace(seed: number, wire: boolean): Promise<{ hash: string; lines: number }> {
  const hash = createHash('sha256')
  let lines = 0
  const { outcome } = await runSeed(seed, {
    bias: { wire },
    trace: (line) => {
      lines++
      hash.update(`${line}\n`)
    },
  })
  expect(outcome).toBe('ok')
  return { hash: hash.digest('hex'), lines }
}

test('the same seed gives the same trace, byte for byte; another seed another one', async () => {
  const first = await trace(7, false)
  expect(first.lines).toBeGreaterThan(300)
  expect(await trace(7, false)).toEqual(first)
  expect((await trace(8, false)).hash).not.toBe(first.hash)
})

test('a run through the codec of the wire is the same run: nobody changes what was sent or received', async () => {
  expect(await trace(9, true)).toEqual(await trace(9, false))
})
