// The demo's result as a table and as JSON.

import type { DemoResult } from '../testnet/demo/demo.ts'
import type { Kill } from '../testnet/demo/tally.ts'
import { count, percentile, table } from './output.ts'

export const shortSeconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(5)} s`

const spread = (values: Iterable<number>): { readonly p50: number | null; readonly max: number | null } => {
  const all = [...values]
  return { p50: percentile(all, 0.5) ?? null, max: percentile(all, 1) ?? null }
}

const killJson = (kill: Kill) => ({
  what: kill.what,
  peer: `peer-${kill.peer}`,
  actors: kill.lost.length,
  recovered: kill.answeredMs.size,
  /** Milliseconds from the kill, over the surviving peers. */
  detectionMs: spread(kill.detectedMs.values()),
  /** Milliseconds from the kill, over the lost actors. */
  firstCallMs: spread(kill.answeredMs.values()),
  /** Milliseconds from the kill until all copies were restored; null when that was not waited out. */
  copiesRestoredMs: kill.wholeMs ?? null,
})

/** Stable: fields are added, never changed. */
export const resultJson = (result: DemoResult) => ({
  ok: result.ok,
  peers: result.peers,
  actors: result.actors,
  seconds: Math.round(result.seconds * 10) / 10,
  calls: {
    acknowledged: result.acknowledged,
    failed: result.failed,
    lost: result.comparison.lost.length,
    appliedTwice: result.comparison.twice.length,
    appliedUnacknowledged: result.comparison.unacknowledged,
  },
  kills: result.kills.map(killJson),
  reunited: result.reunited,
})

const ms = (value: number | null): string => (value === null ? 'never' : `${Math.round(value)} ms`)

export function resultText(result: DemoResult): string {
  const { calls, kills, ...rest } = resultJson(result)
  const counts = table(
    [
      ['calls acknowledged', `${calls.acknowledged} in ${rest.seconds} s`],
      ['lost', calls.lost],
      ['applied twice', calls.appliedTwice],
      ['ended with an error', calls.failed],
      ['actors recovered', `${sum(kills, 'recovered')} of ${sum(kills, 'actors')}`],
      ['all peers together again', rest.reunited ? 'yes' : 'no'],
    ] as const,
    [
      { title: 'calls', value: ([name]) => name },
      { title: '', value: ([, value]) => value, align: 'right' },
    ],
  )
  const times = table(kills, [
    { title: 'kill -9', value: (kill) => `${kill.what} (${kill.peer})` },
    { title: 'actors', value: (kill) => `${kill.recovered} of ${kill.actors}`, align: 'right' },
    { title: 'detected p50', value: (kill) => ms(kill.detectionMs.p50), align: 'right' },
    { title: 'max', value: (kill) => ms(kill.detectionMs.max), align: 'right' },
    {
      title: 'first call p50',
      value: (kill) => (kill.actors === 0 ? '-' : ms(kill.firstCallMs.p50)),
      align: 'right',
    },
    { title: 'max', value: (kill) => (kill.actors === 0 ? '-' : ms(kill.firstCallMs.max)), align: 'right' },
    {
      title: 'copies restored',
      value: (kill) => (kill.copiesRestoredMs === null ? 'not yet' : ms(kill.copiesRestoredMs)),
      align: 'right',
    },
  ])
  const verdict = result.ok
    ? 'Nothing acknowledged was lost, nothing was applied twice.'
    : `FAILED: ${problems(result).join('; ')}.`
  return `\n${counts}\n${times}\n${verdict}\n`
}

const sum = (kills: readonly ReturnType<typeof killJson>[], field: 'recovered' | 'actors'): number =>
  kills.reduce((total, kill) => total + kill[field], 0)

function problems(result: DemoResult): readonly string[] {
  const { lost, twice } = result.comparison
  const away = result.kills.reduce((total, kill) => total + kill.lost.length - kill.answeredMs.size, 0)
  const found = [
    lost.length > 0 && `${count(lost.length, 'acknowledged call')} lost, first ${lost[0]}`,
    twice.length > 0 && `${count(twice.length, 'call')} applied twice, first ${twice[0]}`,
    away > 0 && `${count(away, 'actor')} not answering again in time`,
    !result.reunited && 'the peers did not all come together again',
    result.acknowledged === 0 && 'no call was acknowledged',
  ].filter((problem) => problem !== false)
  return found.length > 0 ? found : ['an actor could not be read at the end']
}
