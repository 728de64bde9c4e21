// Everything a command may touch of the process it runs in, so that tests can run commands without one.

import type { MeshNode, NodeOptions } from '../node/api.ts'
import type { ControlClient } from '../node/control/client.ts'

/** The terminal and the process. */
export interface Io {
  out(text: string): void
  err(text: string): void
  /** True when stdout is a terminal: a person reads along. */
  readonly isTty: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** What started this process: the program, its arguments, and theirs. */
  readonly commandLine: readonly string[]
  /**
   * Calls back at SIGINT and SIGTERM instead of the default, and with `SIGHUP` when the process that this one is a part of is
   * gone (again.ts); returns the function that ends that.
   */
  onSignal(listener: (signal: string) => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
}

/** What commands use of the rest of the package; replaced in tests. */
export interface Services {
  createNode(options: NodeOptions): Promise<MeshNode>
  control(dataDir: string): ControlClient
}

export function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTty: process.stdout.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    commandLine: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    onSignal(listener) {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      const orphaned = (): void => listener('SIGHUP')
      if (process.connected) process.on('disconnect', orphaned)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
        process.off('disconnect', orphaned)
      }
    },
    exit: (code) => process.exit(code),
  }
}
