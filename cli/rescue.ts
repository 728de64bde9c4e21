// `mesh rescue`: past a registry whose majority is lost for good.

import type { RescueOutcome } from '../node/api.ts'
import type { CommandSpec, CommonOptions } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { count, printable } from './output.ts'
import { describeReports } from './reports.ts'

interface Options extends CommonOptions {
  readonly acceptLoss: boolean
}

export const rescueCommand: CommandSpec = {
  usage: 'rescue',
  summary: 'Go on without the majority of the registry, after it was lost for good.',
  details: `For one chosen peer, when the disks of a majority of the peers that kept the registry are gone. Start every peer that still has its disk first: the longest copy among them is taken. Without --accept-loss it says what would be done, and does nothing. Run it on one peer only: two rescues that do not know of each other make two meshes, which are never merged.`,
  options: (command) => {
    command.option('--accept-loss', 'do it: what no peer that is here still has is lost', false)
  },
  async run(run) {
    const { dataDir, acceptLoss } = run.options<Options>()
    const client = run.services.control(dataDir)
    const outcome = await client.rescue(acceptLoss)
    const members = outcome.done ? await client.members() : []
    const names = new Map(members.map(({ peerId, name }) => [peerId, name]))
    run.print(outcome, () => describe(outcome, names))
    return outcome.done ? undefined : EXIT.usage
  },
}

function describe(outcome: RescueOutcome, names: ReadonlyMap<string, string>): string {
  const { holder, keepers, missing, records, done, reports } = outcome
  const copy = `${count(records, 'record')} of the newest term, as ${printable(holder.name)} has them`
  if (done)
    return `the registry was rescued: it goes on from ${copy}\n\n${describeReports(reports, names, false)}`
  return [
    `${missing.length} of the ${count(keepers.length, 'peer')} that kept the registry are not here: ${missing.map(({ name }) => printable(name)).join(', ')}`,
    `The longest copy that is here: ${copy}.`,
    'A rescue goes on from it. Lost is what was committed after that: actors created, moved or stopped, peers admitted.',
    'Calls that were acknowledged may be lost where a majority of the keepers of an actor is gone as well. Every actor is reported.',
    'If one of the missing peers may come back with its disk, start it instead: with a majority nothing is lost.',
    'Nothing was done. To go on: mesh rescue --accept-loss',
    '',
  ].join('\n')
}
