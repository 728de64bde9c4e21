// The demo of `mesh testnet`, shortened: the same kills, the same count.

import { expect, onTestFinished, test } from 'vitest'
import { runDemo } from './demo.ts'

test('nothing acknowledged is lost or applied twice when the busiest host and then the head are killed', async () => {
  const result = await runDemo({ seconds: 4, actors: 20, rate: 100, teardown: onTestFinished })
  expect(result).toMatchObject({ comparison: { lost: [], twice: [] }, reunited: true, ok: true })
  expect(result.acknowledged).toBeGreaterThan(200)
  expect(result.kills.map((kill) => kill.what)).toEqual(['busiest host', 'head'])
}, 120_000)
