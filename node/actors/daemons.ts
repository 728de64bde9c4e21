// Daemons: actors that every peer which can run them has one of, named by the peer's ID, and that live nowhere else.
//
//  D1 A daemon is pinned to the peer that its name says, in its options in the registry: where that is not there, it waits.
//  D2 Each boot of a peer makes those of its daemons that are not in the registry, once it is admitted. What was stopped is
//     there, and stays stopped; what was deleted is not.

import { type ActorKey, actorKey, type BootId, nameOfActor, peerId, typeOfActor } from '../../mesh/ids.ts'
import { hasLabels } from '../../mesh/placement-candidates.ts'
import type { ActorOptions, RegistryState } from '../../mesh/registry/types.ts'
import { BadInputError } from '../errors.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { Backoff } from './timing.ts'
import type { TypeInfo } from './type-info.ts'

const PAUSE_FIRST_MS = 100
const PAUSE_MOST_MS = 5000

/**
 * What goes into the registry for an actor of that name (D1). Throws BadInputError where a daemon's name is none of a
 * peer; a peer that left is none any more.
 */
export function optionsFor(
  { name: type, options, daemon }: TypeInfo,
  name: string,
  registry: RegistryState | undefined,
): ActorOptions {
  if (!daemon) return options
  if (registry?.peers.has(peerId(name)) !== true)
    throw new BadInputError(
      `${type} is a daemon: there is one on each peer, named by the peer's ID, and ${JSON.stringify(name)} is the ID of no peer that is in the mesh. node.daemons(${type}) has them all`,
    )
  return { ...options, placement: { ...options.placement, peer: peerId(name) } }
}

/** Peers with a daemon of that type, as the registry has them: also those that are away. */
export const daemonsIn = (registry: RegistryState | undefined, type: string): string[] =>
  [...(registry?.actors.values() ?? [])]
    .filter(({ key, options, status }) => {
      const isOver = status.kind === 'stopped' || status.kind === 'dead'
      return typeOfActor(key) === type && options.placement?.peer !== undefined && !isOver
    })
    .map(({ key }) => nameOfActor(key))

export interface DaemonsInit {
  readonly mesh: MeshHandle
  readonly clock: Clock
  readonly types: readonly TypeInfo[]
  /** One attempt: why it did not work out, or the empty string. */
  readonly create: (type: TypeInfo, name: string) => Promise<string>
  readonly closed: () => boolean
}

export class Daemons {
  readonly #init: DaemonsInit
  readonly #types: readonly TypeInfo[]
  /** The boot that has made its own, or is at it. */
  #boot: BootId | undefined

  constructor(init: DaemonsInit) {
    this.#init = init
    this.#types = init.types.filter(({ daemon }) => daemon)
  }

  registryChanged(): void {
    const { mesh } = this.#init
    if (this.#types.length === 0 || this.#boot === mesh.boot || !mesh.admitted) return
    this.#boot = mesh.boot
    for (const type of this.#types) void this.#make(type, mesh.boot)
  }

  async #make(type: TypeInfo, boot: BootId): Promise<void> {
    const { mesh, clock, closed, create } = this.#init
    const pause = new Backoff(PAUSE_FIRST_MS, PAUSE_MOST_MS)
    while (!closed() && mesh.boot === boot && this.#isWanted(type)) {
      try {
        if ((await create(type, mesh.self)) === '') return
      } catch {
        // Not admitted any more: the next boot tries.
      }
      await new Promise<void>((resolve) => clock.setTimer(pause.next(), resolve))
    }
  }

  /** D2 */
  #isWanted({ name, options }: TypeInfo): boolean {
    const { mesh } = this.#init
    const key: ActorKey = actorKey(name, mesh.self)
    const self = mesh.registry?.peers.get(mesh.self)
    if (self === undefined || mesh.registry?.actors.has(key) === true) return false
    const hasKey = mesh.registry?.keyId === self.keyId
    return self.canHost && !self.leaving && hasKey && hasLabels(self.labels, options.labels)
  }
}
