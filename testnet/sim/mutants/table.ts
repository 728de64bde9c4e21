// What became of each planted bug, as a Markdown table.

export interface Row {
  readonly name: string
  readonly rule: string
  readonly breaks: string
  readonly seconds: number
  /** The test or seed that caught it; undefined: nothing did, and `why` says more. */
  readonly by?: string
  /** How much of the detector ran until then. */
  readonly after?: string
  /** What the detector said. */
  readonly what?: string
  readonly why?: string
}

const HEAD = ['mutant', 'rule', 'what it breaks', 'caught by', 'after', 's']

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ name, rule, breaks, by, after, seconds }) =>
    line([name, rule, breaks, by ?? '**not caught**', after ?? '', String(seconds)]),
  )
  const missed = rows.filter(({ by }) => by === undefined)
  const tail = missed.map(({ name, why }) => `\n${name}: ${why ?? ''}\n`)
  return [line(HEAD), line(HEAD.map(() => '---')), ...lines, ''].join('\n').concat(...tail)
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
