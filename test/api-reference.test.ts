// docs/api.md says what the declarations say.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { API_PATH, apiText, currentApi, readApi } from './api-reference.ts'

test('the API reference is up to date: npm run docs:api', () => {
  const file = fileURLToPath(new URL(`../${API_PATH}`, import.meta.url))
  expect(readFileSync(file, 'utf8')).toBe(apiText(currentApi()))
})

function declared(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'declared-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

test('an export comes with its docstring and what it is made of, and with nothing else', () => {
  const folder = declared({
    'node/index.d.ts': "export { type A, b } from './api.ts';\n",
    'node/api.d.ts':
      '/** One {@link b}. */\nexport interface A {\n    /** Of it. */\n    c: Part;\n}\ntype Part = {\n    d: 1;\n};\ninterface E {\n}\n' +
      '/**\n * Two\n * lines.\n */\nexport declare class b {\n    #private;\n    e(): void;\n}\n',
  })
  const api = readApi(folder)
  expect(api.exported).toEqual([
    {
      name: 'A',
      module: 'node/api',
      docstring: 'One `b`.',
      code: 'interface A {\n    /** Of it. */\n    c: Part;\n}',
    },
    { name: 'b', module: 'node/api', docstring: 'Two\nlines.', code: 'class b {\n    e(): void;\n}' },
  ])
  expect(api.parts.map(({ name }) => name)).toEqual(['Part'])
})

test('an export without a declaration is an error', () => {
  const folder = declared({ 'node/index.d.ts': "export { a } from './api.ts';\n", 'node/api.d.ts': '\n' })
  expect(() => readApi(folder)).toThrow('no declaration was found of a')
})
