// Programs that are not ours: is one installed, which version, and one that is started, asked by lines, and ended by its id.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Bench, NoteRow } from '../harness/case.ts'

/** The first line that it prints, or undefined where it is not installed or does not run. */
export function versionOf(command: string, args: readonly string[]): string | undefined {
  try {
    const text = execFileSync(command, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return text.trim().split('\n')[0]
  } catch {
    return undefined
  }
}

export const skipped = (what: string, how: string): NoteRow => ({
  kind: 'note',
  text: `${what}: skipped, not installed here (${how}).`,
})

/** A port of this machine that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

/** Resolves when something listens on that port of this machine; rejects when nothing does within ten seconds. */
export async function listening(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
    })
    if (answered) return
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A process group of its own: what it starts ends with it. */
export class Foreign {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string> | undefined
  #errors = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.on('data', (bytes: Buffer) => {
      this.#errors = (this.#errors + bytes.toString()).slice(-2000)
    })
    if (child.stdout !== null) this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  static start(
    bench: Bench,
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Foreign {
    const child = spawn(command, [...args], {
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.on('error', () => {})
    const foreign = new Foreign(child)
    const end = () => foreign.kill()
    process.once('exit', end)
    bench.teardown(() => {
      process.off('exit', end)
      return foreign.end()
    })
    return foreign
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The next line that it prints, as JSON. */
  async answer<T>(): Promise<T> {
    const next = await this.#lines?.next()
    if (next === undefined || next.done === true) throw new Error(`it ended: ${this.#errors}`)
    return JSON.parse(next.value) as T
  }

  ask<T>(line: string): Promise<T> {
    this.#child.stdin?.write(`${line}\n`)
    return this.answer<T>()
  }

  /** Its whole group, at once. */
  kill(): void {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // Already gone.
    }
  }

  /** Closes its input and gives it a moment to end by itself. */
  async end(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
      return
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.kill(), 5000)
    await gone
    clearTimeout(timer)
    this.kill()
  }
}
