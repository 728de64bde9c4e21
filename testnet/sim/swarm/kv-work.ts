// Clients of the key-value store in some seeds: each appends to lists that are values, by swaps; a watcher on every peer
// follows them. What they were told is held against linearizability.ts, where a watch is a read of no particular time: it
// shows what was acknowledged, and what begins after it is not behind it.

import { type ActorKey, actorKey } from '../../../mesh/ids.ts'
import { shardOf } from '../../../node/actors/kv-limits.ts'
import { KV_TYPE } from '../../../node/actors/kv-shard.ts'
import type { KeyValueStore, KvEntry } from '../../../node/actors/kv-types.ts'
import type { Runtime } from '../../../node/actors/runtime.ts'
import { MeshError } from '../../../node/errors.ts'
import { checkList, type ListOperation } from '../../check/linearizability.ts'
import type { SimMesh, SimPeer } from '../mesh.ts'
import type { Profile } from './profile.ts'
import type { Named } from './workload.ts'

type List = readonly string[]
const PREFIX = 'list/'
const KEYS = ['list/a', 'list/b', 'list/c']
/** Comes and goes, so that shards have deletions to remember. */
const PASSING = 'list/passing'

interface Watcher {
  /** The newest version told of each key. */
  readonly told: Map<string, number>
  readonly over: AbortController
}

export class KvWork {
  readonly wrong: string[] = []
  /** The actors that have the keys. */
  readonly shards: readonly Named[]
  readonly #profile: Profile
  readonly #random: () => number
  readonly #operations = new Map<string, ListOperation[]>(KEYS.map((key) => [key, []]))
  readonly #never = new Set<string>()
  readonly #watchers = new Map<SimPeer, Watcher>()
  #next = 0
  /** Peers with an operation under way. */
  readonly #under = new Set<SimPeer>()
  running = true

  constructor(profile: Profile, random: () => number) {
    this.#profile = profile
    this.#random = random
    const names = new Set([...KEYS, PASSING].map(shardOf))
    this.shards = [...names].map((name) => ({
      type: KV_TYPE,
      name,
      key: actorKey(KV_TYPE, name) as ActorKey,
    }))
  }

  /** Operations of peers that run, without an answer so far; watches aside. */
  pending(mesh: SimMesh): number {
    return [...this.#under].filter((peer) => mesh.peers.get(peer.id) === peer).length
  }

  start(mesh: SimMesh, peer: SimPeer, { kv }: Runtime): void {
    const alive = (): boolean => mesh.peers.get(peer.id) === peer
    const loop = async (): Promise<void> => {
      if (!alive() || !this.running) return
      this.#under.add(peer)
      await this.#once(mesh, peer, kv, alive)
      this.#under.delete(peer)
      if (alive()) mesh.clock.set(this.#profile.paceMs * (0.5 + this.#random()), loop)
    }
    mesh.clock.set(10 + this.#random() * 50, loop)
    const watcher: Watcher = { told: new Map(), over: new AbortController() }
    this.#watchers.set(peer, watcher)
    void this.#watch(mesh, peer, kv, watcher, alive)
  }

  /**
   * Every watcher that runs has told the newest version of every key, as one peer now reads it, or a newer one: what its
   * client has given up may be put late.
   */
  async caughtUp(mesh: SimMesh, runtimeOf: (peer: SimPeer) => Runtime, ms: number): Promise<void> {
    const [first] = mesh.peers.values()
    const { kv } = runtimeOf(first!)
    const read = KEYS.map(async (key) => [key, await this.#read(mesh, first!, kv, key, ms)] as const)
    const newest = await mesh.await(Promise.all(read), ms * 2)
    for (const [peer, { told }] of this.#watchers) {
      if (mesh.peers.get(peer.id) !== peer) continue
      for (const [key, entry] of newest)
        await mesh.until(
          `the watch on ${peer.id} tells version ${entry?.version} of ${key}`,
          () => (told.get(key) ?? 0) >= (entry?.version ?? 0),
          ms,
        )
    }
  }

  end(): void {
    for (const { over } of this.#watchers.values()) over.abort()
  }

  check(): void {
    for (const [key, operations] of this.#operations) {
      const { wrong, lists } = checkList(operations)
      this.wrong.push(...wrong.map((text) => `kv ${key}: ${text}`))
      for (const token of lists.get(0) ?? [])
        if (this.#never.has(token)) this.wrong.push(`kv ${key}: ${token} was said not to be put`)
    }
  }

  async #once(mesh: SimMesh, peer: SimPeer, kv: KeyValueStore, alive: () => boolean): Promise<void> {
    const key = KEYS[Math.floor(this.#random() * KEYS.length)]!
    const draw = this.#random()
    const timeoutMs = this.#profile.callTimeoutMs
    try {
      if (draw < 0.55) await this.#append(mesh, peer, kv, key, alive)
      else if (draw < 0.8) await this.#read(mesh, peer, kv, key, timeoutMs, alive)
      else if (draw < 0.9) await kv.put(PASSING, [], { timeoutMs })
      else await kv.delete(PASSING, { timeoutMs })
    } catch (error) {
      if (alive() && !(error instanceof MeshError))
        this.wrong.push(`kv ${key}: ${error instanceof Error ? error.stack : error}`)
    }
  }

  async #read(
    mesh: SimMesh,
    { id }: SimPeer,
    kv: KeyValueStore,
    key: string,
    timeoutMs: number,
    alive: () => boolean = () => true,
  ): Promise<KvEntry<List> | undefined> {
    const start = mesh.clock.now
    const entry = await kv.get<List>(key, { timeoutMs })
    const values = entry?.value ?? []
    const place = { life: 0, size: values.length }
    if (alive())
      this.#of(key).push({ kind: 'read', what: `get at ${id}`, start, end: mesh.clock.now, place, values })
    return entry
  }

  async #append(
    mesh: SimMesh,
    peer: SimPeer,
    kv: KeyValueStore,
    key: string,
    alive: () => boolean,
  ): Promise<void> {
    const timeoutMs = this.#profile.callTimeoutMs
    const token = `${peer.id}#${this.#next++}`
    const before = await this.#read(mesh, peer, kv, key, timeoutMs, alive)
    const list = before?.value ?? []
    const start = mesh.clock.now
    const begun: ListOperation = { kind: 'append', value: token, start }
    const operations = this.#of(key)
    operations.push(begun)
    const not = (): void => {
      operations.splice(operations.indexOf(begun), 1)
      this.#never.add(token)
    }
    try {
      const done = await kv.compareAndSet(key, before?.version, [...list, token], { timeoutMs })
      if (!alive()) return
      if (!done.ok) return not()
      const place = { life: 0, size: list.length + 1 }
      operations.splice(operations.indexOf(begun), 1, { ...begun, end: mesh.clock.now, place })
    } catch (error) {
      if (alive() && error instanceof MeshError && error.executed === 'no') not()
      throw error
    }
  }

  async #watch(
    mesh: SimMesh,
    { id }: SimPeer,
    kv: KeyValueStore,
    { told, over }: Watcher,
    alive: () => boolean,
  ): Promise<void> {
    const what = `watch at ${id}`
    try {
      for await (const change of kv.watch<List>({ prefix: PREFIX }, { signal: over.signal })) {
        if (!alive()) return
        const { key, version } = change
        if (version <= (told.get(key) ?? 0))
          this.wrong.push(`kv ${key}: ${what} tells version ${version} after ${told.get(key)}`)
        told.set(key, version)
        if (change.kind === 'delete' && key !== PASSING)
          this.wrong.push(`kv ${key}: ${what} tells a deletion`)
        if (change.kind === 'delete' || key === PASSING) continue
        const place = { life: 0, size: change.value.length }
        this.#of(key).push({ kind: 'read', what, start: 0, end: mesh.clock.now, place, values: change.value })
      }
    } catch (error) {
      if (alive() && !over.signal.aborted) this.wrong.push(`kv: ${what} ended: ${error}`)
    }
  }

  #of(key: string): ListOperation[] {
    return this.#operations.get(key)!
  }
}
