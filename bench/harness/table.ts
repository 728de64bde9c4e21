// Rows as tables: aligned, so that a terminal shows them well, and Markdown, so that a document can quote them.

import type { CallsRow, FigureRow, Row } from './case.ts'
import type { Spread } from './statistics.ts'

/** Three significant digits, without an exponent: 0.0123, 1.23, 12.3, 123, 1230. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return Number(value.toPrecision(3))
    .toFixed(Math.min(digits, 6))
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
}

/** The median, and in brackets what the rounds were between. */
export const shown = ({ median, min, max }: Spread): string =>
  min === max ? short(median) : `${short(median)} (${short(min)}–${short(max)})`

/** The tables of one case, then its notes; every group a table of its own. */
export function tables(rows: readonly Row[]): string {
  const groups = [...new Set(rows.flatMap((row) => (row.kind === 'note' ? [] : [row.group])))]
  const parts = groups.flatMap((group) => {
    const calls = rows.filter((row): row is CallsRow => row.kind === 'calls' && row.group === group)
    const figures = rows.filter((row): row is FigureRow => row.kind === 'figure' && row.group === group)
    return [
      ...(calls.length > 0 ? [aligned(callsTable(group, calls))] : []),
      ...(figures.length > 0 ? [aligned(figuresTable(group, figures))] : []),
    ]
  })
  const notes = rows.flatMap((row) => (row.kind === 'note' ? [row.text] : []))
  return [...parts, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n')
}

function callsTable(group: string, rows: readonly CallsRow[]): readonly (readonly string[])[] {
  const head = [group, 'p50 ms', 'p99 ms', 'per second', 'ratio', 'longest stall (own work) ms']
  const body = rows.map(({ subject, p50Ms, p99Ms, perSecond, ratios, stalls }) => [
    subject,
    shown(p50Ms),
    short(p99Ms.median),
    shown(perSecond),
    ratios
      .map((each) => `${shown(each)} × the ${each.by === 'latency' ? 'time' : 'rate'} of ${each.to}`)
      .join('; '),
    stalls === undefined ? '' : `${short(stalls.stallMs)} (${short(stalls.workMs)})`,
  ])
  return [head, ...body]
}

function figuresTable(group: string, rows: readonly FigureRow[]): readonly (readonly string[])[] {
  const body = rows.map(({ name, unit, value, ratio }) => [
    name,
    `${shown(value)} ${unit}`,
    ratio === undefined ? '' : `${short(ratio.median)} × ${ratio.to}`,
  ])
  return [[group, 'figure', 'ratio'], ...body]
}

/** Columns that are empty in every line are left out. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const [head = [], ...body] = lines
  const columns = head.map((_, column) => column).filter((column) => body.some((line) => line[column] !== ''))
  const width = (column: number): number => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0))
  const row = (line: readonly string[]): string =>
    `| ${columns.map((column) => (line[column] ?? '').padEnd(width(column))).join(' | ')} |`
  const rule = `| ${columns.map((column) => '-'.repeat(width(column))).join(' | ')} |`
  return [row(head), rule, ...body.map(row)].join('\n')
}
