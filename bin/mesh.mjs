#!/usr/bin/env node
// The `mesh` command. Written in syntax that any Node since 12 parses (no ?., ??, top-level await, node: imports), so that
// a Node which is too old is answered with one line instead of a stack trace. Exit code 9: Node is too old
// (cli/exit-codes.ts).

// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know it
import { existsSync } from 'fs'

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
  // A clone runs its sources, so that an old build is never run by mistake; an installed package has only what was built.
  import((existsSync(sources) ? sources : built).href)
    .then((cli) => cli.main(process.argv.slice(2)))
    .catch((error) => {
      process.stderr.write(`mesh: ${(error instanceof Error && error.stack) || error}\n`)
      process.exitCode = 1
    })
}
