// The real program in a process of its own: what only that shows.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { tempDir } from './test-support/run-cli.ts'

const BIN = fileURLToPath(new URL('../bin/mesh.mjs', import.meta.url))

function mesh(
  argv: readonly string[],
  { cwd = process.cwd(), execArgv = [] as readonly string[], env = process.env } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...execArgv, BIN, ...argv], { cwd, env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

test('a Node that is too old gets one line and exit code 9', async () => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`
  const result = await mesh(['testnet'], {
    execArgv: ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`],
  })
  expect(result).toEqual({
    code: 9,
    out: '',
    err: 'mesh: Node 22.18 or newer is needed, this is 20.20.2: get it from https://nodejs.org\n',
  })
})

test('exit codes and lines reach the shell', async () => {
  const nowhere = await mesh(['status', '--data-dir', join(tempDir(), 'none')])
  expect(nowhere).toMatchObject({ code: 3, out: '' })
  expect(nowhere.err).toMatch(/^mesh: no node is running in .+\n$/)
})

test('a network namespace that cannot be had: exit 2, and what is missing', async () => {
  const { code, err } = await mesh(['chaos', '--netns'], { env: { ...process.env, PATH: '/nowhere' } })
  expect(err).toMatch(/^mesh: --netns: no network namespace that loses packets can be had: .+\n$/)
  expect(code).toBe(2)
})

test.each([
  ['there-is-none.js', undefined, 'there is no file'],
  ['throws.js', "throw new Error('no database')", 'throws.js fails to load: Error: no database ('],
  ['syntax.js', 'export const = 1', 'syntax.js fails to load: SyntaxError: Unexpected token'],
  ['missing.js', "import './nowhere.js'", 'missing.js fails to load: Error: Cannot find module'],
  ['enum.ts', 'export enum A { B }', 'enum.ts fails to load: SyntaxError'],
  ['none.js', 'export class Plain {}; export const n = 1', 'exports no class that extends Actor'],
])('the actors module %s: exit 8 and one line', async (file, source, says) => {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'package.json'), '{ "type": "module" }')
  if (source !== undefined) writeFileSync(join(cwd, file), source)
  const { code, err } = await mesh(['node', '--data-dir', cwd, '--actors', `./${file}`], { cwd })
  expect(err).toContain(says)
  expect({ code, lines: err.split('\n').length }).toEqual({ code: 8, lines: 2 })
})
