// Trials of a real mesh on this machine, with figures: what the tests show once, many times over, or for minutes.
//
//   node bench/trials.ts head-and-host --times 20     kill the head and the host of an actor at the same moment
//   node bench/trials.ts many-peers --peers 20        all see all, one head
//   node bench/trials.ts whole-mesh                   kill every peer and start them again; then with one disk wiped
//   node bench/trials.ts idle --minutes 10            memory, processor time and messages of a mesh at rest
//   node bench/trials.ts chaos --times 100 --minutes 2 --parallel 3 --clients 2 --pace 100 --first 1
//                                                     `mesh chaos` over many seeds, with totals
//
// --json prints the figures as JSON and nothing else to stdout. Exit 1 when something that must hold did not.

import { parseArgs } from 'node:util'
import { chaosSeeds } from './trials/chaos-seeds.ts'
import { headAndHost } from './trials/head-and-host.ts'
import { idle } from './trials/idle.ts'
import { manyPeers } from './trials/many-peers.ts'
import type { Outcome, Trial } from './trials/trial.ts'
import { wholeMesh } from './trials/whole-mesh.ts'

const TRIALS: Readonly<
  Record<string, { readonly peers: number; readonly run: (trial: Trial) => Promise<Outcome> }>
> = {
  'head-and-host': { peers: 5, run: headAndHost },
  'many-peers': { peers: 20, run: manyPeers },
  'whole-mesh': { peers: 5, run: wholeMesh },
  idle: { peers: 5, run: idle },
  chaos: { peers: 5, run: chaosSeeds },
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      times: { type: 'string', default: '20' },
      peers: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      first: { type: 'string', default: '1' },
      parallel: { type: 'string', default: '1' },
      clients: { type: 'string', default: '4' },
      pace: { type: 'string', default: '50' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [name = ''] = positionals
  const trial = TRIALS[name]
  if (trial === undefined || values.help) {
    process.stderr.write(
      `usage: trials.ts <${Object.keys(TRIALS).join('|')}> [--times n] [--peers n] [--minutes n] [--first seed] [--parallel n] [--clients n] [--pace ms] [--json]\n`,
    )
    process.exitCode = values.help ? 0 : 2
    return
  }
  const ends: (() => Promise<void>)[] = []
  const say = (line: string): void => void process.stderr.write(`${line}\n`)
  try {
    const outcome = await trial.run({
      times: Number(values.times),
      peers: Number(values.peers ?? trial.peers),
      minutes: Number(values.minutes),
      first: Number(values.first),
      parallel: Number(values.parallel),
      clients: Number(values.clients),
      pace: Number(values.pace),
      say,
      teardown: (end) => ends.push(end),
    })
    const text = values.json
      ? JSON.stringify({ trial: name, ...outcome }, null, 2)
      : Object.entries(outcome)
          .map(([figure, value]) => `${figure.padEnd(20)}${JSON.stringify(value)}`)
          .join('\n')
    process.stdout.write(`${text}\n`)
    process.exitCode = outcome.ok ? 0 : 1
  } finally {
    for (const end of ends) await end()
  }
}

await main()
