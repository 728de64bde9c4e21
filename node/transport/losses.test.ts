// When is a lost peer reported as refused, how often are wanted and discovered peers dialled, what is repeated to people.

import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bootId, peerId } from '../../mesh/ids.ts'
import { Discovery } from './discovery.ts'
import {
  DISCOVERY_FORGET_MS,
  DISCOVERY_RETRY_MS,
  REDIAL_EAGER_CAP_MS,
  REDIAL_EAGER_MS,
  REDIAL_PATIENT_CAP_MS,
  WARNING_REPEAT_MS,
} from './limits.ts'
import { Losses } from './losses.ts'
import type { DialOutcome } from './meeting.ts'
import { type ProbeResult, probe } from './probe.ts'
import { pauseBefore, Redialer } from './redial.ts'
import { Warnings } from './warnings.ts'

const [low, high] = [peerId('12D3KooWA'), peerId('12D3KooWB')]
const boot = bootId(high, 'f'.repeat(32))
const target = { host: '127.0.0.1', port: 1 }

describe('losses', () => {
  const lossesAnswering = (
    ...answers: ProbeResult[]
  ): { losses: Losses; reports: string[]; asked: () => number } => {
    const reports: string[] = []
    let asked = 0
    const losses = new Losses(
      (_peer, of) => reports.push(of),
      async () => answers[Math.min(asked++, answers.length - 1)] as ProbeResult,
    )
    return { losses, reports, asked: () => asked }
  }

  it('are reported as refused once: L1', async () => {
    const { losses, reports } = lossesAnswering('refused')
    await losses.begin(high, boot, [target])
    await losses.check(high)
    expect(reports).toEqual([boot])
  })

  it('of a process that is still dying are seen by the second look', async () => {
    const { losses, reports, asked } = lossesAnswering('accepted', 'accepted', 'refused')
    await losses.begin(high, boot, [target])
    expect([reports, asked()]).toEqual([[boot], 3])
  })

  it('that were not refused are looked at again when a redial fails', async () => {
    const { losses, reports } = lossesAnswering('unknown', 'refused')
    await losses.begin(high, boot, [target])
    expect(reports).toEqual([])
    await losses.check(high)
    expect(reports).toEqual([boot])
  })

  it('are never reported once a newer link is open, or nobody looks for the peer: L1', async () => {
    const { losses, reports } = lossesAnswering('refused')
    const looking = losses.begin(high, boot, [target])
    losses.found(high)
    await looking
    await losses.check(high)
    const again = losses.begin(high, boot, [target])
    losses.keepOnly(() => false)
    await again
    expect(reports).toEqual([])
  })
})

describe('probe', () => {
  it('tells a port that refuses from one that accepts, and certainty needs all', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const open = { host: '127.0.0.1', port: (server.address() as { port: number }).port }
    expect(await probe([open])).toBe('accepted')
    expect(await probe([target, open])).toBe('accepted')
    await new Promise((resolve) => server.close(resolve))
    expect(await probe([open])).toBe('refused')
    expect(await probe([open, { host: 'no-such-host.invalid', port: 1 }])).toBe('unknown')
    expect(await probe([])).toBe('unknown')
  })
})

describe('redial', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('pauses grow to 2 s in the first minute and to 10 s later', () => {
    expect([0, 1, 2, 3].map((attempt) => pauseBefore(attempt, 0))).toEqual([100, 200, 400, 800])
    expect(pauseBefore(1_000, 0)).toBe(REDIAL_EAGER_CAP_MS)
    expect(pauseBefore(1_000, REDIAL_EAGER_MS)).toBe(REDIAL_PATIENT_CAP_MS)
  })

  it('dials at once when wanted and when lost, for ever, and not when connected or unwanted: D1 D2', async () => {
    let connected = false
    const dials: (readonly string[])[] = []
    const redialer = new Redialer({
      self: low,
      isConnected: () => connected,
      dial: async (_peer, addresses) => {
        dials.push(addresses)
        return 'failed'
      },
    })
    redialer.want(
      new Map([
        [high, ['a']],
        [low, ['self']],
      ]),
    )
    await vi.advanceTimersByTimeAsync(0)
    expect(dials).toEqual([['a']])
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(dials.length).toBeGreaterThan(60)
    redialer.want(new Map([[high, ['b']]]))
    await vi.advanceTimersByTimeAsync(0)
    expect(dials.at(-1)).toEqual(['b'])
    connected = true
    await vi.advanceTimersByTimeAsync(60_000)
    const before = dials.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dials.length).toBe(before)
    connected = false
    redialer.lost(high)
    await vi.advanceTimersByTimeAsync(0)
    expect(dials.length).toBe(before + 1)
    redialer.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dials.length).toBe(before + 1)
  })

  it('gives a peer that was too slow more time, up to a limit, and one that refuses no more than at first', async () => {
    const outcomes: DialOutcome[] = ['late', 'late', 'late', 'late', 'failed', 'linked']
    const patiences: number[] = []
    const redialer = new Redialer({
      self: low,
      isConnected: () => outcomes.length === 0,
      dial: async (_peer, _addresses, patience) => {
        patiences.push(patience)
        return outcomes.shift() ?? 'linked'
      },
    })
    redialer.want(new Map([[high, ['a']]]))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(patiences).toEqual([1, 2, 4, 4, 4, 1])
    redialer.stop()
  })
})

describe('discovery', () => {
  it('dials a peer when first heard, then now and then while it is heard, and forgets it', () => {
    const dials: string[] = []
    const discovery = new Discovery((peer) => dials.push(peer))
    discovery.heard(high, ['a'], 0)
    discovery.heard(high, ['a'], 1_000)
    expect(dials.length).toBe(1)
    discovery.tick(DISCOVERY_RETRY_MS)
    discovery.tick(DISCOVERY_RETRY_MS + 1_000)
    expect(dials.length).toBe(2)
    discovery.tick(DISCOVERY_FORGET_MS + 2_000)
    discovery.tick(DISCOVERY_FORGET_MS * 2)
    expect(dials.length).toBe(2)
    discovery.heard(low, ['b'], 0)
    discovery.drop(low)
    discovery.tick(DISCOVERY_RETRY_MS)
    expect(dials.length).toBe(3)
  })
})

it('warnings are not repeated within a minute, per code and peer', () => {
  const said: string[] = []
  const warnings = new Warnings((code, text) => said.push(`${code} ${text}`))
  warnings.warn('A', 'x', '1', 0)
  warnings.warn('A', 'x', '2', 1)
  warnings.warn('A', 'y', '3', 2)
  warnings.warn('B', 'x', '4', 3)
  warnings.warn('A', 'x', '5', WARNING_REPEAT_MS)
  expect(said).toEqual(['A 1', 'A 3', 'B 4', 'A 5'])
})
