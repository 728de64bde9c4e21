// docs/api.md, from the declarations that the compiler emits: every export of node/index.ts with its docstring and type, and
// the types that these are made of. `npm run docs:api` writes it; api-reference.test.ts says when it is out of date.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
export const API_PATH = 'docs/api.md'

/** Modules by what readers look for; in this order. */
const GROUPS: readonly (readonly [title: string, modules: RegExp])[] = [
  ['Node', /^node\/(create-node|api)$/],
  ['Actors', /^node\/actors\//],
  ['Errors', /^node\/errors$/],
  ['Mesh', /^mesh\//],
]

export interface Declaration {
  readonly name: string
  readonly module: string
  readonly docstring: string
  readonly code: string
}

export interface Api {
  /** In the order of their modules and there of their text. */
  readonly exported: readonly Declaration[]
  /** What these are made of and cannot be imported. */
  readonly parts: readonly Declaration[]
}

/** Of the declarations below `folder`. */
export function readApi(folder: string): Api {
  const index = readFileSync(join(folder, 'node/index.d.ts'), 'utf8')
  const exports = [...index.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].map(
    ([, names, from]) => ({
      names: names!.match(/\w+(?=\s*(?:,|$))/g) ?? [],
      module: join('node', from!).replace(/\.ts$/, ''),
    }),
  )
  const declarations = exports.flatMap(({ module }) =>
    declarationsOf(readFileSync(join(folder, `${module}.d.ts`), 'utf8'), module),
  )
  const wanted = new Map(exports.flatMap(({ names, module }) => names.map((name) => [name, module])))
  const exported = declarations.filter(({ name, module }) => wanted.get(name) === module)
  const missing = [...wanted.keys()].filter((name) => !exported.some((each) => each.name === name))
  if (missing.length > 0) throw new Error(`no declaration was found of ${missing.join(', ')}`)
  const parts: Declaration[] = []
  for (const { code } of [...exported].concat(parts)) collect(code)
  return { exported: unique(exported), parts }

  function collect(code: string): void {
    const words = new Set(code.replace(/\/\*\*[\s\S]*?\*\//g, '').match(/\b[A-Z]\w+\b/g))
    for (const declaration of declarations) {
      if (!words.has(declaration.name) || wanted.has(declaration.name)) continue
      if (parts.some(({ name }) => name === declaration.name)) continue
      parts.push(declaration)
      collect(declaration.code)
    }
  }
}

/** Declarations of a module as the compiler formats it: each begins at the margin and ends there. */
function declarationsOf(text: string, module: string): readonly Declaration[] {
  const form =
    /^(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?(?:export )?((?:declare (?:abstract )?(?:class|function|const)|interface|type) (\w+)(?:.*;|[\s\S]*?^\}(?:.*[^{\n])?))$/gm
  return [...text.matchAll(form)].map(([, docstring = '', code, name]) => ({
    name: name!,
    module,
    docstring: docstring
      .split('\n')
      .map((line) => line.replace(/^\/\*\* ?|^ \*\/|^ \* ?| ?\*\/$/g, ''))
      .join('\n')
      .trim()
      .replace(/\{@link ([\w.]+)\}/g, '`$1`'),
    code: code!.replace(/^declare /, '').replace(/^ {4}#private;\n/gm, ''),
  }))
}

const unique = (declarations: readonly Declaration[]): readonly Declaration[] =>
  declarations.filter(({ name }, at) => declarations.findIndex((each) => each.name === name) === at)

export function apiText({ exported, parts }: Api): string {
  const groups = GROUPS.map(([title, modules]) => ({
    title,
    all: exported.filter(({ module }) => modules.test(module)),
  }))
  const entry = ({ name, docstring, code }: Declaration): string =>
    [`### ${name}`, ...(docstring === '' ? [] : [docstring]), `\`\`\`ts\n${code}\n\`\`\``].join('\n\n')
  return `${[
    '# API',
    'Everything that `actor-mesh` exports, from its docstrings. Written by `npm run docs:api`: change those, not this. The guide is [actors.md](actors.md), tables of options, events and errors are in [embedding.md](embedding.md).',
    ...groups.map(
      ({ title, all }) =>
        `- ${title}: ${all.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · ')}`,
    ),
    ...groups.flatMap(({ title, all }) => [`## ${title}`, ...all.map(entry)]),
    '## Parts of these',
    'Types that the ones above are made of. They cannot be imported by name.',
    ...parts.map(entry),
  ]
    .join('\n\n')
    .replace(/\n\n(?=- \w+: )/g, '\n')
    .replace('\n- Node', '\n\n- Node')}\n`
}

/** What docs/api.md should say. */
export function currentApi(): Api {
  const folder = mkdtempSync(join(tmpdir(), 'declarations-'))
  try {
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [
      compiler,
      ...['-p', join(ROOT, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder],
    ])
    return readApi(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(join(ROOT, API_PATH), apiText(currentApi()))
