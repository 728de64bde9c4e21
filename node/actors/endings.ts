// Ends of actors as an app asks for them: a command to the head, and the wait until the registry says that it is done.

import { type ActorKey, actorKey } from '../../mesh/ids.ts'
import type { ActorEntry, Command } from '../../mesh/registry/types.ts'
import { BadInputError, MeshUnavailableError } from '../errors.ts'
import type { MeshHandle } from '../mesh-handle.ts'

export interface EndingsInit {
  readonly mesh: MeshHandle
  /** Resolves with true once the condition holds, with false when time is up or the node closes. */
  readonly until: (condition: () => boolean, timeoutMs: number) => Promise<boolean>
}

/** A host that is asked for the end of an actor and lost is found out, and recovered, within this time. */
const TIMEOUT_MS = 30_000

export class Endings {
  readonly #init: EndingsInit

  constructor(init: EndingsInit) {
    this.#init = init
  }

  stop(type: string, name: string, timeoutMs = TIMEOUT_MS): Promise<void> {
    const command = ({ key: actor, incarnation }: ActorEntry): Command => ({
      kind: 'stop',
      actor,
      incarnation,
    })
    return this.#end(actorKey(type, name), 'stopped', command, isOver, timeoutMs)
  }

  kill(type: string, name: string, restart: boolean, timeoutMs = TIMEOUT_MS): Promise<void> {
    const command = ({ key: actor, incarnation, epoch }: ActorEntry): Command => ({
      kind: 'kill',
      actor,
      incarnation,
      epoch,
      restart,
    })
    const isDone = (now: ActorEntry, { epoch, home }: ActorEntry): boolean =>
      isOver(now) || (restart && (now.epoch > epoch || home === null))
    return this.#end(actorKey(type, name), 'killed', command, isDone, timeoutMs)
  }

  delete(type: string, name: string, timeoutMs = TIMEOUT_MS): Promise<void> {
    const command = ({ key: actor, incarnation }: ActorEntry): Command => ({
      kind: 'delete',
      actor,
      incarnation,
    })
    return this.#end(actorKey(type, name), 'deleted', command, () => false, timeoutMs)
  }

  async #end(
    key: ActorKey,
    what: string,
    command: (before: ActorEntry) => Command,
    isDone: (now: ActorEntry, before: ActorEntry) => boolean,
    timeoutMs: number,
  ): Promise<void> {
    const { mesh, until } = this.#init
    await mesh.catchUp(timeoutMs)
    const before = mesh.registry?.actors.get(key)
    if (before === undefined)
      throw new BadInputError(`there is no actor ${key}: \`mesh actors\` lists those that exist`)
    const result = await mesh.command(command(before), timeoutMs)
    if (!result.ok) throw new BadInputError(`${key} can't be ${what}: ${result.detail}`)
    const over = (): boolean => {
      const now = mesh.registry?.actors.get(key)
      return now === undefined || now.incarnation !== before.incarnation || isDone(now, before)
    }
    if (await until(over, timeoutMs)) return
    throw new MeshUnavailableError(
      `${key} is being ${what}, and its host has not finished within ${timeoutMs} ms: it will be ${what} when the host has, or is lost`,
    )
  }
}

const isOver = ({ status }: ActorEntry): boolean => status.kind === 'stopped' || status.kind === 'dead'
