// `mesh create`: makes an actor before its first call, or one whose name was stopped again.

import { argument, type CommandSpec } from './command.ts'
import { parseActor, parseArgument } from './parse.ts'

export const createCommand: CommandSpec = {
  usage: 'create <actor> [init...]',
  summary: 'Create an actor, also one whose name was stopped.',
  details: `<actor> is <type>/<name>. What never existed is created by its first call too; a stopped one only by this. The init arguments go to its constructor; each is JSON, a bare word is a string. The node must have the actor's class (--actors).

  mesh create Counter/visits`,
  async run(run) {
    const { type, name } = parseActor(argument(run, 0))
    const words = Array.isArray(run.args[1]) ? (run.args[1] as readonly string[]) : []
    await run.services.control(run.options().dataDir).createActor(type, name, words.map(parseArgument))
    run.print({ created: `${type}/${name}` }, () => `${type}/${name} is created\n`)
    return undefined
  },
}
