// `mesh invite`: what another peer needs to join.

import type { CommandSpec } from './command.ts'
import { inviteCommandLine, nextDataDir } from './node-text.ts'

export const inviteCommand: CommandSpec = {
  usage: 'invite',
  summary: 'Print the command that adds another peer.',
  details:
    'Give the new peer --actors as well if it shall run some. The invite carries the secret of the mesh: hand it over as you would a password.',
  async run(run) {
    const { dataDir } = run.options()
    const client = run.services.control(dataDir)
    const [invite, members] = await Promise.all([client.invite(), client.members()])
    const next = nextDataDir(members, dataDir)
    run.print({ invite }, () => `${inviteCommandLine(invite, run.io.env, undefined, next)}\n`)
    return undefined
  },
}
