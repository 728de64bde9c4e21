// `mesh leave`: the running node hands its actors over and ends.

import type { CommandSpec } from './command.ts'

export const leaveCommand: CommandSpec = {
  usage: 'leave',
  summary: 'Have the running node hand its actors over to the others and end.',
  details:
    'The same as Ctrl-C in its terminal. The data directory stays: started again, the peer is welcome.',
  async run(run) {
    const client = run.services.control(run.options().dataDir)
    const { name } = await client.status()
    await client.leave()
    run.print({ left: name }, () => `${name} has left the mesh\n`)
    return undefined
  },
}
