// `mesh stop`: ends an actor for good.

import { argument, type CommandSpec } from './command.ts'
import { parseActor } from './parse.ts'

export const stopCommand: CommandSpec = {
  usage: 'stop <actor>',
  summary: 'End an actor for good, with its state.',
  details:
    '<actor> is <type>/<name>. Calls of it fail from then on; `mesh create` makes a new one under the name.',
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    await run.services.control(run.options().dataDir).stopActor(type, name)
    run.print({ stopped: `${type}/${name}` }, () => `${type}/${name} is stopped\n`)
    return undefined
  },
}
