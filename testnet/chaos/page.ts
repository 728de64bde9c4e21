// The report as one HTML page without anything from elsewhere: the faults over time against what the clients saw.

import type { Bucket } from './measure.ts'
import { BUCKET_MS } from './measure.ts'
import type { ChaosSummary } from './summary.ts'

const WIDTH = 1100
const LEFT = 70
const ROW = 16
const CHART = 140
const GAP = 26

const htmlOf = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 })

export function page(summary: ChaosSummary): string {
  const { seed, peers, seconds, ok, calls } = summary
  const title = `mesh chaos, seed ${seed}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title} <span class="${ok ? 'good' : 'bad'}">${ok ? 'every promise held' : 'FAILED'}</span></h1>
<p>${peers} peers, ${seconds} s, workloads ${htmlOf(summary.workloads.join(', '))}: ${number(calls.acknowledged)} calls acknowledged,
${number(calls.failed)} ended with an error.</p>
${list('What the history breaks', summary.problems)}${list('What did not come back', summary.stuck)}
${chart(summary)}
<h2>Faults</h2>${faults(summary)}
<h2>Figures</h2>${figures(summary)}
</body></html>
`
}

const list = (heading: string, items: readonly string[]): string =>
  items.length === 0
    ? ''
    : `<h2 class="bad">${heading}</h2><ul>${items.map((item) => `<li><pre>${htmlOf(item)}</pre></li>`).join('')}</ul>`

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (tag: string, row: readonly (string | number)[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${htmlOf(typeof cell === 'number' ? number(cell) : cell)}</${tag}>`).join('')}</tr>`
  return `<table>${cells('th', head)}${rows.map((row) => cells('td', row)).join('')}</table>`
}

const faults = ({ faults: kinds }: ChaosSummary): string =>
  table(
    [
      ...['kind', 'happened', 'not possible then', 'detected p50 ms', 'p99 ms', 'max ms'],
      ...['actors asked', 'first call p50 ms', 'p99 ms', 'max ms'],
    ],
    kinds.map(({ kind, happened, skipped, detectionMs, recoveryMs: ms }) => [
      kind,
      happened,
      skipped,
      detectionMs?.p50 ?? '',
      detectionMs?.p99 ?? '',
      detectionMs?.max ?? '',
      ms?.n ?? 0,
      ms?.p50 ?? '',
      ms?.p99 ?? '',
      ms?.max ?? '',
    ]),
  )

function figures(summary: ChaosSummary): string {
  const { calls, unavailableMs, heapBytes, rssBytes, descriptors, diskBytes, packets } = summary
  const mib = (bytes: number): number => bytes / 2 ** 20
  const rows: (readonly (string | number)[])[] = [
    [
      'latency of a call, ms',
      calls.latencyMs?.p50 ?? '',
      calls.latencyMs?.p99 ?? '',
      calls.latencyMs?.max ?? '',
    ],
    [
      'no answer for more than a second, ms',
      unavailableMs?.p50 ?? '',
      unavailableMs?.p99 ?? '',
      unavailableMs?.max ?? '',
    ],
  ]
  const grown = [
    ['heap, MiB', heapBytes && [mib(heapBytes.first), mib(heapBytes.last)]],
    ['resident, MiB', rssBytes && [mib(rssBytes.first), mib(rssBytes.last)]],
    ['open files and sockets', descriptors && [descriptors.first, descriptors.last]],
    ['disk, MiB', diskBytes && [mib(diskBytes.first), mib(diskBytes.last)]],
  ] as const
  const growth = grown.flatMap(([name, values]) => (values ? [[name, ...values] as const] : []))
  return (
    table(['', 'p50', 'p99', 'max'], rows) +
    (packets
      ? table(
          ['packets lost', 'segments sent again', 'that had arrived before'],
          [[packets.lost, packets.retransmitted, packets.spurious]],
        )
      : '') +
    (growth.length === 0 ? '' : table(['per peer', 'first quarter', 'last quarter'], growth))
  )
}

/** Peers' rows with their faults on top, then latency, then answers per second; one time axis. */
function chart({ timeline, schedule, peers, seconds }: ChaosSummary): string {
  const lasts = Math.max(1, seconds * 1000)
  const x = (ms: number): number => LEFT + (Math.min(ms, lasts) / lasts) * (WIDTH - LEFT - 10)
  const top = 10
  const rows = Array.from({ length: peers }, (_, peer) => top + peer * ROW)
  const linkRow = top + peers * ROW
  const latencyTop = linkRow + ROW + GAP
  const rateTop = latencyTop + CHART + GAP
  const bars = schedule.flatMap(({ kind, from, to, peers: hit }) =>
    (hit.length === 0 ? [linkRow] : hit.map((peer) => rows[peer] ?? linkRow)).map(
      (y) =>
        `<rect class="${familyOf(kind)}" x="${x(from).toFixed(1)}" y="${y + 2}" width="${Math.max(2, x(to) - x(from)).toFixed(1)}" height="${ROW - 4}"><title>${kind}, ${number((to - from) / 1000)} s</title></rect>`,
    ),
  )
  const label = (y: number, text: string): string =>
    `<text x="${LEFT - 8}" y="${y}" text-anchor="end">${text}</text>`
  const labels = [
    ...rows.map((y, peer) => label(y + ROW - 4, `peer-${peer}`)),
    label(linkRow + ROW - 4, 'links'),
    ...[1, 10, 100, 1000, 10_000].map((ms) => label(latencyTop + logY(ms) + 4, `${number(ms)} ms`)),
  ]
  const most = Math.max(1, ...timeline.map(({ answered }) => answered)) * (1000 / BUCKET_MS)
  const rateY = (bucket: number): number => rateTop + CHART - ((bucket * (1000 / BUCKET_MS)) / most) * CHART
  labels.push(label(rateTop + 4, `${number(most)}/s`), label(rateTop + CHART + 4, '0/s'))
  const line = (points: readonly (readonly [number, number])[]): string =>
    points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')
  const middle = ({ at }: Bucket): number => x(at + BUCKET_MS / 2)
  const answered = timeline.filter((bucket) => bucket.answered > 0)
  const slowest = answered.map(
    (bucket) =>
      `<circle class="max" cx="${middle(bucket).toFixed(1)}" cy="${(latencyTop + logY(bucket.max)).toFixed(1)}" r="1.6"/>`,
  )
  const failed = timeline
    .filter((bucket) => bucket.failed > 0)
    .map(
      (bucket) =>
        `<circle class="bad" cx="${middle(bucket).toFixed(1)}" cy="${rateTop + CHART}" r="2.5"><title>${bucket.failed} ended with an error</title></circle>`,
    )
  const median = line(answered.map((bucket) => [middle(bucket), latencyTop + logY(bucket.p50)] as const))
  const rate = line(timeline.map((bucket) => [middle(bucket), rateY(bucket.answered)] as const))
  const grid = [1, 10, 100, 1000, 10_000].map(
    (ms) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - 10}" y1="${latencyTop + logY(ms)}" y2="${latencyTop + logY(ms)}"/>`,
  )
  const height = rateTop + CHART + 30
  const seconds10 = Array.from({ length: Math.floor(lasts / 10_000) + 1 }, (_, i) => i * 10_000).map(
    (ms) =>
      `<text x="${x(ms).toFixed(1)}" y="${height - 8}" text-anchor="middle">${ms / 1000} s</text><line class="grid" x1="${x(ms).toFixed(1)}" x2="${x(ms).toFixed(1)}" y1="${top}" y2="${height - 22}"/>`,
  )
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="faults, latency and answers over time">
${[...seconds10, ...grid, ...labels, ...bars, ...slowest].join('\n')}
<polyline class="median" points="${median}"/><polyline class="rate" points="${rate}"/>${failed.join('')}
<text x="${LEFT}" y="${latencyTop - 8}">latency of answered calls: median (line) and slowest (dots) of each quarter of a second</text>
<text x="${LEFT}" y="${rateTop - 8}">answered calls per second; dots: calls that ended with an error</text>
</svg>
<p class="key"><span class="process">■</span> process killed, frozen, stopped &nbsp; <span class="disk">■</span> disk lost, full or slow &nbsp;
<span class="link">■</span> links cut &nbsp; <span class="slow">■</span> links slow or reset</p>`
}

/** 1 ms at the bottom, 20 s on top. */
function logY(ms: number): number {
  const share = Math.log10(Math.max(1, ms)) / Math.log10(20_000)
  return CHART - Math.min(1, share) * CHART
}

function familyOf(kind: string): string {
  if (kind === 'wipe' || kind === 'disk-full' || kind === 'slow-disk') return 'disk'
  if (kind === 'partition' || kind === 'one-way' || kind === 'isolate-host') return 'link'
  if (kind === 'delay' || kind === 'throttle' || kind === 'reset' || kind === 'packet-loss') return 'slow'
  return 'process'
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d8dde3; --process: #c0392b; --disk: #7d3cb5; --link: #d9822b; --slow: #b8a21a; --line: #1f6feb; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14171b; --faint: #333a43; --line: #6cb0ff; --good: #4ac26b; --process: #f0695b; --disk: #b98be8; } }
body { font: 14px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: ${WIDTH}px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 1.6em }
.good { color: var(--good) } .bad { color: var(--process) }
table { border-collapse: collapse; margin: .5em 0 } th, td { text-align: right; padding: .15em .9em .15em 0; border-bottom: 1px solid var(--faint) } th:first-child, td:first-child { text-align: left }
pre { white-space: pre-wrap; margin: 0 } svg { width: 100%; height: auto } svg text { font-size: 11px; fill: var(--ink) }
.grid { stroke: var(--faint); stroke-width: 1 } .median { fill: none; stroke: var(--line); stroke-width: 1.6 } .rate { fill: none; stroke: var(--good); stroke-width: 1.4 }
.max { fill: var(--line); opacity: .55 } circle.bad { fill: var(--process) }
rect.process { fill: var(--process) } rect.disk { fill: var(--disk) } rect.link { fill: var(--link) } rect.slow { fill: var(--slow) }
span.process { color: var(--process) } span.disk { color: var(--disk) } span.link { color: var(--link) } span.slow { color: var(--slow) }
`
