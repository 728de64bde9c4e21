// The code in documents as programs that run. A fenced block takes part when its first line names a program:
//
//     ```ts run=cart                 part of the program `cart` of this document: its blocks, in order, are one module
//     ```ts run=cart file=actors.ts  a module of its own beside it
//     <!-- run=cart                  the same, unseen by readers: what the program needs and the text does not
//     …
//     -->
//
// A program runs in an empty directory and fails when it throws. What a comment at the end of a one-line statement
// claims is checked:
//
//     await cart.add('A1', 2) // → { A1: 2 }
//     const n = await cart.size() // → 1
//     await cart.add('A1', -1) // throws RangeError        (its name, its code, or the name of the class it was thrown as)
//
// Imports are written as a user writes them: 'actor-mesh', 'actor-mesh/testnet', or relative to the document.
// Each line keeps its number, so that errors name lines of the document.

import { posix } from 'node:path'

export interface Program {
  readonly name: string
  /** By file name; `main.ts` is what runs. */
  readonly files: ReadonlyMap<string, string>
}

export interface Snippets {
  readonly programs: readonly Program[]
  /** Lines of blocks in TypeScript that belong to no program, from 1. */
  readonly loose: readonly number[]
}

interface Block {
  readonly program: string | undefined
  readonly file: string
  /** Of its first line of code, from 0. */
  readonly at: number
  readonly lines: readonly string[]
}

const PACKAGES: Readonly<Record<string, string>> = {
  'actor-mesh': 'node/index.ts',
  'actor-mesh/testnet': 'testnet/index.ts',
}

/** `path` of the document and `from` of its programs' folders are relative to the root of the project. */
export function snippetsOf(document: string, path: string, from: (program: string) => string): Snippets {
  const blocks = blocksOf(document.split('\n'))
  const loose = blocks.filter(({ program }) => program === undefined).map(({ at }) => at + 1)
  const names = [...new Set(blocks.flatMap(({ program }) => program ?? []))]
  const programs = names.map((name): Program => {
    const own = blocks.filter(({ program }) => program === name)
    const files = [...new Set(own.map(({ file }) => file))]
    const text = (file: string): string => moduleOf(own.filter((block) => block.file === file))
    const resolve = (specifier: string): string => specifierFor(specifier, posix.dirname(path), from(name))
    const claims = posix.relative(from(name), 'test/claims.ts')
    return { name, files: new Map(files.map((file) => [file, withImports(text(file), resolve, claims)])) }
  })
  return { programs, loose }
}

function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\S+)(.*)$/.exec(lines[at]!)
    const hidden = /^<!-- (run=.*)$/.exec(lines[at]!)
    if (fence === null && hidden === null) continue
    const end = lines.indexOf(fence === null ? '-->' : '```', at + 1)
    if (end < 0) throw new Error(`line ${at + 1}: this block does not end`)
    if (hidden !== null || fence?.[1] === 'ts') {
      const words = hidden?.[1] ?? fence?.[2] ?? ''
      blocks.push({
        program: /(?:^|\s)run=(\S+)/.exec(words)?.[1],
        file: /(?:^|\s)file=(\S+)/.exec(words)?.[1] ?? 'main.ts',
        at: at + 1,
        lines: lines.slice(at + 1, end),
      })
    }
    at = end
  }
  return blocks
}

function moduleOf(blocks: readonly Block[]): string {
  const lines: string[] = []
  for (const { at, lines: code } of blocks) {
    while (lines.length < at) lines.push('')
    lines.push(...code.map((line, index) => checked(line, at + index + 1)))
  }
  return lines.join('\n')
}

/** The statement of a line with what its comment claims as a check. */
function checked(line: string, number: number): string {
  const claim = /^(\s*)(.*\S)\s*\/\/ (→|throws) (.+)$/.exec(line)
  if (claim === null) return line
  const [, indent, code, kind, claimed] = claim as unknown as [string, string, string, string, string]
  if (kind === 'throws')
    return `${indent}await claims.throws(${number}, async () => { ${code} }, ${JSON.stringify(claimed)})`
  const declared = /^(?:const|let) (\w+)\b/.exec(code)?.[1]
  return declared === undefined
    ? `${indent}claims.equal(${number}, ${code}, ${claimed})`
    : `${indent}${code}; claims.equal(${number}, ${declared}, ${claimed})`
}

function specifierFor(specifier: string, documentFolder: string, from: string): string {
  const target =
    PACKAGES[specifier] ??
    (/^\.\.?\/.*\//.test(specifier) ? posix.join(documentFolder, specifier) : undefined)
  return target === undefined ? specifier : posix.relative(from, target)
}

/** With the claims at hand, on the first line, which is a document's title. */
function withImports(text: string, resolve: (specifier: string) => string, claims: string): string {
  const code = text.replace(
    /(\bfrom |\bimport )'([^']+)'/g,
    (_all, before: string, name: string) => `${before}'${resolve(name)}'`,
  )
  return code.includes('claims.') ? `import * as claims from '${claims}'${code}` : code
}
