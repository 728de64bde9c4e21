#!/usr/bin/env node
// The `mesh` command. Written in syntax that any Node since 12 parses (no ?., ??, top-level await, node: imports), so that
// a Node which is too old is answered with one line instead of a stack trace. Exit code 9: Node is too old
// (cli/exit-codes.ts).

// biome-ignore-start lint/style/useNodejsImportProtocol: Node 12 does not know it
import { existsSync } from 'fs'
import * as modules from 'module'

// biome-ignore-end lint/style/useNodejsImportProtocol: see above

const MIN = [22, 18]
const [major, minor] = process.versions.node.split('.').map(Number)
const built = new URL('../dist/cli/main.js', import.meta.url)
const sources = new URL('../cli/main.ts', import.meta.url)

if (major < MIN[0] || (major === MIN[0] && minor < MIN[1])) {
  process.stderr.write(
    `mesh: Node ${MIN.join('.')} or newer is needed, this is ${process.versions.node}: get it from https://nodejs.org\n`,
  )
  process.exitCode = 9
} else {
  // A third of the processor time of a start is compiling, which need not be done each time.
  if (modules.enableCompileCache !== undefined) modules.enableCompileCache()
  // A clone runs its sources, so that an old build is never run by mistake; an installed package has only what was built.
  import((existsSync(sources) ? sources : built).href)
    .then((cli) => cli.main(process.argv.slice(2)))
    .catch((error) => {
      process.stderr.write(`mesh: ${(error instanceof Error && error.stack) || error}\n`)
      process.exitCode = 1
    })
}
