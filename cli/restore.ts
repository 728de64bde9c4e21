// `mesh restore`: has the state as of an earlier record become an actor's.

import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { parseActor, parseRecord } from './parse.ts'

export const restoreCommand: CommandSpec = {
  usage: 'restore <actor> <record>',
  summary: "Have an actor's state as of an earlier record become its state.",
  details:
    '<actor> is <type>/<name>; mesh history lists its records. It is written as a new record: nothing is erased, and calls that were answered stay answered.',
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    const record = parseRecord(argument(run, 1))
    const { dataDir } = run.options<CommonOptions>()
    const written = await run.services.control(dataDir).restore(type, name, record)
    const key = `${type}/${name}`
    run.print(
      { restored: key, record, written },
      () => `${key} is as of record ${record} again; that is its record ${written}\n`,
    )
    return undefined
  },
}
