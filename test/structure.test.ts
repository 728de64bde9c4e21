// The project keeps its own rules (structure.ts), and the rules notice when it does not.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  blank,
  checkAll,
  checkConfinement,
  checkDefaultExports,
  checkFolderCycles,
  checkImportDirection,
  checkLeftovers,
  checkPurity,
  importsOf,
  type SourceFile,
  type Violation,
} from './structure.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', 'package-lock.json'])
const READ = /\.(ts|mts|js|mjs|json|md|sh|ya?ml)$|^\.ci\/|^(LICENSE|\.npmrc|\.gitignore)$/

function readProject(): readonly SourceFile[] {
  const files: SourceFile[] = []
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name)) continue
      const full = join(directory, entry.name)
      const path = relative(ROOT, full).split(sep).join('/')
      if (entry.isDirectory()) walk(full)
      else if (entry.isFile() && READ.test(path)) files.push({ path, text: readFileSync(full, 'utf8') })
    }
  }
  walk(ROOT)
  return files
}

const project = readProject()

test('the project is found as a whole, and its imports are seen', () => {
  const imported = (folder: string) =>
    project.filter(({ path }) => path.startsWith(`${folder}/`)).flatMap(({ text }) => importsOf(text)).length
  for (const folder of ['mesh', 'checkpoint', 'node', 'testnet', 'cli'])
    expect(imported(folder), folder).toBeGreaterThan(20)
})

test('the project breaks none of its rules', () => {
  expect(checkAll(project)).toEqual([])
})

const at = (path: string, text: string): SourceFile => ({ path, text })
const TO_DO = ['TO', 'DO'].join('')
const machine = (name: string) => ['', name, 'main'].join('/')
const alone = ['test', 'only'].join('.')

test.each<[string, (files: readonly SourceFile[]) => Violation[], readonly SourceFile[]]>([
  [
    'mesh needs node',
    checkImportDirection,
    [at('mesh/logs/x.ts', "import { a } from '../../node/driver.ts'")],
  ],
  ['node needs testnet', checkImportDirection, [at('node/x.ts', "import { a } from '../testnet/index.ts'")]],
  ['a test of node does', checkImportDirection, [at('node/x.test.ts', "import '../testnet/index.ts'")]],
  [
    'checkpoint needs node',
    checkImportDirection,
    [at('checkpoint/x.ts', "import type { A } from '../node/a.ts'")],
  ],
  ['testnet needs cli', checkImportDirection, [at('testnet/sim/x.ts', "export { a } from '../../cli/a.ts'")]],
  ['at run time', checkImportDirection, [at('node/x.ts', "const cli = await import('../cli/main.ts')")]],
  ['in a type', checkImportDirection, [at('mesh/x.ts', "type A = import('../node/a.ts').A")]],
  ['over lines', checkImportDirection, [at('mesh/x.ts', "import {\n  a,\n  b,\n} from '../node/a.ts'")]],
  ['an example is needed', checkImportDirection, [at('node/x.ts', "import { a } from '../examples/a.ts'")]],
  [
    'folders in a circle',
    checkFolderCycles,
    [
      at('mesh/a/x.ts', "import { y } from '../b/y.ts'"),
      at('mesh/b/z.ts', "import type { x } from '../a/q.ts'"),
    ],
  ],
  ['node: in the protocol', checkPurity, [at('mesh/x.ts', "import { hash } from 'node:crypto'")]],
  ['a package in the protocol', checkPurity, [at('mesh/x.ts', "import { z } from 'zod'")]],
  ['async', checkPurity, [at('mesh/x.ts', 'export async function f() {}')]],
  ['a promise', checkPurity, [at('mesh/x.ts', 'const p: Promise<void> = g()')]],
  ['a timer', checkPurity, [at('mesh/x.ts', 'setTimeout(f, 10)')]],
  ['the clock', checkPurity, [at('mesh/x.ts', 'const now = Date.now()')]],
  ['the clock in a template', checkPurity, [at('mesh/x.ts', 'const t = `at $' + '{Date.now()}`')]],
  ['chance', checkPurity, [at('mesh/x.ts', 'const x = Math.random()')]],
  [
    'gossipsub twice',
    checkConfinement,
    ['node/a.ts', 'node/b.ts'].map((path) => at(path, "import { gossipsub } from '@libp2p/gossipsub'")),
  ],
  [
    'hypercore three times',
    checkConfinement,
    [
      at('checkpoint/a.ts', "import Hypercore from 'hypercore'"),
      at('checkpoint/b.ts', "import Corestore from 'corestore'"),
      at('checkpoint/c.ts', "import v from 'hypercore/lib/verifier.js'"),
    ],
  ],
  ['a default export', checkDefaultExports, [at('node/x.ts', 'const a = 1\nexport default a')]],
  ['a default by another name', checkDefaultExports, [at('node/x.ts', 'export { a as default }')]],
  ["a machine's path", checkLeftovers, [at('docs/x.md', `see ${machine('work')}`)]],
  ["the owner's home", checkLeftovers, [at('cli/x.ts', `const home = '${machine('root')}'`)]],
  ['a note to self', checkLeftovers, [at('cli/x.ts', `// ${TO_DO}: later`)]],
  ['one test alone', checkLeftovers, [at('cli/x.test.ts', `${alone}('a', () => {})`)]],
  ['skipped tests', checkLeftovers, [at('cli/x.test.ts', `${['test', 'each', 'skip'].join('.')}([])`)]],
])('is noticed: %s', (_name, check, files) => {
  const found = check(files)
  expect(found).toHaveLength(1)
  expect(files.map(({ path }) => path)).toContain(
    found[0]?.path.includes('.') ? found[0].path : files[0]?.path,
  )
  expect(check(files.map(({ path }) => at(path, 'export const fine = 1')))).toEqual([])
})

test.each<[string, SourceFile]>([
  [
    'words in comments and texts',
    at('mesh/x.ts', "// async Date\nconst a = 'await' // Promise\n/* setTimeout */"),
  ],
  ['an apostrophe in a pattern', at('mesh/x.ts', "const p = /['\"]/g\nconst q = 'Date'")],
  ['a path in an address', at('docs/x.md', `https://example.org${machine('work')}`)],
  ['a configuration', at('vite.config.ts', 'export default {}')],
  ['imports down the arrow', at('cli/x.ts', "import { a } from '../mesh/ids.ts'\nimport b from 'zod'")],
  [
    'a test of the protocol',
    at('mesh/x.test.ts', "import { test } from 'vitest'\ntest('x', async () => {})"),
  ],
])('is fine: %s', (_name, file) => {
  expect(checkAll([file])).toEqual([])
})

test('imports are read as the compiler reads them', () => {
  const text = `
    import a, { type B } from './a.ts' // from './not.ts'
    import type { C } from './c.ts'
    import './d.ts'
    export type { E } from "./e.ts"
    export { F } from './f.ts'
    const g = await import('./g.ts')
    const h = 'import it from somewhere'
    /* import './comment.ts' */`
  expect([...importsOf(text)].sort()).toEqual(['./a.ts', './c.ts', './d.ts', './e.ts', './f.ts', './g.ts'])
})

test('blanking keeps lines and columns', () => {
  const text = 'const a = `x$' + "{f('}')}y` // z\nconst b = a / 2 / c"
  expect(blank(text, 'comments and strings')).toBe('const a = ` $' + "{f(' ')} `     \nconst b = a / 2 / c")
})
