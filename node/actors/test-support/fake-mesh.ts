// A mesh for tests of the runtime: several peers in memory, the registry's real rules (apply.ts), a head that never fails,
// and the things that go wrong under the tester's hands. Everything random comes from one seed.

import { decode, encode } from '../../../checkpoint/codec.ts'
import { MemoryDisk } from '../../../checkpoint/memory-disk.ts'
import { openMemoryStore } from '../../../checkpoint/memory-store.ts'
import {
  type ActorKey,
  type BootId,
  bootId,
  type LogKey,
  logKey,
  type PeerId,
  peerId,
  peerOfBoot,
  typeOfActor,
} from '../../../mesh/ids.ts'
import type { Member } from '../../../mesh/membership/types.ts'
import { ActorTable } from '../../../mesh/registry/actor-table.ts'
import { applyIssued, neededJournals } from '../../../mesh/registry/apply.ts'
import { classKey } from '../../../mesh/registry/class.ts'
import { emptyRegistry } from '../../../mesh/registry/state.ts'
import type { Command, CommandResult, JournalClass, RegistryState } from '../../../mesh/registry/types.ts'
import { MeshUnavailableError } from '../../errors.ts'
import { Deposed, type OpenJournal } from '../../mesh-handle.ts'
import type { ServiceFrame } from '../../ports.ts'
import { KV_TYPE } from '../kv-shard.ts'
import { createRuntime, type Runtime, type RuntimeInit } from '../runtime.ts'
import type { ActorClass } from '../types.ts'
import { FakeLog } from './fake-log.ts'
import { FakePeer } from './fake-peer.ts'
import { seeded } from './seeded.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface FakeNode {
  readonly peer: FakePeer
  readonly runtime: Runtime
  readonly recovered: { readonly actor: ActorKey; readonly epoch: number; readonly sequence: number }[]
}

export type NodeInit = Pick<RuntimeInit, 'limits' | 'events'>

export class FakeMesh {
  readonly clock = new VirtualClock()
  readonly random: () => number
  readonly nodes = new Map<PeerId, FakeNode>()
  readonly logs = new Map<LogKey, FakeLog>()
  readonly #disks = new Map<PeerId, MemoryDisk>()
  readonly #cut = new Set<string>()
  #table = emptyRegistry(logKey('mesh'))
  #position = 0
  #commands = 0
  #nonce = 0
  /** Milliseconds of one message, at most; at least a tenth of it. */
  latencyMs = 4
  /** While false nothing is committed. */
  headUp = true

  constructor(seed = 1) {
    this.random = seeded(seed)
  }

  get registry(): RegistryState {
    return this.#table
  }

  /** A peer starts, or starts again with its disk. */
  async start(name: string, types: readonly ActorClass[], init: NodeInit = {}): Promise<FakeNode> {
    const self = peerId(name)
    const disk = this.#disks.get(self) ?? new MemoryDisk(name)
    this.#disks.set(self, disk)
    const store = await openMemoryStore({ disk, random: () => this.#id() })
    const previous = this.#table.peers.get(self)?.boot
    const peer = new FakePeer(
      this,
      self,
      bootId(self, this.#id()),
      [KV_TYPE, ...types.map((type) => type.actorName ?? type.name)],
      store,
    )
    const recovered: FakeNode['recovered'] = []
    const runtime = createRuntime({
      mesh: peer,
      store,
      clock: this.clock,
      types,
      ...init,
      events: { ...init.events, recovered: (event) => recovered.push(event) },
    })
    const node = { peer, runtime, recovered }
    this.nodes.set(self, node)
    this.#admit(peer, previous)
    for (const other of this.nodes.values()) if (other !== node) other.peer.peerChanged(self, peer.boot, true)
    if (previous !== undefined) this.#recoverLater(previous)
    await this.clock.untilTrue(() => peer.admitted)
    return node
  }

  /** The process is gone, its disk stays. */
  crash(name: string): void {
    const node = this.node(name)
    node.peer.alive = false
    node.peer.store = undefined
    node.runtime.close()
    this.#disks.get(node.peer.self)!.crash({ loseUnsynced: false })
    this.nodes.delete(node.peer.self)
    for (const other of this.nodes.values()) other.peer.peerChanged(node.peer.self, node.peer.boot, false)
    this.#recoverLater(node.peer.boot)
  }

  node(name: string): FakeNode {
    const node = this.nodes.get(peerId(name))
    if (node === undefined) throw new Error(`no peer ${name} runs`)
    return node
  }

  /** The peer reaches nobody and nobody reaches it; the mesh recovers its boot after a while. */
  isolate(name: string, recover = true): void {
    const { peer } = this.node(name)
    for (const other of this.nodes.values()) {
      if (other.peer === peer) continue
      this.#cut.add(`${peer.self} ${other.peer.self}`).add(`${other.peer.self} ${peer.self}`)
      other.peer.peerChanged(peer.self, peer.boot, false)
      peer.peerChanged(other.peer.self, other.peer.boot, false)
    }
    if (recover) this.#recoverLater(peer.boot)
  }

  heal(): void {
    this.#cut.clear()
    for (const { peer } of this.nodes.values()) {
      peer.apply(this.#position, this.#copy())
      for (const other of this.nodes.values())
        if (other.peer !== peer) peer.peerChanged(other.peer.self, other.peer.boot, true)
    }
  }

  /** Its keepers refuse it from now on: as after a recovery that was a false alarm. */
  depose(name: string): void {
    this.#recoverLater(this.node(name).peer.boot, 0)
  }

  /** The writer goes on in a fresh journal of every class. */
  async roll(name: string): Promise<void> {
    const { peer } = this.node(name)
    for (const log of [...peer.journals.values()]) {
      const next = await this.#open(peer, log.class)
      peer.journals.set(classKey(log.class), next)
      log.rolled = true
      peer.rolledJournal(log.key, next.key)
      const close = (): void => {
        if (peer.boot !== log.boot) return
        if (log.drained)
          void peer.command({ kind: 'close', journal: log.key, length: log.acknowledged }).catch(() => {})
        else this.clock.setTimer(10, close)
      }
      close()
    }
  }

  journalsOf(name: string): readonly FakeLog[] {
    return [...this.node(name).peer.journals.values()]
  }

  // What the peers call.

  deliver(from: PeerId, to: PeerId, action: () => void): void {
    const delay = from === to ? 0 : this.latencyMs * (0.1 + 0.9 * this.random())
    this.clock.setTimer(delay, () => {
      const reaches = this.nodes.has(to) && this.nodes.has(from) && !this.#cut.has(`${from} ${to}`)
      if (reaches) action()
    })
  }

  later(ms: number, action: () => void): void {
    this.clock.setTimer(ms, action)
  }

  /** A peer learnt from the registry that its boot is over. */
  boundToEnd(peer: FakePeer): void {
    this.#depose(peer)
  }

  send(from: FakePeer, to: PeerId, frame: ServiceFrame): boolean {
    const other = this.nodes.get(to)
    if (!from.alive || other === undefined || this.#cut.has(`${from.self} ${to}`)) return false
    const bytes = encode(frame)
    const { boot } = from
    const target = other.peer
    this.#inOrder(from.self, to, () => {
      if (this.nodes.get(to)?.peer === target) target.receive(from.self, boot, decode(bytes) as ServiceFrame)
    })
    return true
  }

  membersSeenBy(self: FakePeer): readonly Member[] {
    return [...this.nodes.values()].map(({ peer }) => ({
      peer: peer.self,
      boot: peer.boot,
      startedAt: 0,
      incarnation: 0,
      liveness: 'alive' as const,
      by: self.self,
      description: {
        name: peer.self,
        store: peer.store!.facts.storeId,
        addresses: [],
        labels: {},
        types: peer.types,
        canHost: true,
        canKeep: true,
      },
      load: 0,
      since: 0,
      connected: !this.#cut.has(`${self.self} ${peer.self}`),
    }))
  }

  /** Resolves when the peer that asked has applied it. */
  async commit(peer: FakePeer, boot: BootId, command: Command, timeoutMs: number): Promise<CommandResult> {
    const deadline = this.clock.now() + timeoutMs
    const n = ++this.#commands
    while (this.clock.now() < deadline && peer.alive && peer.boot === boot) {
      await this.#pause(this.latencyMs)
      if (!this.headUp || this.#isCut(peer.self)) continue
      const result = this.#apply(boot, n, command)
      const position = this.#position
      while (peer.alive && peer.applied < position && this.clock.now() < deadline) await this.#pause(1)
      return result
    }
    if (peer.boot !== boot) throw new Deposed(boot)
    throw new MeshUnavailableError('no head committed the command in time')
  }

  async openJournal(peer: FakePeer, wanted: JournalClass): Promise<OpenJournal> {
    const { boot } = peer
    const log = await this.#open(peer, wanted)
    if (peer.boot !== boot) throw new Deposed(boot)
    peer.journals.set(classKey(wanted), log)
    return log
  }

  async #open(peer: FakePeer, wanted: JournalClass): Promise<FakeLog> {
    const { boot } = peer
    const key = await peer.store!.createLog()
    const others = [...this.nodes.values()].map((node) => node.peer).filter((other) => other !== peer)
    const chosen = [peer, ...others].slice(0, wanted.keepers)
    const keepers = chosen.map((keeper) => ({ peer: keeper.self, store: keeper.store!.facts.storeId }))
    const result = await this.commit(
      peer,
      boot,
      { kind: 'open', journal: key, boot, class: wanted, keepers },
      30_000,
    )
    if (!result.ok) {
      if (result.why === 'boot-dead') throw new Deposed(boot)
      throw new MeshUnavailableError(result.detail)
    }
    const log = new FakeLog({
      key,
      class: wanted,
      boot,
      writer: peer.self,
      keepers: chosen.map(({ self }) => ({ peer: self, store: () => this.nodes.get(self)?.peer.store })),
      net: this,
      deposed: () => {
        if (peer.boot === boot && peer.alive) this.#depose(peer)
      },
    })
    this.logs.set(key, log)
    return log
  }

  #depose(peer: FakePeer): void {
    const old = peer.boot
    peer.depose(bootId(peer.self, this.#id()))
    this.#admit(peer, old)
    this.#recoverLater(old, 0)
  }

  #admit(peer: FakePeer, previous: BootId | undefined): void {
    const { self, boot, types } = peer
    const entry = {
      peer: self,
      name: self,
      store: peer.store!.facts.storeId,
      boot,
      addresses: [],
      labels: {},
      types,
      canHost: true,
      canKeep: true,
    }
    void this.commit(
      peer,
      boot,
      { kind: 'admit', entry, previous: previous === undefined ? [] : [previous] },
      30_000,
    ).catch(() => {})
  }

  /** Seals at a majority, repairs, and commits the end of the boot. */
  #recoverLater(boot: BootId, delayMs = 30): void {
    this.clock.setTimer(delayMs, () => {
      if (this.#table.boots.get(boot)?.status !== 'dead')
        this.#recover(boot).catch(() => this.#recoverLater(boot, 50))
    })
  }

  async #recover(boot: BootId): Promise<void> {
    const sealed: Record<LogKey, { length: number; hash: string }> = {}
    for (const { key, status } of this.#table.journals.values()) {
      if (this.#table.journals.get(key)?.boot !== boot || status.kind !== 'open') continue
      sealed[key] = { length: await this.#seal(this.logs.get(key)!), hash: '' }
    }
    const homes: Record<ActorKey, BootId> = {}
    for (const { key, home } of this.#table.actors.values()) {
      const next = home === boot ? this.#homeFor(key, boot) : undefined
      if (next !== undefined) homes[key] = next
    }
    this.#apply(boot, ++this.#commands, {
      kind: 'recover',
      boot,
      journals: sealed,
      cause: 'test',
      at: 0,
      homes,
    })
    if (this.#table.boots.get(boot)?.status !== 'dead') throw new Error('journals changed')
  }

  async #seal(log: FakeLog): Promise<number> {
    const reachable = log.keepers.filter(({ peer }) => this.nodes.has(peer) && !this.#isCut(peer))
    if (reachable.length < Math.floor(log.keepers.length / 2) + 1) throw new Error('no majority')
    const lengths = await Promise.all(reachable.map((keeper) => log.seal(keeper)))
    const longest = Math.max(...lengths)
    const source = reachable[lengths.indexOf(longest)]!.store()!
    for (const [index, keeper] of reachable.entries()) {
      if (lengths[index]! < longest)
        await keeper.store()!.ingest(log.key, await source.prove(log.key, lengths[index]!, longest))
    }
    return longest
  }

  #apply(boot: BootId, n: number, command: Command): CommandResult {
    const result = applyIssued(this.#table, { boot, n, floor: 0, command: this.#decide(command) })
    this.#position++
    const assigned = [...this.#table.actors.values()].flatMap(({ key, home, epoch, status }) => {
      const next = home === null && status.kind === 'running' ? this.#homeFor(key) : undefined
      return next === undefined ? [] : [{ actor: key, epoch, home: next }]
    })
    if (assigned.length > 0)
      applyIssued(this.#table, {
        boot,
        n: ++this.#commands,
        floor: 0,
        command: { kind: 'assign', actors: assigned },
      })
    this.#retire(boot)
    const position = this.#position
    const copy = this.#copy()
    for (const { peer } of this.nodes.values()) {
      this.clock.setTimer(this.latencyMs * this.random(), () => {
        if (!this.#isCut(peer.self)) peer.apply(position, copy)
      })
    }
    return result
  }

  #retire(boot: BootId): void {
    const needed = neededJournals(this.#table)
    const journals = [...this.#table.journals.keys()].filter((key) => !needed.has(key))
    if (journals.length > 0)
      applyIssued(this.#table, { boot, n: ++this.#commands, floor: 0, command: { kind: 'retire', journals } })
  }

  /** What the head decides when it appends. */
  #decide(command: Command): Command {
    if (command.kind === 'create') return { ...command, home: this.#homeFor(command.actor) ?? null }
    if (command.kind !== 'released') return command
    const actors = command.actors.map((released) => {
      const status = this.#table.actors.get(released.actor)?.status
      const wished =
        status?.kind === 'moving' && status.to !== undefined
          ? this.#table.peers.get(status.to)?.boot
          : undefined
      return { ...released, home: wished ?? this.#homeFor(released.actor, command.boot) ?? null }
    })
    return { ...command, actors }
  }

  #homeFor(actor: ActorKey, not?: BootId): BootId | undefined {
    const able = [...this.nodes.values()].filter(({ peer }) => {
      const entry = this.#table.peers.get(peer.self)
      const boot = entry === undefined ? undefined : this.#table.boots.get(entry.boot)
      const live = entry?.boot === peer.boot && boot?.status === 'live' && !entry.leaving && peer.boot !== not
      return live && !this.#isCut(peer.self) && peer.types.includes(typeOfActor(actor))
    })
    return able[Math.floor(this.random() * able.length)]?.peer.boot
  }

  /** Immutable for whoever gets it. */
  #copy(): RegistryState {
    const table = this.#table
    return {
      ...table,
      peers: new Map(table.peers),
      boots: new Map(table.boots),
      journals: new Map(table.journals),
      actors: ActorTable.of(table.actors.values()),
      reports: [...table.reports],
      issued: new Map(),
    }
  }

  #isCut(self: PeerId): boolean {
    for (const pair of this.#cut)
      if (pair.startsWith(`${self} `)) return this.#cutCount(self) >= this.nodes.size - 1
    return false
  }

  #cutCount(self: PeerId): number {
    let count = 0
    for (const other of this.nodes.keys()) if (this.#cut.has(`${self} ${other}`)) count++
    return count
  }

  readonly #streams = new Map<string, number>()
  /** Frames between two peers keep their order. */
  #inOrder(from: PeerId, to: PeerId, action: () => void): void {
    const key = `${from} ${to}`
    const at = Math.max(
      this.clock.now() + this.latencyMs * (0.1 + 0.9 * this.random()),
      this.#streams.get(key) ?? 0,
    )
    this.#streams.set(key, at)
    this.clock.setTimer(at - this.clock.now(), () => {
      if (this.nodes.has(from) && !this.#cut.has(key)) action()
    })
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(ms, resolve))
  }

  #id(): string {
    return (++this.#nonce).toString(16).padStart(32, '0')
  }
}

export const hostOf = (mesh: FakeMesh, key: string): string => {
  const home = mesh.registry.actors.get(key as ActorKey)?.home
  return home === undefined || home === null ? '' : peerOfBoot(home)
}
