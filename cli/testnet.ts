// `mesh testnet`: the demo on this machine, with live progress and a table at the end. Its subcommands are a testnet that stays.

import { type DemoResult, runDemo } from '../testnet/demo/demo.ts'
import type { CommandSpec, CommonOptions } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { LiveLines } from './live.ts'
import { parseCount } from './parse.ts'
import { downCommand, lsCommand, upCommand } from './testnet-background.ts'
import { withoutDump } from './testnet-errors.ts'
import { FAULT_COMMANDS } from './testnet-faults.ts'
import { logsCommand } from './testnet-logs.ts'
import { resultJson, resultText } from './testnet-text.ts'

interface Options extends CommonOptions {
  readonly peers: number
  readonly actors: number
  readonly seconds: number
  readonly rate: number
}

export const testnetCommand: CommandSpec = {
  usage: 'testnet',
  summary: 'Show it: kill peers of a mesh on this machine under load, and count what was lost.',
  details: `Starts peers in processes of their own and a steady load of durable calls, kills the busiest host (kill -9), then the head, brings both back, and compares what was acknowledged with what the actors hold. Exits 1 when a call was lost or applied twice, or an actor did not come back.

The commands below are for a testnet that stays in the background: "mesh testnet up" starts one, "mesh testnet down" ends it.`,
  subcommands: [upCommand, lsCommand, ...FAULT_COMMANDS, logsCommand, downCommand],
  options: (command) => {
    const counted = (flag: string, min: number, max: number) => (text: string) =>
      parseCount(text, flag, min, max)
    command
      .option('--peers <n>', 'peers, from 4', counted('--peers', 4, 30), 5)
      .option('--actors <n>', 'actors', counted('--actors', 1, 10_000), 50)
      .option('--seconds <n>', 'seconds of load beside the recoveries', counted('--seconds', 1, 3600), 20)
      .option('--rate <n>', 'calls per second, all peers together', counted('--rate', 1, 100_000), 250)
  },
  async run(run) {
    const { json, peers, actors, seconds, rate } = run.options<Options>()
    // JSON goes to stdout alone; a program that wants progress reads stderr.
    const live = new LiveLines(json ? run.io.err : run.io.out, run.io.isTty && !json)
    const ends: (() => Promise<void>)[] = []
    const stopListening = run.io.onSignal(() => {
      void Promise.all(ends.map((end) => end())).finally(() => run.io.exit(EXIT.interrupted))
    })
    let result: DemoResult
    try {
      result = await runDemo({
        peers,
        actors,
        seconds,
        rate,
        teardown: (end) => void ends.push(end),
        onProgress: ({ waiting, ...progress }) =>
          live.show({ ...progress, notes: waiting > 0 ? [`${waiting} actors not back yet`] : [] }),
      })
    } catch (error) {
      throw withoutDump(error)
    } finally {
      live.end()
      stopListening()
    }
    run.print(resultJson(result), () => resultText(result))
    return result.ok ? EXIT.ok : EXIT.failed
  },
}
