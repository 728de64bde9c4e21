// Text for people: aligned columns, short ids, durations.

import type { ResourceStatus } from '../node/api.ts'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string | number
  readonly align?: 'right'
}

/** A table without borders; columns that are empty in every row are left out. Control characters become `?`. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = columns
    .map((column) => ({ column, texts: rows.map((row) => printable(String(column.value(row)))) }))
    .filter(({ texts }) => texts.some((text) => text !== ''))
    .map(({ column, texts }) => {
      const width = Math.max(column.title.length, ...texts.map((text) => text.length))
      const pad = (text: string) => (column.align === 'right' ? text.padStart(width) : text.padEnd(width))
      return [column.title.toUpperCase(), ...texts].map(pad)
    })
  return [0, ...rows.map((_, index) => index + 1)]
    .map((line) =>
      cells
        .map((column) => column[line])
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** Two columns of name and value, names aligned. */
export function facts(pairs: readonly (readonly [string, string | number])[], indent = ''): string {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs
    .map(([name, value]) => `${indent}${name.padEnd(width)}  ${printable(String(value))}\n`)
    .join('')
}

/** Names come from other peers: what they contain must not steer the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: matching control characters is the point
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')

/** The end of an id tells peers apart; the beginning is the same for all Ed25519 peer ids. */
export const shortId = (id: string): string => (id.length > 12 ? `…${id.slice(-8)}` : id)

/** `gpu 1/2 slots 0/10`: used of offered. */
export const usage = (resources: Readonly<Record<string, ResourceStatus>>): string =>
  Object.entries(resources)
    .map(([name, { offered, used }]) => `${name} ${used}/${offered}`)
    .join(' ')

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

export const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** The p-th percentile (0…1) of some numbers, nearest rank; undefined of none. */
export function percentile(values: readonly number[], p: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]
}
