// One simulated mesh under a profile: its peers come and go, its faults begin and end. What each fault does is in
// faults.ts; this is the ground they stand on, and the way back to health.

import { Cipher } from '../../../checkpoint/cipher.ts'
import type { Crash, DiskImage } from '../../../checkpoint/memory-disk.ts'
import { type BootId, type LogKey, type PeerId, peerOfBoot } from '../../../mesh/ids.ts'
import type { Keeper } from '../../../mesh/log-types.ts'
import { majority } from '../../../mesh/quorum.ts'
import type { ActorEntry } from '../../../mesh/registry/types.ts'
import { KV_TYPE } from '../../../node/actors/kv-shard.ts'
import { Invariants } from '../invariants.ts'
import { nameOf, SimMesh, type SimPeer } from '../mesh.ts'
import type { Fate } from '../network.ts'
import { Oracle } from '../oracle.ts'
import { seededRandom } from '../random.ts'
import { decidedSets, outlivesLossOf } from './budget.ts'
import { KvWork } from './kv-work.ts'
import { offers } from './placing.ts'
import type { FaultKind, Profile } from './profile.ts'
import { type Named, Workload } from './workload.ts'

/** Base peers are numbered from here, so that some can join with lower IDs. */
const FIRST = 10

/** Not the one that founds the mesh, which decides on its key. */
const KEYLESS = nameOf(FIRST + 1)

/** The same ones for a seed, whoever asks. */
function bytesFrom(seed: number): (size: number) => Uint8Array {
  const random = seededRandom(seed ^ 0x27c1)
  return (size) => Uint8Array.from({ length: size }, () => Math.floor(random() * 256))
}

/** Ends a peer at the n-th thing it does from now on. */
interface Trap {
  readonly at: 'disk' | 'message'
  readonly peer: PeerId
  left: number
  readonly crash: () => Crash
}

export class World {
  readonly profile: Profile
  readonly mesh: SimMesh
  readonly random: () => number
  readonly work: Workload
  /** Undefined where the key-value store is left alone. */
  readonly kv: KvWork | undefined
  readonly invariants: Invariants
  readonly oracle: Oracle
  readonly counts: Partial<Record<FaultKind, number>> = {}
  /** Everybody who takes part. */
  readonly ids: PeerId[] = []
  /** Left in good order and stays away. */
  readonly departed = new Set<PeerId>()
  readonly leaving = new Set<PeerId>()
  /** Shares of what is sent that have each fate at present. */
  readonly share = { lost: 0, again: 0, late: 0 }
  /** States of disks to go back to, with the boot under which each was taken. */
  readonly images = new Map<PeerId, { readonly image: DiskImage; readonly boot: BootId }>()
  /** Peers on an old state of their disk, which must find that out. */
  readonly outdated = new Set<PeerId>()
  /** Called with each new process, beside the checkers of this world. */
  onStarted: (peer: SimPeer) => void = () => {}
  readonly #trace: (line: string) => void
  readonly #cipher: Cipher | undefined
  readonly #lasting = new Set<() => void>()
  readonly #traps = new Set<Trap>()

  constructor(seed: number, profile: Profile, trace: (line: string) => void) {
    this.profile = profile
    this.#trace = trace
    this.random = seededRandom(seed ^ 0xfa017)
    const peers = Array.from({ length: profile.peers }, (_, index) => nameOf(FIRST + index))
    this.#cipher = profile.encrypted ? new Cipher(new Uint8Array(32).fill(7), bytesFrom(seed)) : undefined
    const able = peers.filter((id) => this.#cipherOf(id) === this.#cipher)
    this.work = new Workload(profile, seededRandom(seed ^ 0x0a11), able)
    this.kv = profile.kv ? new KvWork(profile, seededRandom(seed ^ 0x0b22)) : undefined
    // Another class than that of the actors, whose journals hold nothing but their records.
    this.oracle = new Oracle({
      level: profile.durability === 'replicated' ? 'replicated' : 'synced',
      keepers: 5,
    })
    this.mesh = new SimMesh({
      seed,
      settings: profile.settings,
      types: [KV_TYPE, 'DaemonLedger', 'Ledger', 'SyncedLedger'],
      wire: profile.wire,
      describe: (id) => {
        const cipher = this.#cipherOf(id)
        return {
          ...offers(this.work.demand, Number(id.slice(-2))),
          ...(cipher && { keyId: cipher.keyId }),
        }
      },
      onStart: (peer) => this.#started(peer),
    })
    this.invariants = new Invariants(this.mesh)
    this.oracle.onAcknowledged = (...block) => this.invariants.acknowledged(...block)
    this.mesh.onFatal = (id, error) => this.#fatal(id, error)
    this.mesh.onDiskOperation = (id) => this.#spring('disk', id)
    const { network } = this.mesh
    network.maxDelayMs = profile.delayMs
    const check = network.trace
    network.trace = (from, to, message) => {
      check?.(from, to, message)
      this.#spring('message', from)
    }
    network.onDelivery = (_from, to) => this.#spring('message', to)
    network.chaos = () => this.#fate()
  }

  get live(): SimPeer[] {
    return [...this.mesh.peers.values()]
  }
  /** Whose homes change by moves and kills. */
  get movable(): readonly Named[] {
    return [...this.work.actors, ...(this.kv?.shards ?? [])]
  }
  get now(): number {
    return this.mesh.clock.now
  }

  say(text: string): void {
    this.#trace(`${this.now.toFixed(1)} ${text}`)
  }
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)]
  }
  between(least: number, most: number): number {
    return least + this.random() * (most - least)
  }

  /** All base peers at once; the first founds the mesh. */
  async start(): Promise<void> {
    for (let index = 0; index < this.profile.peers; index++)
      this.join(this.mesh.name(FIRST + index), index === 0)
    await this.mesh.until('everybody is admitted', () => this.#isComplete() && this.#areAdmitted())
  }

  join(id: PeerId, found = false): void {
    this.ids.push(id)
    this.boot(id, found)
  }

  /** Starts the peer's process unless it runs. */
  boot(id: PeerId, found = false): void {
    if (this.mesh.peers.has(id) || this.mesh.isStarting(id) || this.departed.has(id)) return
    this.mesh.begin(id, found).catch((error: Error) => {
      this.#fatal(id, error)
      this.mesh.kill(id)
    })
  }

  crash(id: PeerId, crash: Crash): void {
    const peer = this.mesh.peers.get(id)
    if (!peer) return
    this.images.set(id, { image: peer.disk.image(), boot: peer.driver.boot })
    if (crash.loseUnsynced) this.invariants.remember(peer.disk)
    this.mesh.kill(id, crash)
    this.say(`${id} ends ${JSON.stringify(crash)}`)
    // Some come back at once, some later, some when everything is healed.
    const draw = this.random()
    if (draw < 0.7) this.mesh.clock.set(draw < 0.3 ? draw * 300 : draw * 6000, () => this.boot(id))
  }

  /** The disk, with everything on it, is replaced by an empty one. */
  replace(id: PeerId): void {
    const disk = this.mesh.disks.get(id)
    if (disk) this.invariants.remember(disk)
    this.mesh.wipe(id)
    this.images.delete(id)
    this.outdated.delete(id)
    this.say(`${id} has an empty disk`)
    this.mesh.clock.set(this.between(0, 1000), () => this.boot(id))
  }

  /** An older state of the disk is put back. The process that runs on it must find that out. */
  goBack(id: PeerId, image: DiskImage): void {
    this.mesh.kill(id)
    const disk = this.mesh.disks.get(id)!
    this.invariants.remember(disk)
    disk.restore(image)
    if (disk.storeId) this.invariants.wentBack(disk.storeId)
    this.outdated.add(id)
    this.boot(id)
  }

  /** Ends the peer at one of the next things its disk or its network does. */
  trap(at: Trap['at'], peer: PeerId, left: number, crash: () => Crash): void {
    this.#traps.add({ at, peer, left, crash })
  }

  /** Calls `end` after a while, or when everything is healed. */
  lasting(ms: number, end: () => void): void {
    const once = (): void => {
      if (this.#lasting.delete(once)) end()
    }
    this.#lasting.add(once)
    this.mesh.clock.set(ms, once)
  }

  /** No fault goes on, and whoever belongs to the mesh runs. */
  heal(): void {
    for (const end of [...this.#lasting]) end()
    this.#traps.clear()
    this.mesh.network.heal()
    for (const id of this.ids) {
      this.mesh.thaw(id)
      this.boot(id)
    }
  }

  /** Heals, and waits until all are there and every lost boot is recovered. */
  async recover(ms: number): Promise<void> {
    this.heal()
    await this.mesh.until('whoever was leaving has left', () => this.leaving.size === 0, ms)
    this.heal()
    await this.mesh.until(
      'everybody is admitted, every lost boot recovered',
      () => this.#isComplete() && this.#areAdmitted() && this.#areRecovered(),
      ms,
    )
  }

  /**
   * True when every log keeps a majority of whole copies without this disk, those included that only few know of yet
   * (budget.ts). What G1 promises ends where this does.
   */
  mayLose(id: PeerId): boolean {
    const keys = new Set(this.live.map(({ driver }) => driver.pointer?.key))
    const pointer = this.live[0]?.driver.pointer
    const isCalm = this.#isComplete() && this.#areAdmitted() && this.#areRecovered() && keys.size === 1
    if (!isCalm || !pointer || pointer.keepers.length < 3 || this.live.some(({ frozen }) => frozen))
      return false
    const head = this.live.find(({ driver }) => driver.isHead)
    if (!head) return false
    const keeps = (log: LogKey, keepers: readonly Keeper[]): boolean =>
      keepers.filter((keeper) => keeper.peer !== id && this.#isWhole(log, keeper)).length >=
      majority(keepers.length)
    return (
      keeps(pointer.key, pointer.keepers) &&
      this.live.every(({ driver }) =>
        [...driver.registry!.journals.values()].every(({ key, keepers }) => keeps(key, keepers)),
      ) &&
      decidedSets(this.mesh, pointer, this.invariants.committed(pointer.key)).every(({ key, keepers }) =>
        keeps(key, keepers),
      ) &&
      outlivesLossOf(id, head, this.leaving)
    )
  }

  /** Every violation seen so far. */
  wrong(): readonly string[] {
    return [
      ...this.mesh.failures,
      ...this.invariants.broken,
      ...this.oracle.wrong,
      ...this.work.history.wrong,
      ...(this.kv?.wrong ?? []),
      ...[...this.outdated].map((id) => `${id} runs on an old state of its disk and does not know it`),
    ]
  }

  /** What should be gone in a mesh that has been whole for a while. */
  leftovers(): readonly string[] {
    const registry = this.live[0]?.driver.registry
    const ended = [...(registry?.journals.values() ?? [])].filter(
      ({ boot }) => registry?.boots.get(boot)?.status === 'dead',
    )
    const unsettled = [...(registry?.actors.values() ?? [])].filter(
      ({ status }) => status.kind === 'moving' || status.kind === 'stopping',
    )
    return [
      ...this.invariants.leaks(),
      ...ended.map(({ key, boot }) => `journal ${key} of ${boot}, which is over`),
      ...unsettled.map(({ key, status }) => `${key} is ${status.kind}`),
      ...this.#misplaced().map(({ key, home }) => `${key} is pinned to the head and on ${home}`),
    ]
  }

  /** Every process ends, so that nothing of this run is left to happen. */
  async end(): Promise<void> {
    for (const id of this.ids) this.mesh.kill(id)
    for (const runtime of this.work.runtimes.values()) runtime.close()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** All have the key but one, which keeps copies all the same, and may be head. */
  #cipherOf(id: PeerId): Cipher | undefined {
    return id === KEYLESS ? undefined : this.#cipher
  }

  #misplaced(): readonly ActorEntry[] {
    const head = this.live.find(({ driver }) => driver.isHead)?.driver
    const actors = [...(head?.registry?.actors.values() ?? [])]
    return actors.filter(
      ({ options, status, home }) =>
        options.placement?.home === 'head' && status.kind === 'running' && home !== head?.boot,
    )
  }

  #isWhole(log: LogKey, { peer, store }: Keeper): boolean {
    const disk = this.mesh.disks.get(peer)
    if (!disk || disk.storeId !== store || disk.isDamaged || this.departed.has(peer)) return false
    const facts = disk.durableLog(log)
    return facts === undefined || facts.class !== 'replicated' || facts.systemBoot === disk.systemBoot
  }

  #isComplete(): boolean {
    return this.ids.every((id) => this.departed.has(id) || this.mesh.peers.has(id))
  }

  #areAdmitted(): boolean {
    return this.live.every(({ driver }) => driver.admitted)
  }

  /** The registry of each knows those that run and no others, and no actor is without a home. */
  #areRecovered(): boolean {
    return this.live.every(({ driver: { registry } }) => {
      if (!registry) return false
      const boots = [...registry.boots.values()].filter(({ status }) => status !== 'dead')
      return (
        boots.length === this.mesh.peers.size &&
        boots.every(({ boot }) => this.mesh.peers.get(peerOfBoot(boot))?.driver.boot === boot)
      )
    })
  }

  #started(peer: SimPeer): void {
    this.invariants.watch(peer)
    peer.driver.onRegistry((state) => this.work.history.lives.watch(state))
    this.onStarted(peer)
    this.oracle.watch(peer)
    const runtime = this.work.start(this.mesh, peer, this.#cipherOf(peer.id))
    this.kv?.start(this.mesh, peer, runtime)
    if (this.profile.rawJournals) this.oracle.write(this.mesh, peer)
    this.say(`${peer.id} runs as ${peer.driver.boot.slice(-6)}`)
  }

  #fatal(id: PeerId, error: Error): void {
    const disk = this.mesh.disks.get(id)
    const isExpected = disk?.isDamaged === true || this.outdated.has(id)
    if (!isExpected) this.mesh.failures.push(`${id} failed: ${error.message}`)
    this.say(`${id} stops itself: ${error.message}`)
    this.mesh.clock.set(0, () => this.replace(id))
  }

  #spring(at: Trap['at'], peer: PeerId): void {
    for (const trap of this.#traps) {
      if (trap.at !== at || trap.peer !== peer || --trap.left > 0) continue
      this.#traps.delete(trap)
      this.crash(peer, trap.crash())
    }
  }

  #fate(): Fate | undefined {
    const { lost, again, late } = this.share
    if (lost + again + late === 0) return undefined
    const draw = this.random()
    if (draw < lost) return { lost: true }
    if (draw < lost + again)
      return { againMs: this.random() < 0.5 ? this.between(0, 50) : this.between(0, 8000) }
    if (draw < lost + again + late)
      return this.random() < 0.8 ? { lateMs: this.between(0, 300) } : { lateMs: this.between(0, 6000) }
    return undefined
  }
}
