// `mesh actors`: every actor of the mesh, where it is and who keeps its state.

import type { ActorStatus } from '../node/api.ts'
import type { CommandSpec, CommonOptions } from './command.ts'
import { type Column, table } from './output.ts'

interface Options extends CommonOptions {
  readonly type?: string
  readonly all: boolean
}

export const actorsCommand: CommandSpec = {
  usage: 'actors',
  summary: 'List the actors of the mesh.',
  options: (command) => {
    command
      .option('--type <type>', 'only actors of this type')
      .option('--all', 'stopped and dead ones too', false)
  },
  async run(run) {
    const { dataDir, type, all } = run.options<Options>()
    const actors = (await run.services.control(dataDir).actors()).filter(
      (actor) =>
        (type === undefined || actor.type === type) && (all || !['stopped', 'dead'].includes(actor.status)),
    )
    run.print(actors, () => (actors.length === 0 ? 'no actors\n' : table(actors, COLUMNS)))
    return undefined
  },
}

const COLUMNS: readonly Column<ActorStatus>[] = [
  { title: 'actor', value: (actor) => `${actor.type}/${actor.name}` },
  { title: 'state', value: (actor) => actor.status },
  { title: 'host', value: (actor) => actor.peer?.name ?? '-' },
  { title: 'restarts', value: (actor) => actor.restarts, align: 'right' },
  { title: 'keepers', value: (actor) => actor.keepers.map((keeper) => keeper.name).join(' ') },
  { title: 'durability', value: (actor) => actor.durability },
  { title: 'cause', value: (actor) => actor.cause ?? '' },
]
