// A copy of the sources in a directory of its own, to which one patch at a time is applied.

import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyHunk, type Hunk } from './mutant.ts'

const COPIED = ['mesh', 'checkpoint', 'node', 'testnet', 'test', 'package.json', 'tsconfig.json']
const CONFIG = 'vitest.config.ts'

export interface Ended {
  /** Null when it was ended because its time was up. */
  readonly code: number | null
  readonly output: string
}

export class Sandbox {
  readonly root: string
  readonly #originals = new Map<string, string>()

  constructor(project: string) {
    this.root = mkdtempSync(join(realpathSync(tmpdir()), 'mesh-mutants-'))
    for (const name of [...COPIED, CONFIG])
      cpSync(join(project, name), join(this.root, name), { recursive: true })
    symlinkSync(realpathSync(join(project, 'node_modules')), join(this.root, 'node_modules'))
  }

  /** All hunks or none. */
  apply(patch: readonly Hunk[]): void {
    const texts = new Map<string, string>()
    for (const hunk of patch)
      texts.set(hunk.file, applyHunk(texts.get(hunk.file) ?? this.#read(hunk.file), hunk))
    for (const [file, text] of texts) {
      this.#originals.set(file, this.#read(file))
      writeFileSync(join(this.root, file), text)
    }
  }

  restore(): void {
    for (const [file, text] of this.#originals) writeFileSync(join(this.root, file), text)
    this.#originals.clear()
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  /** Runs Node in the copy. What it prints is kept up to a limit, the end of it rather than the beginning. */
  node(args: readonly string[], timeoutMs: number): Promise<Ended> {
    const child = spawn(process.execPath, args, {
      cwd: this.root,
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-MAX_OUTPUT)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => {
        clearTimeout(timer)
        resolve({ code, output })
      })
    })
  }

  #read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8')
  }
}

const MAX_OUTPUT = 1024 * 1024
