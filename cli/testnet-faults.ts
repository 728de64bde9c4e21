// `mesh testnet kill`, `freeze`, `thaw`, `start`, `cut`, `heal`: what can happen to the peers of a testnet, and its end.

import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { parsePeer } from './parse.ts'
import { dirOption, testnetOf } from './testnet-background.ts'

/** A command for one peer. `done`: what is the case afterwards. */
const forPeer = (name: 'kill' | 'freeze' | 'thaw', summary: string, done: string): CommandSpec => ({
  usage: `${name} <peer>`,
  summary,
  options: (command) => void dirOption(command),
  async run(run) {
    const peer = parsePeer(argument(run, 0))
    await testnetOf(run)[name](peer)
    run.print({ [done]: peer }, () => `peer ${peer} is ${done}\n`)
    return undefined
  },
})

const start: CommandSpec = {
  usage: 'start <peer>',
  summary: 'Start a peer that was killed, with the disk it had.',
  options: (command) => {
    dirOption(command).option('--wipe', 'as a new peer, with an empty disk', false)
  },
  async run(run) {
    const peer = parsePeer(argument(run, 0))
    const { wipe } = run.options<CommonOptions & { readonly wipe: boolean }>()
    await testnetOf(run).start(peer, wipe)
    run.print({ started: peer }, () => `peer ${peer} is started\n`)
    return undefined
  },
}

const cut: CommandSpec = {
  usage: 'cut <from> <to>',
  summary: 'Cut the link between two peers.',
  details: 'What is sent into it arrives when it is healed, as after a cable was pulled.',
  options: (command) => {
    dirOption(command).option('--one-way', 'only what goes from the first to the second', false)
  },
  async run(run) {
    const [from, to] = [parsePeer(argument(run, 0)), parsePeer(argument(run, 1))]
    const { oneWay } = run.options<CommonOptions & { readonly oneWay: boolean }>()
    await testnetOf(run).cut(from, to, oneWay)
    run.print({ cut: { from, to, oneWay } }, () => `cut: ${from} ${oneWay ? '→' : '↔'} ${to}\n`)
    return undefined
  },
}

const heal: CommandSpec = {
  usage: 'heal',
  summary: 'Mend every link.',
  options: (command) => void dirOption(command),
  async run(run) {
    await testnetOf(run).heal()
    run.print({ healed: true }, () => 'every link is whole\n')
    return undefined
  },
}

export const FAULT_COMMANDS: readonly CommandSpec[] = [
  forPeer('kill', 'Kill a peer (kill -9).', 'killed'),
  start,
  forPeer('freeze', 'Freeze a peer (SIGSTOP): it is there, and does nothing.', 'frozen'),
  forPeer('thaw', 'Let a frozen peer go on (SIGCONT).', 'thawed'),
  cut,
  heal,
]
