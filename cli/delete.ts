// `mesh delete`: ends an actor and forgets it.

import { argument, type CommandSpec } from './command.ts'
import { parseActor } from './parse.ts'

export const deleteCommand: CommandSpec = {
  usage: 'delete <actor>',
  summary: 'End an actor with its state, and free its name.',
  details:
    '<actor> is <type>/<name>. Nothing of it is listed any more, and the next call under the name makes a new actor.',
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    await run.services.control(run.options().dataDir).deleteActor(type, name)
    run.print({ deleted: `${type}/${name}` }, () => `${type}/${name} is deleted\n`)
    return undefined
  },
}
