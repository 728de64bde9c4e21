import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkGlibc, checkNode } from './doctor.ts'
import { cli, tempDir } from './test-support/run-cli.ts'

test('here, every check is done and says what it found', async () => {
  const dir = tempDir()
  const { code, out } = await cli(['doctor', '--json', '--data-dir', join(dir, 'not', 'there', 'yet')])
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: { name: string; state: string }[] }
  expect(checks.map((check) => check.name)).toEqual(['node', 'system', 'storage', 'data directory', 'disk'])
  expect({ code, ok }).toEqual({ code: 0, ok: true })
  expect(readdirSync(dir)).toEqual([]) // it leaves nothing behind
})

test('a data directory that cannot be written is a problem and exit 1', async () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'file'), '')
  mkdirSync(join(dir, 'fine'))
  const { code, out } = await cli(['doctor', '--data-dir', join(dir, 'file', 'data')])
  expect(code).toBe(1)
  expect(out).toMatch(
    /PROBLEM {3}data directory: cannot write in .+: change its owner, or choose another with --data-dir\n/,
  )
})

test.each([
  ['22.17.1', 'problem'],
  ['20.20.2', 'problem'],
  ['22.18.0', 'ok'],
  ['24.0.0', 'ok'],
])('node %s: %s', (version, state) => expect(checkNode(version).state).toBe(state))

test.each([
  [undefined, 'problem', 'Alpine'],
  ['2.31', 'problem', '2.34 or newer'],
  ['2.34', 'ok', 'glibc 2.34'],
  ['3.0', 'ok', 'glibc 3.0'],
])('glibc %s: %s', (version, state, says) => {
  expect(checkGlibc('linux x64', version)).toMatchObject({ state, text: expect.stringContaining(says) })
})
