// A whole mesh in one process: real core, real driver, virtual time, in-memory disks.

import { type Crash, MemoryDisk } from '../../checkpoint/memory-disk.ts'
import { type MemoryOperation, openMemoryStore } from '../../checkpoint/memory-store.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { MeshEvent } from '../../mesh/effect.ts'
import { hash53 } from '../../mesh/hash.ts'
import { type PeerId, peerId } from '../../mesh/ids.ts'
import type { PeerDescription } from '../../mesh/membership/types.ts'
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
  /** False: messages are handed over as they are, and not through the bytes of the wire. Default true. */
  readonly wire?: boolean
  /** Every message and every write takes its mean time: a run that people can read. Default: all within their limits. */
  readonly steady?: boolean
  /** What a peer has beside its name. */
  readonly describe?: (id: PeerId) => Partial<Pick<PeerDescription, 'labels' | 'resources' | 'keyId'>>
  /** Called with each new process, to put actors on it. */
  readonly onStart?: (peer: SimPeer) => void
  readonly onEvent?: (peer: PeerId, event: MeshEvent) => void
}

/** What a simulated disk takes, in milliseconds: half to one and a half times this. */
const SYNC_MS = 3
const WRITE_MS = 0.4

/** Something that had to happen did not. The whole mesh is in the stack, below the message. */
export class NotInTime extends Error {
  readonly what: string
  constructor(what: string, dump: string) {
    super(`${what}\n${dump}`)
    this.what = what
  }
}

export const nameOf = (index: number): PeerId => peerId(`peer-${String(index).padStart(2, '0')}`)

export class SimMesh {
  readonly clock = new VirtualClock()
  readonly random: () => number
  readonly network: SimNetwork
  readonly peers = new Map<PeerId, SimPeer>()
  readonly failures: string[] = []
  /** Sees every operation of a peer's disk as it takes effect; it may end the peer. */
  onDiskOperation: ((id: PeerId, operation: MemoryOperation) => void) | undefined
  /** A store failed or found itself to be a copy; without it that is a failure of the run. */
  onFatal: ((id: PeerId, error: Error) => void) | undefined
  /** How many times slower than usual a peer's disk is. */
  readonly diskSlowness = new Map<PeerId, number>()
  readonly #disks = new Map<PeerId, MemoryDisk>()
  readonly #starting = new Set<PeerId>()
  readonly #options: SimOptions
  readonly #delays: () => number
  readonly #starts = new Map<PeerId, number>()

  constructor(options: SimOptions) {
    this.#options = options
    this.random = seededRandom(options.seed)
    this.#delays = options.steady ? () => 0.5 : this.random
    this.network = new SimNetwork(this.clock, this.#delays, options.wire)
    const maintain = () => {
      this.network.maintain()
      this.clock.set(1000, maintain)
    }
    this.clock.set(1000, maintain)
  }

  /** In a steady run what one part draws does not change what another gets: the same logs and boots, whoever draws more. */
  #draws(by: string): () => number {
    if (!this.#options.steady) return this.random
    return seededRandom(hash53(by, this.#options.seed) % 2 ** 32)
  }

  /** Every disk there is, those of stopped peers too. */
  get disks(): ReadonlyMap<PeerId, MemoryDisk> {
    return this.#disks
  }

  name(index: number): PeerId {
    return nameOf(index)
  }

  /** Starts a peer on its disk while virtual time passes; the first one ever founds the mesh. */
  start(id: PeerId, found = false): Promise<SimPeer> {
    return this.await(this.begin(id, found))
  }

  /** True from the start of a process until its disk is open; until then it can't be ended. */
  isStarting(id: PeerId): boolean {
    return this.#starting.has(id)
  }

  /** Starts a peer; virtual time has to pass for it to come up. */
  async begin(id: PeerId, found = false): Promise<SimPeer> {
    this.#starting.add(id)
    const disk = this.#disks.get(id) ?? new MemoryDisk(id)
    this.#disks.set(id, disk)
    const schedule = (run: () => void) => {
      const peer = this.peers.get(id)
      // What waits since a freeze comes first.
      if (peer && (peer.frozen || peer.held.length > 0)) peer.held.push(run)
      else run()
    }
    let alive = true
    const clock = new PeerClock(this.clock, schedule, 1_700_000_000_000)
    const starts = (this.#starts.get(id) ?? 0) + 1
    this.#starts.set(id, starts)
    const draws = (what: string) => this.#draws(`${what} of start ${starts} of ${id}`)
    const storeDraws = draws('store')
    const bootDraws = draws('ids')
    const opening = openMemoryStore({
      disk,
      random: () => randomHex(storeDraws),
      schedule: (operation, done) => {
        const usual = operation === 'sync' || operation === 'persist' ? SYNC_MS : WRITE_MS
        const delay = usual * (this.diskSlowness.get(id) ?? 1)
        this.clock.set(delay * (0.5 + this.#delays()), () => {
          if (alive) this.onDiskOperation?.(id, operation)
          if (alive) schedule(done)
        })
      },
    })
    const store = await opening
    this.#starting.delete(id)
    const events: MeshEvent[] = []
    const driver = new MeshDriver({
      self: id,
      store,
      clock,
      random: { id: () => randomHex(bootDraws), number: draws('chance') },
      settings: { ...defaultMeshSettings, ...this.#options.settings },
      found,
      onEvent: (event) => {
        events.push(event)
        this.#options.onEvent?.(id, event)
        if (event.kind === 'deposed') this.network.reboot(id)
      },
      onFatal: (error) => {
        if (this.onFatal) this.onFatal(id, error)
        else this.failures.push(`${id} failed: ${error.message}`)
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
    await driver.start(network, {
      name: id,
      store: store.facts.storeId,
      addresses: network.addresses(),
      labels: {},
      types,
      ...this.#options.describe?.(id),
      canHost: true,
      canKeep: true,
    })
    this.network.maintain()
    return peer
  }

  /** The process ends; what else is lost with it is up to `crash`. */
  kill(id: PeerId, crash: boolean | Crash = false): void {
    const peer = this.peers.get(id)
    if (!peer) return
    this.peers.delete(id)
    peer.clock.stop()
    peer.driver.stop()
    this.network.detach(id)
    peer.disk.crash(typeof crash === 'boolean' ? { loseUnsynced: crash } : crash)
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
    this.#takeUp(peer)
  }

  /** One event after the other, as an event loop takes up what has queued. */
  #takeUp(peer: SimPeer): void {
    if (peer.held.length === 0) return
    this.clock.set(0, () => {
      if (this.peers.get(peer.id) !== peer || peer.frozen) return
      peer.held.shift()?.()
      this.#takeUp(peer)
    })
  }

  /** Runs until `done` holds; throws with every peer's view where it does not in time. */
  async until(what: string, done: () => boolean, ms = 60_000): Promise<void> {
    if (done() || (await this.clock.run(ms, done))) return
    throw new NotInTime(`not within ${ms} ms of virtual time: ${what}`, this.dump())
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
        `  recoveries ${[...driver.recoveries()].map(([boot, { waitingFor }]) => `${boot}: ${waitingFor}`).join(' | ')}`,
      ].join('\n')
    })
    return [`now ${this.clock.now}`, ...this.failures, ...lines].join('\n')
  }

  #joinTo(id: PeerId): PeerId[] {
    return [...this.peers.keys()].filter((other) => other !== id)
  }
}
