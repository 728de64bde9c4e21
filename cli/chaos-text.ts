// The summary of a chaos run for people.

import type { Spread } from '../testnet/chaos/measure.ts'
import type { ChaosSummary, Growth } from '../testnet/chaos/summary.ts'
import { count, table } from './output.ts'

const ms = (value: number | undefined): string => (value === undefined ? '-' : `${Math.round(value)} ms`)
const MIB = 2 ** 20

export function chaosText(summary: ChaosSummary): string {
  const { calls, seed } = summary
  const verdict = summary.ok
    ? 'Every promise held: nothing lost, nothing twice, one order per actor, everything came back.'
    : `FAILED (seed ${seed}):\n${[...summary.problems, ...summary.stuck].map((line) => `  ${line}\n`).join('')}`
  const codes = Object.entries(calls.byCode).map(([code, n]) => `${code} ${n}`)
  return [
    '',
    `${count(summary.peers, 'peer')}, ${summary.seconds} s, ${summary.workloads.join(', ')}: ${calls.acknowledged} calls acknowledged, ${calls.failed} ended with an error${codes.length > 0 ? ` (${codes.join(', ')})` : ''}`,
    '',
    faultTable(summary),
    figures(summary),
    verdict,
    '',
  ].join('\n')
}

const faultTable = ({ faults }: ChaosSummary): string =>
  table(faults, [
    { title: 'fault', value: ({ kind }) => kind },
    { title: 'happened', value: ({ happened }) => happened, align: 'right' },
    { title: 'skipped', value: ({ skipped }) => skipped, align: 'right' },
    { title: 'detected p50', value: ({ detectionMs }) => ms(detectionMs?.p50), align: 'right' },
    { title: 'p99', value: ({ detectionMs }) => ms(detectionMs?.p99), align: 'right' },
    { title: 'max', value: ({ detectionMs }) => ms(detectionMs?.max), align: 'right' },
    { title: 'actors asked', value: ({ recoveryMs }) => recoveryMs?.n ?? 0, align: 'right' },
    { title: 'first call p50', value: ({ recoveryMs }) => ms(recoveryMs?.p50), align: 'right' },
    { title: 'p99', value: ({ recoveryMs }) => ms(recoveryMs?.p99), align: 'right' },
    { title: 'max', value: ({ recoveryMs }) => ms(recoveryMs?.max), align: 'right' },
  ])

function figures(summary: ChaosSummary): string {
  const { calls, unavailableMs, heapBytes, rssBytes, descriptors, diskBytes, packets } = summary
  const spreads: readonly (readonly [string, Spread | undefined])[] = [
    ['latency of a call', calls.latencyMs],
    ['no answer for more than 1 s', unavailableMs],
  ]
  const growths: readonly (readonly [string, Growth | undefined, number])[] = [
    ['heap, MiB', heapBytes, MIB],
    ['resident, MiB', rssBytes, MIB],
    ['open files and sockets', descriptors, 1],
    ['disk, MiB', diskBytes, MIB],
  ]
  const grown = growths.filter(([, growth]) => growth !== undefined)
  return [
    table(spreads, [
      { title: '', value: ([name]) => name },
      { title: 'n', value: ([, spread]) => spread?.n ?? 0, align: 'right' },
      { title: 'p50', value: ([, spread]) => ms(spread?.p50), align: 'right' },
      { title: 'p99', value: ([, spread]) => ms(spread?.p99), align: 'right' },
      { title: 'max', value: ([, spread]) => ms(spread?.max), align: 'right' },
    ]),
    ...(packets === undefined
      ? []
      : [
          `packets lost: ${packets.lost}; segments of TCP sent again: ${packets.retransmitted}, of which ${packets.spurious} had arrived before\n`,
        ]),
    grown.length === 0
      ? ''
      : table(grown, [
          { title: 'per process', value: ([name]) => name },
          {
            title: 'at first',
            value: ([, growth, unit]) => Math.round(growth!.first / unit),
            align: 'right',
          },
          { title: 'at last', value: ([, growth, unit]) => Math.round(growth!.last / unit), align: 'right' },
        ]),
  ].join('\n')
}
