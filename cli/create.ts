// `mesh create`: makes an actor before its first call, or one whose name was stopped again.

import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { UsageError } from './errors.ts'
import { parseActor, parseArgument } from './parse.ts'

interface Options extends CommonOptions {
  readonly options?: Readonly<Record<string, unknown>>
}

function parseOptions(text: string): Readonly<Record<string, unknown>> {
  const value = parseArgument(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new UsageError(`--options: "${text}" is not a JSON object; write for example '{"keepers":5}'`)
}

export const createCommand: CommandSpec = {
  usage: 'create <actor> [init...]',
  summary: 'Create an actor, also one whose name was stopped.',
  details: `<actor> is <type>/<name>. What never existed is created by its first call too; a stopped one only by this. The init arguments go to its constructor; each is JSON, a bare word is a string. The node must have the actor's class (--actors).

  mesh create Counter/visits
  mesh create Trainer/big --options '{"resources":{"gpu":2}}'`,
  options: (command) => {
    command.option('--options <json>', "in place of the class's options, for this actor only", parseOptions)
  },
  async run(run) {
    const { dataDir, options = {} } = run.options<Options>()
    const { type, name } = parseActor(argument(run, 0))
    const words = Array.isArray(run.args[1]) ? (run.args[1] as readonly string[]) : []
    await run.services.control(dataDir).createActor(type, name, words.map(parseArgument), options)
    run.print({ created: `${type}/${name}` }, () => `${type}/${name} is created\n`)
    return undefined
  },
}
