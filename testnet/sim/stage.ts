// A mesh with writes on every peer, under the checks of invariants.ts, for directed scenarios of registry and journals.

import type { PeerId } from '../../mesh/ids.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import type { JournalClass } from '../../mesh/registry/types.ts'
import type { MeshSettings } from '../../mesh/settings.ts'
import { Invariants } from './invariants.ts'
import { SimMesh } from './mesh.ts'
import { Oracle } from './oracle.ts'

export const replicated: JournalClass = { level: 'replicated', keepers: 3 }
export const synced: JournalClass = { level: 'synced', keepers: 3 }

export class Stage {
  readonly mesh: SimMesh
  readonly oracle: Oracle
  readonly invariants: Invariants
  readonly ids: PeerId[]
  /** Processes whose disk is not open yet. */
  readonly #opening = new Set<PeerId>()
  readonly seen: ((from: PeerId, to: PeerId, message: MeshMessage) => void)[] = []

  constructor(seed: number, size: number, journals = replicated, settings: Partial<MeshSettings> = {}) {
    this.oracle = new Oracle(journals)
    this.mesh = new SimMesh({
      seed,
      settings,
      onStart: (peer) => {
        this.#opening.delete(peer.id)
        this.oracle.watch(peer)
        this.invariants.watch(peer)
        this.mesh.clock.set(0, () => {
          if (this.mesh.peers.get(peer.id) === peer) this.oracle.write(this.mesh, peer)
        })
      },
    })
    this.invariants = new Invariants(this.mesh)
    const { trace } = this.mesh.network
    this.mesh.network.trace = (from, to, message) => {
      trace?.(from, to, message)
      for (const look of [...this.seen]) look(from, to, message)
    }
    this.ids = Array.from({ length: size }, (_, index) => this.mesh.name(index + 1))
  }

  /** Rejects when the process is ended before it is up. */
  async start(id: PeerId, found = false): Promise<void> {
    if (this.mesh.peers.has(id) || this.#opening.has(id)) return
    this.#opening.add(id)
    await this.mesh.start(id, found)
  }

  async begin(): Promise<this> {
    for (const [index, id] of this.ids.entries()) await this.start(id, index === 0)
    const keepers = this.ids.length >= 5 ? 5 : this.ids.length >= 3 ? 3 : 1
    await this.mesh.until('everybody is admitted and the registry is kept', () =>
      [...this.mesh.peers.values()].every(
        ({ driver }) => driver.admitted && driver.pointer?.keepers.length === keepers,
      ),
    )
    await this.mesh.clock.run(4000)
    return this
  }

  get driver() {
    return (id: PeerId) => this.mesh.peers.get(id)!.driver
  }
  get head(): PeerId {
    return [...this.mesh.peers.values()].find(({ driver }) => driver.isHead)!.id
  }
  get registry() {
    return [...this.mesh.peers.values()].find(({ driver }) => driver.isHead)!.driver.registry!
  }

  /** Everybody is back, every lost boot recovered, every peer's writes acknowledged, nothing broken. */
  async whole(): Promise<void> {
    const { mesh, oracle } = this
    mesh.network.heal()
    mesh.network.fate = undefined
    this.seen.length = 0
    for (const id of this.ids) {
      mesh.thaw(id)
      await this.start(id)
    }
    await mesh.until('everybody is admitted, every lost boot recovered', () =>
      [...mesh.peers.values()].every(
        ({ driver }) =>
          driver.admitted &&
          [...driver.registry!.boots.values()].filter(({ status }) => status !== 'dead').length ===
            mesh.peers.size,
      ),
    )
    const healed = mesh.clock.now
    await mesh.until('every peer has a write acknowledged', () =>
      [...mesh.peers.values()].every((peer) => (oracle.lastWrite.get(peer) ?? 0) > healed),
    )
    this.sound()
  }

  /** Nothing went wrong so far. */
  sound(): void {
    const wrong = [...this.invariants.broken, ...this.oracle.wrong, ...this.mesh.failures]
    if (wrong.length > 0) throw new Error(wrong.join('\n'))
  }
}

export const stage = (
  seed: number,
  size: number,
  journals = replicated,
  settings: Partial<MeshSettings> = {},
) => new Stage(seed, size, journals, settings).begin()
