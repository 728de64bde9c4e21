// `mesh recover`: past the journals of a lost boot whose majority is lost for good.

import type { RecoverOutcome } from '../node/api.ts'
import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { count, printable } from './output.ts'
import { describeReports } from './reports.ts'

interface Options extends CommonOptions {
  readonly acceptLoss: boolean
}

/** Actors named one by one before the loss is accepted. */
const MAX_NAMED = 20

export const recoverCommand: CommandSpec = {
  usage: 'recover <boot>',
  summary: 'Give up what is missing of a lost peer, after a majority of its keepers was lost for good.',
  details: `<boot> is a boot, or the name or ID of its peer; "mesh status" says which ones wait for keepers. Its actors go on from what the keepers that are here still have, and each is reported. Without --accept-loss it says what would be done, and does nothing.`,
  options: (command) => {
    command.option('--accept-loss', 'do it: what no keeper that is here still has is lost', false)
  },
  async run(run) {
    const { dataDir, acceptLoss } = run.options<Options>()
    const outcome = await run.services.control(dataDir).recover(argument(run, 0), acceptLoss)
    run.print(outcome, () => describe(outcome))
    return outcome.done ? undefined : EXIT.usage
  },
}

function describe({ boot, peer, actors, waitingFor, done, reports }: RecoverOutcome): string {
  if (done) return describeReports(reports, new Map([[peer.peerId, peer.name]]), true)
  const more = actors.length > MAX_NAMED ? `, and ${actors.length - MAX_NAMED} more` : ''
  const named = actors.slice(0, MAX_NAMED).map(printable).join(', ')
  return [
    `boot ${boot} of ${printable(peer.name)}${waitingFor === '' ? '' : `: ${printable(waitingFor)}`}`,
    `${count(actors.length, 'actor')} concerned${actors.length > 0 ? `: ${named}${more}` : ''}`,
    'Each would go on from the last record that a keeper which is here has: calls acknowledged after that are lost.',
    'If one of the missing peers may come back with its disk, start it instead: with a majority nothing is lost.',
    `Nothing was done. To go on: mesh recover ${boot} --accept-loss`,
    '',
  ].join('\n')
}
