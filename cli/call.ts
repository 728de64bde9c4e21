// `mesh call`: one call of an actor's method through the running node.

import { argument, type CommandSpec, type CommonOptions } from './command.ts'
import { parseActor, parseArgument, parseDuration } from './parse.ts'

interface Options extends CommonOptions {
  readonly timeout?: number
}

export const callCommand: CommandSpec = {
  usage: 'call <actor> <method> [args...]',
  summary: "Call an actor's method and print its result.",
  details: `<actor> is <type>/<name>; it is created by its first call. Each argument is JSON; a bare word is a string. Put -- before an argument that starts with a dash and is no number. The result is printed as JSON.

  mesh call Counter/visits increment 2
  mesh call Basket/42 add '{"sku": "A1", "n": 3}' express`,
  options: (command) => {
    command.option('--timeout <time>', 'give up after this long, for example 5s (default 30s)', (text) =>
      parseDuration(text, '--timeout'),
    )
  },
  async run(run) {
    const { dataDir, timeout } = run.options<Options>()
    const words = Array.isArray(run.args[2]) ? (run.args[2] as readonly string[]) : []
    const call = {
      ...parseActor(argument(run, 0)),
      method: argument(run, 1),
      args: words.map(parseArgument),
      ...(timeout !== undefined && { timeoutMs: timeout }),
    }
    const result = await run.services.control(dataDir).call(call)
    run.print({ result: result ?? null }, () =>
      result === undefined ? 'done (no result)\n' : `${JSON.stringify(result, null, 2)}\n`,
    )
    return undefined
  },
}
