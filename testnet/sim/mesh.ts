// A whole mesh in one process: real core, real driver, virtual time, in-memory disks.

import { MemoryDisk } from '../../checkpoint/memory-disk.ts'
import { openMemoryStore } from '../../checkpoint/memory-store.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { MeshEvent } from '../../mesh/effect.ts'
import { type PeerId, peerId } from '../../mesh/ids.ts'
import { defaultMeshSettings, type MeshSettings } from '../../mesh/settings.ts'
import { MeshDriver } from '../../node/driver.ts'
import { PeerClock, VirtualClock } from './clock.ts'
import { SimNetwork } from './network.ts'
import { randomHex, seededRandom } from './random.ts'

export interface SimPeer {
  readonly id: PeerId
  readonly disk: MemoryDisk
  readonly clock: PeerClock
  readonly driver: MeshDriver
  readonly store: LogStore
  readonly events: MeshEvent[]
  frozen: boolean
  readonly held: (() => void)[]
}

export interface SimOptions {
  readonly seed: number
  readonly settings?: Partial<MeshSettings>
  readonly types?: readonly string[]
  /** Every message and every write takes its mean time: a run that people can read. Default: all within their limits. */
  readonly steady?: boolean
  /** Called with each new process, to put actors on it. */
  readonly onStart?: (peer: SimPeer) => void
  readonly onEvent?: (peer: PeerId, event: MeshEvent) => void
}

export class SimMesh {
  readonly clock = new VirtualClock()
  readonly random: () => number
  readonly network: SimNetwork
  readonly peers = new Map<PeerId, SimPeer>()
  readonly failures: string[] = []
  readonly #disks = new Map<PeerId, MemoryDisk>()
  readonly #options: SimOptions
  readonly #delays: () => number

  constructor(options: SimOptions) {
    this.#options = options
    this.random = seededRandom(options.seed)
    this.#delays = options.steady ? () => 0.5 : this.random
    this.network = new SimNetwork(this.clock, this.#delays)
    const maintain = () => {
      this.network.maintain()
      this.clock.set(1000, maintain)
    }
    this.clock.set(1000, maintain)
  }

  /** Every disk there is, those of stopped peers too. */
  get disks(): ReadonlyMap<PeerId, MemoryDisk> {
    return this.#disks
  }

  name(index: number): PeerId {
    return peerId(`peer-${String(index).padStart(2, '0')}`)
  }

  /** Starts a peer on its disk; the first one ever founds the mesh. */
  async start(id: PeerId, found = false): Promise<SimPeer> {
    const disk = this.#disks.get(id) ?? new MemoryDisk(id)
    this.#disks.set(id, disk)
    const schedule = (run: () => void) => {
      const peer = this.peers.get(id)
      if (peer?.frozen) peer.held.push(run)
      else run()
    }
    let alive = true
    const clock = new PeerClock(this.clock, schedule, 1_700_000_000_000)
    const hex = () => randomHex(this.random)
    const opening = openMemoryStore({
      disk,
      random: hex,
      schedule: (operation, done) => {
        const delay = operation === 'sync' || operation === 'persist' ? 3 : 0.4
        this.clock.set(delay * (0.5 + this.#delays()), () => alive && schedule(done))
      },
    })
    const store = await this.#settle(opening)
    const events: MeshEvent[] = []
    const driver = new MeshDriver({
      self: id,
      store,
      clock,
      random: { id: hex, number: this.random },
      settings: { ...defaultMeshSettings, ...this.#options.settings },
      found,
      onEvent: (event) => {
        events.push(event)
        this.#options.onEvent?.(id, event)
        if (event.kind === 'deposed') this.network.reboot(id)
      },
      onFatal: (error) => {
        this.failures.push(`${id} failed: ${error.message}`)
        this.kill(id)
      },
    })
    const peer: SimPeer = { id, disk, clock, driver, store, events, frozen: false, held: [] }
    peer.clock.onStop = () => {
      alive = false
    }
    this.peers.set(id, peer)
    const network = this.network.attach({
      peer: id,
      boot: () => driver.boot,
      listener: driver,
      schedule,
      wanted: new Set(this.#joinTo(id)),
    })
    this.#options.onStart?.(peer)
    const types = this.#options.types ?? ['Counter']
    await this.#settle(
      driver.start(network, {
        name: id,
        store: store.facts.storeId,
        addresses: network.addresses(),
        labels: {},
        types,
        canHost: true,
        canKeep: true,
      }),
    )
    this.network.maintain()
    return peer
  }

  kill(id: PeerId, loseUnsynced = false): void {
    const peer = this.peers.get(id)
    if (!peer) return
    this.peers.delete(id)
    peer.clock.stop()
    peer.driver.stop()
    this.network.detach(id)
    peer.disk.crash({ loseUnsynced })
  }

  wipe(id: PeerId): void {
    this.kill(id)
    this.#disks.get(id)?.wipe()
  }

  freeze(id: PeerId): void {
    const peer = this.peers.get(id)
    if (peer) peer.frozen = true
  }

  thaw(id: PeerId): void {
    const peer = this.peers.get(id)
    if (!peer) return
    peer.frozen = false
    for (const run of peer.held.splice(0)) run()
  }

  /** Runs until `done` holds; throws with every peer's view where it does not in time. */
  async until(what: string, done: () => boolean, ms = 60_000): Promise<void> {
    if (done() || (await this.clock.run(ms, done))) return
    throw new Error(`not within ${ms} ms of virtual time: ${what}\n${this.dump()}`)
  }

  /** Waits for a promise while virtual time passes. */
  async await<Result>(promise: Promise<Result>, ms = 60_000): Promise<Result> {
    let state: { value: Result } | { error: unknown } | undefined
    promise.then(
      (value) => {
        state = { value }
      },
      (error: unknown) => {
        state = { error }
      },
    )
    await this.until('a promise settles', () => state !== undefined, ms)
    const settled = state!
    if ('error' in settled) throw settled.error
    return settled.value
  }

  dump(): string {
    const lines = [...this.peers.values()].map(({ id, driver, frozen, store }) => {
      const { pointer, registry } = driver
      const members = driver.members().map((member) => `${member.peer}:${member.liveness}`)
      const journals = [...(registry?.journals.values() ?? [])].map(
        (journal) =>
          `${journal.order}@${journal.boot.slice(0, 10)}:${journal.status.kind}[${journal.keepers.map(({ peer }) => peer)}]`,
      )
      const boots = [...(registry?.boots.values() ?? [])].map(
        (boot) => `${boot.boot.slice(0, 12)}:${boot.status}`,
      )
      return [
        `${id}${frozen ? ' FROZEN' : ''} boot ${driver.boot} term ${pointer?.term} writer ${pointer?.writer} head ${driver.isHead} admitted ${driver.admitted}`,
        `  members ${members.join(' ')}`,
        `  boots ${boots.join(' ')}`,
        `  journals ${journals.join(' ')}`,
        `  store ${store.facts.storeId.slice(0, 6)} registry keepers ${pointer?.keepers.map(({ peer, store: of }) => `${peer}#${of.slice(0, 6)}`).join(' ')}`,
        `  stores ${[...(registry?.peers.values() ?? [])].map((entry) => `${entry.peer}#${entry.store.slice(0, 6)}`).join(' ')}`,
        `  recoveries ${[...driver.recoveries()].join(' | ')}`,
      ].join('\n')
    })
    return [`now ${this.clock.now}`, ...this.failures, ...lines].join('\n')
  }

  #joinTo(id: PeerId): PeerId[] {
    return [...this.peers.keys()].filter((other) => other !== id)
  }

  async #settle<Result>(promise: Promise<Result>): Promise<Result> {
    return this.await(promise)
  }
}
