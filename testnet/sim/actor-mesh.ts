// A simulated mesh with an actor runtime on every peer, for directed scenarios: says where an actor lives, moves it, and
// lets a test see, drop or repeat the frames of calls.

import type { Cipher } from '../../checkpoint/cipher.ts'
import { type ActorKey, actorKey, type BootId, type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import type { ActorEntry, JournalEntry, RegistryState } from '../../mesh/registry/types.ts'
import type { MeshSettings } from '../../mesh/settings.ts'
import type { Frame } from '../../node/actors/frames.ts'
import { KV_TYPE } from '../../node/actors/kv-shard.ts'
import { createRuntime, type Runtime } from '../../node/actors/runtime.ts'
import type { AlarmFailed, SendFailed } from '../../node/actors/runtime-events.ts'
import type { ActorClass } from '../../node/actors/types.ts'
import type { MeshHandle } from '../../node/mesh-handle.ts'
import { Ledger, type Listed, SyncedLedger } from './ledger.ts'
import { SimMesh, type SimOptions, type SimPeer } from './mesh.ts'
import { seededRandom } from './random.ts'
import { overcommitted } from './room.ts'
import { SimThreads } from './sim-thread.ts'

export interface SentFrame {
  readonly from: PeerId
  readonly boot: BootId
  readonly to: PeerId
  readonly frame: Frame
}

export interface ActorMeshOptions {
  readonly seed?: number
  readonly settings?: Partial<MeshSettings>
  /** Without a call for this long actors are passivated. Default: never. */
  readonly idleMs?: number
  /** Classes under the names of the ledgers, with other options. */
  readonly types?: readonly ActorClass[]
  readonly describe?: SimOptions['describe']
  /** The key that a peer has, looked at whenever it starts. */
  readonly cipher?: (id: PeerId) => Cipher | undefined
}

export class ActorMesh {
  readonly #options: ActorMeshOptions
  readonly mesh: SimMesh
  readonly runtimes = new Map<PeerId, Runtime>()
  /** For types with isolation. */
  readonly threads = new Map<PeerId, SimThreads>()
  readonly ids: readonly PeerId[]
  /** What runtimes told of sends and alarms. */
  readonly failed: (SendFailed | AlarmFailed)[] = []
  /** Sees every frame of a call before it is sent; false drops it. */
  onFrame: (sent: SentFrame) => boolean = () => true
  /** False: what a peer asked about journals is not answered. */
  onRestore: (asker: PeerId) => boolean = () => true

  private constructor(options: ActorMeshOptions, mesh: (self: ActorMesh) => SimMesh, peers: number) {
    this.#options = options
    this.mesh = mesh(this)
    this.ids = Array.from({ length: peers }, (_, index) => this.mesh.name(index))
  }

  /** All admitted, every journal keeper settled. */
  static async of(peers: number, options: ActorMeshOptions = {}): Promise<ActorMesh> {
    const made = new ActorMesh(
      options,
      (self) =>
        new SimMesh({
          seed: options.seed ?? 1,
          types: [KV_TYPE, 'Ledger', 'SyncedLedger'],
          ...(options.settings ? { settings: options.settings } : {}),
          describe: (id) => ({ ...options.describe?.(id), ...described(options.cipher?.(id)) }),
          onStart: (peer) => self.#start(peer),
        }),
      peers,
    )
    for (const [index, id] of made.ids.entries()) await made.mesh.start(id, index === 0)
    await made.mesh.until('everybody is admitted', () => made.live.every(({ driver }) => driver.admitted))
    await made.mesh.clock.run(6000)
    return made
  }

  get live(): SimPeer[] {
    return [...this.mesh.peers.values()]
  }
  get head(): PeerId {
    return this.live.find(({ driver }) => driver.isHead)!.id
  }
  /** The registry of whoever is head, or of the peer asked for. */
  registry(at = this.head): RegistryState {
    return this.mesh.peers.get(at)!.driver.registry!
  }
  entry(name: string, at?: PeerId): ActorEntry | undefined {
    return this.registry(at).actors.get(this.key(name))
  }
  key(name: string): ActorKey {
    return name.startsWith('synced') ? actorKey('SyncedLedger', name) : actorKey('Ledger', name)
  }
  /** Throws while it has no home. */
  home(name: string, at?: PeerId): PeerId {
    return peerOfBoot(this.entry(name, at)!.home!)
  }
  journals(name: string): JournalEntry[] {
    const { home } = this.entry(name)!
    return [...this.registry().journals.values()].filter(({ boot }) => boot === home)
  }
  /** Peers that keep the newest journal of the actor's host. */
  keepers(name: string): PeerId[] {
    return this.journals(name)
      .at(-1)!
      .keepers.map(({ peer }) => peer)
  }
  others(...but: PeerId[]): PeerId[] {
    return this.ids.filter((id) => !but.includes(id) && this.mesh.peers.has(id))
  }

  send(
    from: PeerId,
    name: string,
    method: string,
    args: unknown[] = [],
    timeoutMs = 60_000,
  ): Promise<unknown> {
    const [type] = this.key(name).split('/')
    const promise = this.runtimes.get(from)!.call(type!, name, method, args, { timeoutMs })
    promise.catch(() => {}) // whoever waits for it handles it
    return promise
  }
  call<Result>(from: PeerId, name: string, method: string, ...args: unknown[]): Promise<Result> {
    return this.mesh.await(this.send(from, name, method, args), 90_000) as Promise<Result>
  }
  async tokens(from: PeerId, name: string): Promise<readonly string[]> {
    return (await this.call<Listed>(from, name, 'all')).tokens
  }

  async move(name: string, to: PeerId): Promise<void> {
    const { key: actor, epoch } = this.entry(name)!
    const at = this.mesh.peers.get(this.head)!
    await this.mesh.await(at.driver.command({ kind: 'move', actor, epoch, to }))
    await this.mesh.until(`${name} is at ${to}`, () => this.#isAt(name, to))
  }
  /** Makes it there, or moves it there; its state is in its host's journal, and nowhere else. */
  async place(name: string, at: PeerId, token: string): Promise<void> {
    await this.call(at, name, 'add', token)
    if (this.home(name) !== at) await this.move(name, at)
    await this.settled(name)
  }
  async settled(name: string): Promise<void> {
    await this.mesh.until(
      `${name} is copied into its host's journal`,
      () => this.entry(name)!.base > 0 || this.#wroteAtOnce(name),
    )
  }

  /** Nothing passes between the two groups, in both directions. */
  split(some: readonly PeerId[], rest: readonly PeerId[]): void {
    for (const a of some)
      for (const b of rest) {
        if (a === b) continue
        this.mesh.network.cut(a, b)
        this.mesh.network.cut(b, a)
      }
  }
  async recovered(boot: BootId): Promise<void> {
    const done = () =>
      this.live.some(
        ({ driver, frozen }) =>
          !frozen && driver.isHead && driver.registry?.boots.get(boot)?.status === 'dead',
      )
    await this.mesh.until(`${boot} is recovered`, done)
  }
  /** What every scenario ends with: nothing went wrong beside what it looks at. */
  end(): void {
    if (this.mesh.failures.length > 0) throw new Error(this.mesh.failures.slice(0, 5).join('\n'))
  }
  boot(id: PeerId): BootId {
    return this.mesh.peers.get(id)!.driver.boot
  }
  /** Delivers a frame again, as a network that duplicated it would. */
  repeat({ from, boot, frame }: SentFrame, to: PeerId): void {
    this.mesh.peers.get(to)!.driver.service(from, boot, { service: 'call', body: frame })
  }

  /** Never anywhere else, so nothing has to be copied. */
  #wroteAtOnce(name: string): boolean {
    return this.entry(name)!.sources.length === 0 && this.journals(name).length > 0
  }

  #isAt(name: string, peer: PeerId): boolean {
    const entry = this.mesh.peers.get(peer)?.driver.registry?.actors.get(this.key(name))
    return entry?.home != null && peerOfBoot(entry.home) === peer && entry.status.kind === 'running'
  }

  #start(peer: SimPeer): void {
    const types = this.#options.types ?? [Ledger, SyncedLedger]
    const threads = new SimThreads(types, peer.clock, seededRandom(this.#options.seed ?? 1))
    this.threads.set(peer.id, threads)
    const runtime = createRuntime({
      mesh: this.#watched(peer),
      store: peer.store,
      clock: peer.clock,
      types,
      startThread: threads.start,
      limits: { idleMs: this.#options.idleMs ?? 0 },
      ...withCipher(this.#options.cipher?.(peer.id)),
      events: {
        sendFailed: (event) => void this.failed.push(event),
        alarmFailed: (event) => void this.failed.push(event),
      },
    })
    this.runtimes.set(peer.id, runtime)
    peer.driver.onRegistry((state) => this.mesh.failures.push(...unreadable(state), ...overcommitted(state)))
  }

  #watched({ id, driver }: SimPeer): MeshHandle {
    return new Proxy<MeshHandle>(driver, {
      get: (target, property) => {
        if (property === 'sendService')
          return (to: PeerId, sent: { service: string; body: unknown }) => {
            const frame = { from: id, boot: driver.boot, to, frame: sent.body as Frame }
            if (sent.service === 'call' && !this.onFrame(frame)) return true
            if (sent.service === 'restored' && !this.onRestore(to)) return true
            return driver.sendService(to, sent)
          }
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

const described = (cipher: Cipher | undefined) => (cipher ? { keyId: cipher.keyId } : {})
const withCipher = (cipher: Cipher | undefined) => (cipher ? { cipher } : {})

/** Sources that the registry does not know any more: nothing can be read from them (I9). */
export function unreadable({ actors, journals }: RegistryState): string[] {
  return [...actors.values()].flatMap(({ key, sources }) =>
    sources
      .filter(({ journal }) => !journals.has(journal))
      .map(({ journal }) => `${key} needs ${journal}, which is gone`),
  )
}
