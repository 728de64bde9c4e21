// A program that prints its own figures as a case: what it prints is quoted as notes.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Case } from './case.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** `args` as for node, with paths relative to the project. Rejects with what it printed when it fails. */
export const program = (name: string, about: string, args: readonly string[]): Case => ({
  name,
  about,
  run: (bench) =>
    new Promise((resolve, reject) => {
      bench.say(`node ${args.join(' ')}`)
      const child = execFile(process.execPath, [...args], { cwd: ROOT }, (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`node ${args.join(' ')} failed: ${error.message}\n${stderr}`))
        else resolve(lines(stdout).map((text) => ({ kind: 'note', text })))
      })
      bench.teardown(() => child.kill('SIGKILL'))
    }),
})

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line.trim() !== '')
