// `mesh testnet up`, `ls`, `down`: a mesh on this machine that stays in the background, to work with.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { BackgroundTestnet, upInBackground } from '../testnet/background/client.ts'
import type { BackgroundPeer, BackgroundStatus } from '../testnet/background/wire.ts'
import { DEMO_ACTORS } from '../testnet/testnet.ts'
import type { CommandSpec, CommonOptions, Run } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { loadActors } from './load-actors.ts'
import { count, printable, table } from './output.ts'
import { parseCount } from './parse.ts'
import { withoutDump } from './testnet-errors.ts'

/** Where a testnet is when neither --dir nor MESH_TESTNET_DIR says otherwise. */
const DEFAULT_DIR = './mesh-testnet'

interface Options extends CommonOptions {
  readonly dir?: string
}

export const dirOption = (command: Command): Command =>
  command.option('--dir <dir>', `the testnet's directory; also MESH_TESTNET_DIR (default: "${DEFAULT_DIR}")`)

export const testnetDir = (run: Run): string =>
  resolve(run.io.cwd, run.options<Options>().dir ?? (run.io.env['MESH_TESTNET_DIR'] || DEFAULT_DIR))

export const testnetOf = (run: Run): BackgroundTestnet => new BackgroundTestnet(testnetDir(run))

export const upCommand: CommandSpec = {
  usage: 'up',
  summary: 'Start a testnet that stays in the background.',
  details: `Every peer is a process with a data directory of its own in --dir, where the other commands of "mesh" reach it: mesh status --data-dir <dir>/peer-0. All of it ends, files too, with "mesh testnet down".`,
  options: (command) => {
    dirOption(command)
      .option('--peers <n>', 'peers', (text: string) => parseCount(text, '--peers', 1, 30), 5)
      .option(
        '--actors <module>',
        'a .js or .ts module with actors (default: Ledger and Counter of the demo)',
      )
  },
  async run(run) {
    const { peers, actors } = run.options<Options & { readonly peers: number; readonly actors?: string }>()
    const dir = testnetDir(run)
    if (actors !== undefined) await loadActors(actors, run.io.cwd) // what is wrong with it is said here
    const ends: (() => Promise<void>)[] = []
    const stopListening = run.io.onSignal(() => {
      void Promise.all(ends.map((end) => end())).finally(() => run.io.exit(EXIT.interrupted))
    })
    try {
      const status = await upInBackground({
        dir,
        peers,
        actors: actors === undefined ? DEMO_ACTORS : pathToFileURL(resolve(run.io.cwd, actors)).href,
        teardown: (end) => void ends.push(end),
      })
      run.print(status, () => `${textOf(status)}\nTry: mesh status --data-dir ${status.peers[0]?.dataDir}\n`)
    } catch (error) {
      throw withoutDump(error)
    } finally {
      stopListening()
    }
    return undefined
  },
}

export const lsCommand: CommandSpec = {
  usage: 'ls',
  summary: "List a testnet's peers and its cut links.",
  options: (command) => void dirOption(command),
  async run(run) {
    const status = await testnetOf(run).status()
    run.print(status, () => textOf(status))
    return undefined
  },
}

export const downCommand: CommandSpec = {
  usage: 'down',
  summary: 'End a testnet, with all its files.',
  options: (command) => void dirOption(command),
  async run(run) {
    const dir = testnetDir(run)
    const what = await testnetOf(run).down()
    run.print({ down: dir }, () =>
      what === 'ended' ? `${dir} is down\n` : `${dir} had been killed; what was left is removed\n`,
    )
    return undefined
  },
}

function textOf({ dir, peers, cuts }: BackgroundStatus): string {
  const peersText = table(peers, [
    { title: 'peer', value: ({ name }) => name },
    { title: 'process', value: ({ pid }) => pid ?? '', align: 'right' },
    { title: 'state', value: stateOf },
    { title: 'sees', value: ({ sees }) => (sees === undefined ? '' : count(sees, 'peer')), align: 'right' },
    { title: 'actors', value: ({ actors }) => actors ?? '', align: 'right' },
    { title: 'data directory', value: ({ dataDir }) => dataDir },
  ])
  const cut = cuts.map(({ from, to }) => `${from} → ${to}`)
  return `${printable(dir)}\n${peersText}${cut.length > 0 ? `cut: ${cut.join(', ')}\n` : ''}`
}

function stateOf({ process, isHead, sees }: BackgroundPeer): string {
  if (process !== 'running') return process === 'frozen' ? 'frozen' : `stopped (${process})`
  if (sees === undefined) return 'does not answer'
  return isHead ? 'running, head' : 'running'
}
