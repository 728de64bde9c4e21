// What the documents point at exists: files that they link to or name, and tests that they cite by title.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMANDS } from '../cli/commands.ts'
import { EXIT_CODE_TABLE } from '../cli/exit-codes.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`))

const documents = [...markdownIn('.'), ...markdownIn('docs'), ...markdownIn('docs/adr')]

test.each(documents)('%s links to what exists', (path) => {
  const links = [...read(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1]!)
    .filter((target) => !/^[a-z]+:/.test(target))
  expect(links.filter((target) => !existsSync(join(ROOT, dirname(path), target)))).toEqual([])
})

test.each(documents)('%s names files that exist', (path) => {
  const named = [
    ...read(path).matchAll(/`((?:mesh|checkpoint|node|testnet|cli|examples|test)\/[\w./-]+\.ts)`/g),
  ]
  expect(named.map((match) => match[1]!).filter((file) => !existsSync(join(ROOT, file)))).toEqual([])
})

const CITED = /`([\w./-]+\.test\.ts)` ((?:“[^”]+”[,\s]*)+)/g

test.each([
  ['docs/guarantees.md', 20],
  ['docs/from-ray.md', 50],
])('%s cites tests by the titles they have', (path, least) => {
  const cited = [...read(path).matchAll(CITED)]
  const missing = cited.flatMap(([, file, titles]) => {
    const source = read(file!)
    return [...titles!.matchAll(/“([^”]+)”/g)]
      .map((match) => match[1]!)
      .filter((title) => !source.includes(title))
      .map((title) => `${file}: ${title}`)
  })
  expect(missing).toEqual([])
  expect(cited.length).toBeGreaterThan(least)
})

test('from-ray.md has no empty cell, and a test in every row', () => {
  const rows = read('docs/from-ray.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !line.endsWith(' shown by |'))
  const wrong = rows.filter((row) => {
    const cells = row.slice(2, -2).split(/(?<!\\) \| /)
    return cells.length !== 4 || cells.some((cell) => cell.trim() === '') || cells[3]!.match(CITED) === null
  })
  expect(wrong).toEqual([])
})

test('cli.md has every command and every exit code', () => {
  const text = read('docs/cli.md')
  for (const { usage } of COMMANDS) expect(text).toContain(`\n### \`mesh ${usage.split(' ')[0]}`)
  for (const [code] of EXIT_CODE_TABLE) expect(text).toContain(`\n| ${code} |`)
})
