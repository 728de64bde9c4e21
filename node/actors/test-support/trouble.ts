// What goes wrong in a fake mesh, at random, one thing at a time: never so much that a majority is missing for good.

import type { ActorKey } from '../../../mesh/ids.ts'
import type { ActorClass } from '../types.ts'
import type { FakeMesh } from './fake-mesh.ts'

export interface TroubleInit {
  readonly mesh: FakeMesh
  readonly random: () => number
  readonly peers: readonly string[]
  /** Peers whose processes go on: their calls are what is tested. */
  readonly callers: readonly string[]
  readonly actors: readonly ActorKey[]
  readonly types: readonly ActorClass[]
}

export class Trouble {
  readonly #init: TroubleInit
  readonly #down = new Set<string>()
  #cut: string | undefined

  constructor(init: TroubleInit) {
    this.#init = init
  }

  async next(): Promise<void> {
    const { mesh, random, peers, callers, actors, types } = this.#init
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const kind = random()
    const others = peers.filter((name) => !callers.includes(name))
    if (kind < 0.3 && this.#down.size === 0 && this.#cut === undefined) {
      const name = pick(others)
      this.#down.add(name)
      mesh.crash(name)
    } else if (kind < 0.5 && this.#down.size > 0) {
      const [name] = this.#down
      this.#down.delete(name!)
      await mesh.start(name!, types)
    } else if (kind < 0.6 && this.#down.size === 0 && this.#cut === undefined) {
      this.#cut = pick(others)
      mesh.isolate(this.#cut)
    } else if (kind < 0.75 && this.#cut !== undefined) {
      this.#cut = undefined
      mesh.heal()
    } else if (kind < 0.85) {
      const entry = mesh.registry.actors.get(pick(actors))
      if (entry !== undefined) {
        void mesh
          .node(callers[0]!)
          .peer.command({ kind: 'move', actor: entry.key, epoch: entry.epoch })
          .catch(() => {})
      }
    } else {
      const name = pick(peers.filter((each) => !this.#down.has(each) && each !== this.#cut))
      if (kind < 0.95) void mesh.roll(name).catch(() => {})
      else if (!callers.includes(name)) mesh.depose(name)
    }
  }

  /** Everybody is back and reaches everybody. */
  async end(): Promise<void> {
    const { mesh, types } = this.#init
    mesh.heal()
    for (const name of this.#down) await mesh.start(name, types)
    this.#down.clear()
  }
}
