// Runs a command line in this process, with what it prints captured and, if wanted, a fake node behind it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { NodeOptions } from '../../node/api.ts'
import { ControlClient } from '../../node/control/client.ts'
import { startControlServer } from '../../node/control/server.ts'
import { FakeNode } from '../../node/control/test-support/fake-node.ts'
import type { Io, Services } from '../io.ts'
import { run } from '../main.ts'

export interface CliRun {
  readonly exit: Promise<number>
  readonly out: () => string
  readonly err: () => string
  readonly signal: () => void
  /** Codes that the command ended the process with. */
  readonly exits: readonly number[]
}

export interface CliSetup {
  readonly node?: FakeNode
  readonly isTty?: boolean
  readonly env?: Io['env']
  readonly cwd?: string
  readonly createNode?: (options: NodeOptions) => Promise<FakeNode>
}

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'cli-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function startCli(argv: readonly string[], setup: CliSetup = {}): CliRun {
  const printed = { out: '', err: '' }
  const exits: number[] = []
  let listener: (signal: string) => void = () => {}
  const io: Io = {
    out: (text) => {
      printed.out += text
    },
    err: (text) => {
      printed.err += text
    },
    isTty: setup.isTty ?? false,
    env: setup.env ?? {},
    cwd: setup.cwd ?? process.cwd(),
    commandLine: [],
    onSignal: (added) => {
      listener = added
      return () => {
        listener = () => {}
      }
    },
    exit: (code) => {
      exits.push(code)
    },
  }
  const services: Services = {
    createNode: setup.createNode ?? (() => Promise.reject(new Error('this test has no createNode'))),
    control: (dataDir) => new ControlClient(dataDir),
  }
  return {
    exit: run(argv, io, services),
    out: () => printed.out,
    err: () => printed.err,
    signal: () => listener('SIGINT'),
    exits,
  }
}

/** Runs a command to its end; with a node, `--data-dir` is its directory. */
export async function cli(
  argv: readonly string[],
  setup: CliSetup = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const run = startCli(
    [...argv, ...(setup.node === undefined ? [] : ['--data-dir', setup.node.dataDir])],
    setup,
  )
  const code = await run.exit
  return { code, out: run.out(), err: run.err() }
}

/** A fake node whose control socket is up. */
export async function fakeNode(): Promise<FakeNode> {
  const node = new FakeNode(tempDir())
  const server = await startControlServer(node)
  onTestFinished(() => server.close())
  return node
}
