// The rules of the project's structure, as functions over file texts: which folder may import which, what the protocol may
// not touch, what no file may contain. structure.test.ts holds the project to them, and them to planted violations.

export interface SourceFile {
  /** Relative to the project's root, with slashes. */
  readonly path: string
  readonly text: string
}

export interface Violation {
  readonly rule: string
  readonly path: string
  readonly detail: string
}

/** Follow an arrow, never reverse it: each folder with those it may import, itself included. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  mesh: ['mesh'],
  checkpoint: ['mesh', 'checkpoint'],
  node: ['mesh', 'checkpoint', 'node'],
  testnet: ['mesh', 'checkpoint', 'node', 'testnet'],
  cli: ['mesh', 'checkpoint', 'node', 'testnet', 'cli'],
}

/** Packages that must stay easy to replace: at most so many files import them. */
const CONFINED: readonly { readonly packages: readonly string[]; readonly files: number }[] = [
  { packages: ['@libp2p/gossipsub'], files: 1 },
  { packages: ['hypercore', 'corestore'], files: 2 },
]

/** What makes a state machine depend on when and where it runs, with what to use instead. */
const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/\basync\b|\bawait\b|\bPromise\b/, 'no promises: emit an effect, its result comes back as an input'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, 'no timers: compare with `now` at a tick'],
  [/\bDate\b|\bperformance\b/, 'no clock: time is an argument of step()'],
  [/\bMath\.random\b|\bcrypto\b/, 'no randomness of its own: use the Random it is given'],
  [/\bconsole\b|\bglobalThis\b|\bprocess\.(env|argv|on|nextTick|hrtime|pid|stdout|exit)\b/, 'no environment'],
]

const isTest = (path: string): boolean => /\.test\.ts$|\/test-support\/|\.testing\.ts$/.test(path)
const isCode = (path: string): boolean => /\.(ts|mts|js|mjs)$/.test(path)
const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')
const isPackage = (specifier: string): boolean => !specifier.startsWith('.') && !specifier.startsWith('/')

/** Every module that a source text imports, re-exports from, requires, or names in an import type. */
export function importsOf(text: string): readonly string[] {
  const code = blank(text, 'comments')
  const forms = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*(['"])([^'"]+)\1/g,
    /\bimport\s*(['"])([^'"]+)\1/g,
    /\b(?:import|require|createRequire\([^)]*\))\s*\(\s*(['"])([^'"]+)\1/g,
  ]
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[2]!))
}

/** The path that a relative import leads to. */
export function resolveImport(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const step of specifier.split('/')) {
    if (step === '..') parts.pop()
    else if (step !== '.') parts.push(step)
  }
  return parts.join('/')
}

export function checkImportDirection(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) => {
    const allowed = MAY_IMPORT[folderOf(path)]
    if (!allowed || !isCode(path)) return []
    return importsOf(text)
      .filter((specifier) => !isPackage(specifier))
      .map((specifier) => resolveImport(path, specifier))
      .filter((target) => !allowed.includes(folderOf(target)))
      .map((target) => ({ rule: 'import direction', path, detail: `imports ${target}` }))
  })
}

/** Folders that lie side by side may not need each other in a circle; a folder and its own subfolders are one thing. */
export function checkFolderCycles(files: readonly SourceFile[]): Violation[] {
  const needs = new Map<string, Set<string>>()
  for (const { path, text } of files) {
    if (!isCode(path) || isTest(path)) continue
    for (const specifier of importsOf(text)) {
      if (isPackage(specifier)) continue
      const [from, to] = parting(path, resolveImport(path, specifier))
      if (from !== undefined && to !== undefined) needs.set(from, (needs.get(from) ?? new Set()).add(to))
    }
  }
  return cyclesIn(needs).map((cycle) => ({
    rule: 'folder cycle',
    path: cycle[0]!,
    detail: cycle.join(' → '),
  }))
}

export function checkPurity(files: readonly SourceFile[]): Violation[] {
  const violations: Violation[] = []
  for (const { path, text } of files) {
    if (folderOf(path) !== 'mesh' || !isCode(path) || isTest(path)) continue
    for (const specifier of importsOf(text))
      if (isPackage(specifier)) violations.push({ rule: 'purity', path, detail: `imports ${specifier}` })
    const code = blank(text, 'comments and strings')
    for (const [pattern, instead] of IMPURE) {
      const found = pattern.exec(code)
      if (found) violations.push({ rule: 'purity', path, detail: `${found[0]}: ${instead}` })
    }
  }
  return violations
}

export function checkConfinement(files: readonly SourceFile[]): Violation[] {
  return CONFINED.flatMap(({ packages, files: limit }) => {
    const importers = files.filter(
      ({ path, text }) =>
        folderOf(path) in MAY_IMPORT &&
        isCode(path) &&
        !path.endsWith('.d.ts') &&
        importsOf(text).some((specifier) =>
          packages.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
        ),
    )
    // A check that the storage engine loads (mesh doctor) uses nothing of it.
    const counted = importers.filter(({ path }) => path !== 'cli/doctor.ts')
    if (counted.length <= limit) return []
    const detail = `${counted.length} files import ${packages.join(', ')}, ${limit} may: ${counted.map(({ path }) => path).join(', ')}`
    return [{ rule: 'confinement', path: counted[0]!.path, detail }]
  })
}

export function checkDefaultExports(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => isCode(path) && !path.endsWith('.config.ts') && !path.endsWith('.d.ts'))
    .filter(({ text }) =>
      /^\s*export\s+default\b|\bas\s+default\b/m.test(blank(text, 'comments and strings')),
    )
    .map(({ path }) => ({ rule: 'default export', path, detail: 'export it by name' }))
}

/** Directories of one machine, notes to self, and tests that run alone or not at all. */
export function checkLeftovers(files: readonly SourceFile[]): Violation[] {
  const patterns: readonly (readonly [string, RegExp, (path: string) => boolean])[] = [
    ['machine path', new RegExp(`(^|[^\\w.])/(${['work', 'root', 'farm'].join('|')})/`, 'm'), () => true],
    [
      'note to self',
      new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`),
      () => true,
    ],
    ['partial test run', /\b(it|test|describe|bench)(\.\w+)*\.(only|skip|todo|fails)\b/, isCode],
  ]
  return files.flatMap(({ path, text }) =>
    patterns.flatMap(([rule, pattern, applies]) => {
      const found = applies(path) ? pattern.exec(text) : null
      return found ? [{ rule, path, detail: `line ${lineOf(text, found.index)}: ${found[0].trim()}` }] : []
    }),
  )
}

export const checkAll = (files: readonly SourceFile[]): Violation[] => [
  ...checkImportDirection(files),
  ...checkFolderCycles(files),
  ...checkPurity(files),
  ...checkConfinement(files),
  ...checkDefaultExports(files),
  ...checkLeftovers(files),
]

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** The first folders on the two paths that differ; none where one path's folder contains the other's. */
function parting(a: string, b: string): readonly [string, string] | readonly [undefined, undefined] {
  const [from, to] = [a.split('/').slice(0, -1), b.split('/').slice(0, -1)]
  const at = from.findIndex((name, index) => name !== to[index])
  if (at < 0 || at >= to.length) return [undefined, undefined]
  return [from.slice(0, at + 1).join('/'), to.slice(0, at + 1).join('/')]
}

/** One cycle per group of nodes that reach each other, in a stable order. */
function cyclesIn(needs: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): void => {
    const at = path.indexOf(node)
    if (at >= 0) cycles.push([...path.slice(at), node])
    if (at >= 0 || done.has(node)) return
    for (const next of [...(needs.get(node) ?? [])].sort()) visit(next, [...path, node])
    done.add(node)
  }
  for (const node of [...needs.keys()].sort()) visit(node, [])
  return cycles
}

/** A regular expression may begin after these; elsewhere a slash divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete))\s*$/

/** The text with comments, or comments and string contents, replaced by spaces; lines and columns stay. */
export function blank(text: string, what: 'comments' | 'comments and strings'): string {
  const strings = what === 'comments and strings'
  const out = [...text]
  const wipe = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' '
  }
  /** Ends of the template literals whose `${` is open, as the depth of braces they were opened at. */
  const templates: number[] = []
  let braces = 0
  let i = 0
  const template = (): void => {
    const start = i
    while (i < text.length && text[i] !== '`' && !text.startsWith('${', i)) i += text[i] === '\\' ? 2 : 1
    if (strings) wipe(start, Math.min(i, text.length))
    if (text.startsWith('${', i)) {
      templates.push(braces)
      i += 2
    } else i++
  }
  const quoted = (end: string): void => {
    const start = ++i
    let inClass = false
    while (i < text.length && text[i] !== '\n' && (text[i] !== end || inClass)) {
      if (end === '/' && text[i] === '[') inClass = true
      else if (text[i] === ']') inClass = false
      i += text[i] === '\\' ? 2 : 1
    }
    if (strings) wipe(start, Math.min(i, text.length))
    i++
  }
  while (i < text.length) {
    const char = text[i]!
    if (text.startsWith('//', i)) {
      const end = text.indexOf('\n', i)
      const stop = end < 0 ? text.length : end
      wipe(i, stop)
      i = stop
    } else if (text.startsWith('/*', i)) {
      const end = text.indexOf('*/', i + 2)
      const stop = end < 0 ? text.length : end + 2
      wipe(i, stop)
      i = stop
    } else if (char === "'" || char === '"') quoted(char)
    else if (char === '/' && BEFORE_REGEX.test(out.slice(Math.max(0, i - 40), i).join(''))) quoted('/')
    else if (char === '`') {
      i++
      template()
    } else if (char === '}' && templates.at(-1) === braces) {
      templates.pop()
      i++
      template()
    } else {
      if (char === '{') braces++
      else if (char === '}') braces--
      i++
    }
  }
  return out.join('')
}
