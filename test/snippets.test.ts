// The code in the documents runs, and says what their comments say it does. How blocks are marked: snippets.ts.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { snippetsOf } from './snippets.ts'

/** In the complete ones every block of TypeScript belongs to a program. */
const DOCUMENTS: readonly { readonly path: string; readonly complete: boolean }[] = [
  { path: 'docs/actors.md', complete: true },
  { path: 'README.md', complete: false },
]

const ROOT = fileURLToPath(new URL('..', import.meta.url))
// Not checked or published, and not below node_modules, where Node takes no TypeScript.
mkdirSync(join(ROOT, 'dist'), { recursive: true })
const FOLDER = mkdtempSync(join(ROOT, 'dist/snippets-'))
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

const documents = DOCUMENTS.map(({ path, complete }) => {
  const folder = (program: string): string => `dist/${basename(FOLDER)}/${basename(path, '.md')}/${program}`
  const snippets = snippetsOf(readFileSync(join(ROOT, path), 'utf8'), path, folder)
  const programs = snippets.programs.map(({ name, files }) => {
    mkdirSync(join(ROOT, folder(name)), { recursive: true })
    for (const [file, text] of files) writeFileSync(join(ROOT, folder(name), file), text)
    return { path, name, main: join(ROOT, folder(name), 'main.ts') }
  })
  return { path, complete, programs, loose: snippets.loose }
})

const run = (argv: readonly string[], cwd: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, argv, { cwd, timeout: 50_000 }, (error, out, err) =>
      resolve(error === null ? '' : `${out}${err}` || error.message),
    )
  })

test.each(documents.filter(({ complete }) => complete))(
  '$path has no code that does not run',
  ({ loose }) => {
    expect(loose).toEqual([])
  },
)

test('the code in the documents has the right types', async () => {
  const options = { noUnusedLocals: false, noUnusedParameters: false, types: ['node'] }
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: options,
    include: ['**/*.ts', '../../checkpoint/*.d.ts'],
  }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(config))
  expect(await run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', FOLDER], ROOT)).toBe('')
})

test.each(documents.flatMap(({ programs }) => programs))('$path: $name', async ({ main }) => {
  const cwd = mkdtempSync(join(tmpdir(), 'snippet-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  // It has ended at its last line, whatever it left open.
  const program = `await import(process.argv[1]); process.exit(0)`
  expect(await run(['--input-type=module', '-e', program, main], cwd)).toBe('')
})

test('a document at the root finds its imports and claims too', () => {
  const text = "```ts run=a\nimport { a } from './examples/local-mesh.ts'\na() // → 1\n```"
  const [program] = snippetsOf(text, 'README.md', () => 'dist/x/README/a').programs
  expect(program!.files.get('main.ts')!.split('\n')).toEqual([
    "import * as claims from '../../../../test/claims.ts'",
    "import { a } from '../../../../examples/local-mesh.ts'",
    'claims.equal(3, a(), 1)',
  ])
})

const programOf = (text: string): string =>
  snippetsOf(text, 'docs/some.md', () => 'dist/x/some/a').programs[0]!.files.get('main.ts')!

test('blocks of one name are one module, each line where it is in the document', () => {
  const text = '# title\n```ts run=a\none()\n```\n<!-- run=a\ntwo()\n-->\n```ts\nnone()\n```'
  expect(programOf(text)).toBe('\n\none()\n\n\ntwo()')
  expect(snippetsOf(text, 'docs/some.md', () => 'x').loose).toEqual([9])
})

test('comments become checks, imports lead to the source', () => {
  const text =
    "# title\n```ts run=a\nimport { a } from 'actor-mesh'\nawait a.b() // → { c: 1 }\nconst d = e() // → 2\nf() // throws G\n```"
  expect(programOf(text).split('\n')).toEqual([
    "import * as claims from '../../../../test/claims.ts'",
    '',
    "import { a } from '../../../../node/index.ts'",
    'claims.equal(4, await a.b(), { c: 1 })',
    'const d = e(); claims.equal(5, d, 2)',
    'await claims.throws(6, async () => { f() }, "G")',
  ])
})

test.each([
  ['claims.equal(1, 2, 3)', 'line 1 says otherwise'],
  ["await claims.throws(1, async () => {}, 'X')", 'and it does not'],
  ["await claims.throws(1, async () => { throw new Error('y') }, 'X')", 'says that it throws X'],
])('a claim that is not so fails: %s', async (code, message) => {
  const module = new URL('./claims.ts', import.meta.url).href
  const program = `const claims = await import('${module}'); ${code}`
  expect(await run(['--input-type=module', '-e', program], ROOT)).toContain(message)
})
