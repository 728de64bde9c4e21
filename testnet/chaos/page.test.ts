// The report in a real browser, where there is one: it is drawn, with everything that the run had, and nothing is asked of
// anybody else.

import { execFile } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { page } from './page.ts'
import { type ChaosSummary, summarise } from './summary.ts'
import type { Recorded } from './workload.ts'

/** Twenty seconds of three peers: calls all the time, slower ones while something is wrong, one of them lost. */
function summary(): ChaosSummary {
  const faults = [
    { kind: 'kill' as const, began: 4000, ended: 7000, peers: [1], actors: ['ChaosList/a'] },
    { kind: 'wipe' as const, began: 9000, ended: 9500, peers: [2], actors: [] },
    { kind: 'partition' as const, began: 12_000, ended: 15_000, peers: [0, 2], actors: ['ChaosList/a'] },
    { kind: 'delay' as const, began: 16_000, ended: 17_000, peers: [], actors: [] },
    {
      kind: 'kill-all' as const,
      began: 18_000,
      peers: [],
      actors: [],
      skipped: 'another fault is under way',
    },
  ]
  const wrong = (at: number): boolean => faults.some(({ began, ended = 0 }) => at >= began && at < ended)
  const history = Array.from({ length: 1000 }, (_, n): Recorded => {
    const start = n * 20
    const answer = { start, end: start + (wrong(start) ? 400 : 8) + (n % 7), outcome: 'ok' as const }
    return { type: 'ChaosList', name: 'a', method: 'append', args: [], id: `${n}`, peer: n % 3, ...answer }
  })
  return summarise({
    ok: false,
    seed: 7,
    peers: 3,
    workloads: ['append'],
    problems: [{ promise: 'lost', text: 'ChaosList/a: <b>7</b> & more' }],
    stuck: [],
    faults,
    history,
    acknowledged: history.length,
    failed: 0,
    codes: new Map(),
    samples: [],
    losses: [{ by: 0, lost: 1, at: 4100 }],
    began: 0,
    ended: 20_000,
  })
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const WIDTH = 1200
const HEIGHT = 1400

function browser(): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter)
  return places.flatMap((place) => NAMES.map((name) => join(place, name))).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function show(program: string, dir: string, url: string, ...flags: readonly string[]): Promise<string> {
  const argv = [
    ...['--headless=new', '--disable-gpu', '--no-sandbox', '--no-first-run', '--hide-scrollbars'],
    ...[`--user-data-dir=${join(dir, 'profile')}`, `--window-size=${WIDTH},${HEIGHT}`],
    ...flags,
    url,
  ]
  return new Promise((resolve, reject) => {
    execFile(program, argv, { timeout: 50_000, maxBuffer: 2 ** 26, cwd: dir }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${error.message}\n${err}`)),
    )
  })
}

test('the report is a page that a browser draws', async ({ skip }) => {
  const program = browser()
  if (program === undefined) {
    const why = `no browser here: none of ${NAMES.join(', ')} is in PATH`
    process.stderr.write(`skipped: the page of mesh chaos is not drawn, ${why}\n`)
    return skip(why)
  }
  const dir = mkdtempSync(join(tmpdir(), 'chaos-page-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
  const file = join(dir, 'report.html')
  // What the browser itself measured is written into the document, for what is read back below.
  const measure = `<script>onload = () => {
    const box = (it) => { const { width, height } = it.getBoundingClientRect(); return [width, height] }
    document.body.dataset.measured = JSON.stringify({
      svg: box(document.querySelector('svg')),
      bars: [...document.querySelectorAll('svg rect')].map(box),
      lines: [...document.querySelectorAll('svg polyline')].map(box),
      rows: document.querySelectorAll('table tr').length,
      title: document.title,
      problem: document.querySelector('li').textContent,
      asked: performance.getEntriesByType('resource').map(({ name }) => name),
    })
  }</script>`
  const shown = summary()
  writeFileSync(file, page(shown).replace('</body>', `${measure}</body>`))
  const url = pathToFileURL(file).href
  const dom = await show(program, dir, url, '--dump-dom')
  const measured = JSON.parse(
    /data-measured="([^"]+)"/
      .exec(dom)?.[1]
      ?.replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&') ?? 'null',
  ) as Measured
  expect(measured.title).toBe(`mesh chaos, seed ${shown.seed}`)
  expect(measured.asked).toEqual([])
  expect(measured.svg[0]).toBeGreaterThan(900)
  expect(measured.bars).toHaveLength(
    shown.schedule.reduce((sum, { peers }) => sum + Math.max(1, peers.length), 0),
  )
  for (const [width, height] of measured.bars) expect(Math.min(width, height)).toBeGreaterThan(0)
  expect(measured.lines).toHaveLength(2)
  for (const [width, height] of measured.lines) expect(Math.min(width, height)).toBeGreaterThan(20)
  expect(measured.rows).toBeGreaterThan(shown.faults.length)
  expect(measured.problem).toBe('lost: ChaosList/a: <b>7</b> & more')

  const picture = join(dir, 'report.png')
  await show(program, dir, url, `--screenshot=${picture}`)
  const png = readFileSync(picture)
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([WIDTH, HEIGHT])
}, 120_000)

interface Measured {
  readonly title: string
  readonly problem: string
  readonly asked: readonly string[]
  readonly svg: readonly [number, number]
  readonly bars: readonly (readonly [number, number])[]
  readonly lines: readonly (readonly [number, number])[]
  readonly rows: number
}
