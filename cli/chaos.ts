// `mesh chaos`: a mesh on this machine under random faults, judged by the histories of its clients.

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ChaosProgress, type ChaosResult, runChaos } from '../testnet/chaos/chaos.ts'
import { page } from '../testnet/chaos/page.ts'
import { FAULT_KINDS, type FaultKind, NETNS_FAULT_KINDS } from '../testnet/chaos/plan.ts'
import { summarise } from '../testnet/chaos/summary.ts'
import type { Promised } from '../testnet/chaos/workload.ts'
import { canLosePackets, netnsCommand, netnsEnvironment } from '../testnet/packets/netns.ts'
import { runAgain } from './again.ts'
import { chaosText } from './chaos-text.ts'
import type { CommandSpec, CommonOptions, Run } from './command.ts'
import { UsageError } from './errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { LiveLines, type LiveState } from './live.ts'
import { loadActors } from './load-actors.ts'
import { parseCount, parseDuration, parseNames } from './parse.ts'
import { withoutDump } from './testnet-errors.ts'

interface Options extends CommonOptions {
  readonly peers: number
  /** Milliseconds. */
  readonly time: number
  readonly faults?: readonly FaultKind[]
  readonly netns: boolean
  readonly seed: number
  readonly workload: string
  readonly workloadModule?: string
  readonly actors?: string
  readonly clients: number
  readonly pace: number
  readonly gap: number
  readonly report?: string
}

const BUILT_IN = 'counter,append,kv,bank'

export const chaosCommand: CommandSpec = {
  usage: 'chaos',
  summary: 'Attack it: random faults on a mesh on this machine, with a checker that reads the histories.',
  details: `Starts peers in processes of their own with proxies between them, and clients that work on actors. Kills, freezes, cuts and wipes as the seed says, heals everything, and judges what the clients were told: nothing acknowledged is lost, nothing happened twice, and each actor's answers fit one order that real time allows. Exits 1 when a promise was broken or something did not come back.`,
  options: (command) => {
    const counted = (flag: string, min: number, max: number) => (text: string) =>
      parseCount(text, flag, min, max)
    const timed = (flag: string) => (text: string) => parseDuration(text, flag)
    command
      .option('--peers <n>', 'peers, from 3', counted('--peers', 3, 30), 5)
      .option('--time <duration>', 'how long faults happen, for example 30s or 2m', timed('--time'), 60_000)
      .option(
        '--faults <kinds>',
        `of ${NETNS_FAULT_KINDS.join(', ')}; all when left out, packet-loss only with --netns`,
        (text: string) => parseNames(text, '--faults', NETNS_FAULT_KINDS),
      )
      .option('--netns', 'in a network namespace of its own (Linux), in which packets can be lost', false)
      .option('--seed <n>', 'decides which faults happen when', counted('--seed', 0, 2 ** 31), 1)
      .option('--workload <names>', 'what the clients do', BUILT_IN)
      .option('--workload-module <file>', 'your own workloads (docs/chaos.md); needs --actors')
      .option('--actors <file>', 'the actors of your own workloads')
      .option('--clients <n>', 'per peer', counted('--clients', 1, 1000), 4)
      .option('--pace <duration>', 'between two operations of a client, on average', timed('--pace'), 50)
      .option('--gap <duration>', 'between two faults, on average', timed('--gap'), 4000)
      .option('--report <file>', 'write the report as an HTML page')
  },
  async run(run) {
    const options = run.options<Options>()
    const { json, report, time, netns, gap, pace, clients, seed, peers } = options
    const faults = options.faults ?? (netns ? NETNS_FAULT_KINDS : FAULT_KINDS)
    if (!netns && faults.includes('packet-loss'))
      throw new UsageError('--faults: packet-loss takes a network namespace of its own; add --netns')
    const own = await ownWorkloads(run, options)
    if (netns && !canLosePackets()) return runInNetns(run)
    const live = new LiveLines(json ? run.io.err : run.io.out, run.io.isTty && !json)
    const ends: (() => Promise<void>)[] = []
    const stopListening = run.io.onSignal(() => {
      void Promise.all(ends.map((end) => end())).finally(() => run.io.exit(EXIT.interrupted))
    })
    if (!json) run.io.out(`seed ${seed}\n`)
    let result: ChaosResult
    try {
      result = await runChaos({
        ...own,
        peers,
        seconds: time / 1000,
        seed,
        kinds: faults,
        clientsPerPeer: clients,
        paceMs: pace,
        gapMs: gap,
        teardown: (end) => void ends.push(end),
        onProgress: (progress) => live.show(stateOf(progress)),
      })
    } catch (error) {
      throw withoutDump(error)
    } finally {
      live.end()
      stopListening()
    }
    const summary = summarise(result)
    if (report !== undefined) writeFileSync(resolve(run.io.cwd, report), page(summary))
    run.print(summary, () => chaosText(summary))
    return result.ok ? EXIT.ok : EXIT.failed
  },
}

/** @throws UsageError that names what is missing */
function runInNetns({ io }: Run): Promise<ExitCode> {
  const found = netnsCommand()
  if ('missing' in found)
    throw new UsageError(`--netns: no network namespace that loses packets can be had: ${found.missing}`)
  return runAgain(io, found.command, netnsEnvironment(io.env))
}

async function ownWorkloads(
  run: Run,
  { workload, workloadModule, actors }: Options,
): Promise<{ workloads: readonly string[]; workloadModule?: string; actorModule?: string }> {
  const url = (file: string): string => pathToFileURL(resolve(run.io.cwd, file)).href
  if ((workloadModule === undefined) !== (actors === undefined))
    throw new UsageError('--workload-module and --actors go together: one calls the actors of the other')
  if (workloadModule === undefined || actors === undefined) {
    return { workloads: parseNames(workload, '--workload', BUILT_IN.split(',')) }
  }
  await loadActors(actors, run.io.cwd) // what is wrong with it is said before processes are started
  return {
    workloads: workload === BUILT_IN ? [] : workload.split(','),
    workloadModule: url(workloadModule),
    actorModule: url(actors),
  }
}

const LAMPS: readonly (readonly [Promised, string])[] = [
  ['lost', 'nothing lost'],
  ['twice', 'nothing twice'],
  ['order', 'one order'],
  ['conserved', 'sums conserved'],
]

function stateOf({ active, broken, faults, failed, ...progress }: ChaosProgress): LiveState {
  const lamps = LAMPS.map(([promise, text]) => `${broken.includes(promise) ? '✗' : '●'} ${text}`)
  const now = active.map(({ kind, peers }) => (peers.length === 0 ? kind : `${kind} ${peers.join(', ')}`))
  return {
    ...progress,
    notes: [...(failed > 0 ? [`${failed} with an error`] : []), `${faults} faults`],
    lines: [`        ${lamps.join('   ')}`, `        now: ${now.join('; ') || 'no fault'}`],
  }
}
