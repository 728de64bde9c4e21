// `mesh fork`: makes a new actor with the state of another one.

import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { parseActor, parseRecord } from './parse.ts'

interface Options extends CommonOptions {
  readonly record?: string
}

export const forkCommand: CommandSpec = {
  usage: 'fork <actor> <name>',
  summary: 'Make a new actor of the same type with the state of an actor.',
  details: '<actor> is <type>/<name>. The new one has the state and nothing else: no alarms, no sends.',
  options: (command) => {
    command.option('--record <record>', 'the state as of that record; otherwise as it is')
  },
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    const as = argument(run, 1)
    const { dataDir, record: text } = run.options<Options>()
    const record = text === undefined ? undefined : parseRecord(text)
    await run.services.control(dataDir).fork({ type, name, as, ...(record !== undefined && { record }) })
    const at = record === undefined ? '' : ` as of record ${record}`
    run.print(
      { forked: `${type}/${name}`, as: `${type}/${as}` },
      () => `${type}/${as} is made of ${type}/${name}${at}\n`,
    )
    return undefined
  },
}
