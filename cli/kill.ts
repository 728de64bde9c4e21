// `mesh kill`: ends an actor's present life at once.

import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { parseActor } from './parse.ts'

interface Options extends CommonOptions {
  readonly restart: boolean
}

export const killCommand: CommandSpec = {
  usage: 'kill <actor>',
  summary: "End an actor's present life at once; it starts again from its log.",
  details:
    '<actor> is <type>/<name>. What it does at the moment is dropped; what it acknowledged stays. It counts as a restart. With --no-restart its calls fail from then on.',
  options: (command) => {
    command.option('--no-restart', 'end it for good')
  },
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    const { dataDir, restart } = run.options<Options>()
    await run.services.control(dataDir).killActor(type, name, restart)
    const text = restart ? 'is killed, and starts again' : 'is killed'
    run.print({ killed: `${type}/${name}`, restart }, () => `${type}/${name} ${text}\n`)
    return undefined
  },
}
