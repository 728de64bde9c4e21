// The actor runtime of one peer: hosts what the registry gives to it, and calls actors wherever they are. It is told the
// time and the randomness and talks to the mesh through one handle, so it runs the same in the simulator.

import type { JournalIndexes as Indexes } from '../../checkpoint/journal-index.ts'
import { JournalIndexes } from '../../checkpoint/journal-index.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import {
  type ActorKey,
  actorKey,
  type BootId,
  nameOfActor,
  type PeerId,
  typeOfActor,
} from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { CallOptions } from '../api.ts'
import { BadInputError, MeshUnavailableError, UnknownTypeError } from '../errors.ts'
import { Deposed, type MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { Exchange } from './answers.ts'
import { BlockCache } from './block-cache.ts'
import { Client } from './client.ts'
import { Creation, makeTarget, type Target } from './creation.ts'
import { defaultLimits, type RuntimeLimits } from './home-services.ts'
import { Host } from './host.ts'
import { JournalReader } from './journal-reader.ts'
import { JournalWriter } from './journal-writer.ts'
import { makeRef } from './ref.ts'
import { serveRestores } from './restore-service.ts'
import { ending, type RuntimeEvents, type RuntimeLogger, silent } from './runtime-events.ts'
import { outside } from './scope.ts'
import { sleep } from './timing.ts'
import { describeType, type TypeInfo } from './type-info.ts'
import type { ActorClass, ActorContext, ActorRef, AnyActor, AnyRef } from './types.ts'

export interface RuntimeInit {
  readonly mesh: MeshHandle
  readonly store: LogStore
  readonly clock: Clock
  readonly types: readonly ActorClass[]
  readonly logger?: RuntimeLogger
  readonly events?: RuntimeEvents
  readonly limits?: Partial<RuntimeLimits>
}

export interface Runtime {
  /** Names of the types that can run here, for the peer's description. */
  readonly types: readonly string[]
  ref<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  ref(type: string, name: string, ...init: unknown[]): AnyRef
  call(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown>
  /** Makes an actor whose name is free or was stopped; a first call makes only what never existed. Rejects when it exists. */
  create(type: string | ActorClass, name: string, ...init: unknown[]): Promise<void>
  /** Ends an actor; resolves when the registry says so. */
  stop(type: string, name: string, timeoutMs?: number): Promise<void>
  /** Resolves when the registry gives this boot no actors any more; the mesh's `leaving` command must have been made. */
  drained(timeoutMs: number): Promise<boolean>
  /** Actors with an object here. */
  readonly live: number
  /** Actors that the registry gives to this boot: what placement goes by. */
  load(): number
  /** Why an actor that is at home here does not serve; empty when nothing is wrong. */
  problemOf(actor: ActorKey): string
  /** Calls from here that have no answer yet. */
  readonly pending: number
  /** Drops everything at once, as a crash would; pending calls fail. */
  close(): void
}

export function createRuntime(init: RuntimeInit): Runtime {
  return new ActorRuntime(init)
}

class ActorRuntime implements Runtime {
  readonly #mesh: MeshHandle
  readonly #clock: Clock
  readonly #types = new Map<string, TypeInfo>()
  readonly #logger: RuntimeLogger
  readonly #events: RuntimeEvents
  readonly #limits: RuntimeLimits
  readonly #indexes: Indexes
  readonly #reader: JournalReader
  readonly #creation: Creation
  readonly #client: Client
  #host: Host
  #journals: JournalWriter
  #closed = false

  constructor(init: RuntimeInit) {
    const { mesh, store, clock } = init
    this.#mesh = mesh
    this.#clock = clock
    this.#logger = init.logger ?? silent
    this.#events = init.events ?? {}
    this.#limits = { ...defaultLimits, ...init.limits }
    for (const type of init.types) this.#register(type)
    this.#indexes = new JournalIndexes(store)
    this.#reader = new JournalReader({
      mesh,
      store,
      clock,
      indexes: this.#indexes,
      cache: new BlockCache(RESTORE_CACHE_BYTES),
    })
    serveRestores(mesh, store, this.#indexes)
    const exchange = new Exchange(mesh, {
      receive: (frame, reply) => this.#host.receive(frame, reply),
      create: (frame) => this.#createFor(frame.type, frame.name, frame.init),
    })
    this.#creation = new Creation(mesh, clock, exchange)
    const services = { mesh, clock, exchange, creation: this.#creation, closed: () => this.#closed }
    this.#client = new Client(services, this.#limits)
    ;[this.#host, this.#journals] = this.#makeHost()
    this.#follow()
  }

  get types(): readonly string[] {
    return [...this.#types.keys()]
  }
  get live(): number {
    return this.#host.count
  }
  get pending(): number {
    return this.#client.pending
  }

  ref<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  ref(type: string, name: string, ...init: unknown[]): AnyRef
  ref(type: string | ActorClass, name: string, ...init: unknown[]): AnyRef {
    const target = this.#target(type, name, init)
    return makeRef(target.key, (method, args, options) => this.#call(target, method, args, options))
  }

  async call(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    return this.#call(this.#target(type, name, []), method, args, options)
  }

  async create(type: string | ActorClass, name: string, ...init: unknown[]): Promise<void> {
    const { key, info, init: bytes } = this.#target(type, name, init)
    if (info === undefined)
      throw new UnknownTypeError(
        `${String(type)} is not a type of this node: create its actors on a node that has the class`,
      )
    const result = await this.#mesh.command({
      kind: 'create',
      actor: key,
      options: info.options,
      init: bytes,
      home: null,
    })
    if (!result.ok) throw new BadInputError(`${key} can't be created: ${result.detail}`)
  }

  async stop(type: string, name: string, timeoutMs = 30_000): Promise<void> {
    await this.#mesh.catchUp(timeoutMs)
    const key = actorKey(type, name)
    const before = this.#mesh.registry?.actors.get(key)
    if (before === undefined)
      throw new BadInputError(`there is no actor ${key}: \`mesh actors\` lists those that exist`)
    const result = await this.#mesh.command({ kind: 'stop', actor: key }, timeoutMs)
    if (!result.ok) throw new BadInputError(`${key} can't be stopped: ${result.detail}`)
    const over = (): boolean => {
      const entry = this.#mesh.registry?.actors.get(key)
      return (
        entry === undefined || entry.status.kind === 'stopped' || entry.incarnation !== before.incarnation
      )
    }
    if (await this.#until(over, timeoutMs)) return
    throw new MeshUnavailableError(
      `${key} is being stopped, and its host has not finished within ${timeoutMs} ms: it will be stopped when the host has, or is lost`,
    )
  }

  drained(timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.load() === 0, timeoutMs)
  }

  load(): number {
    let load = 0
    for (const entry of this.#mesh.registry?.actors.values() ?? [])
      if (entry.home === this.#mesh.boot && entry.status.kind !== 'dead') load++
    return load
  }

  problemOf(actor: ActorKey): string {
    return this.#host.problemOf(actor)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#host.stop(new MeshUnavailableError('this node was closed', { executed: 'unknown' }))
    this.#client.wake()
  }

  #register(type: ActorClass): void {
    const info = describeType(type)
    const known = this.#types.get(info.name)
    if (known !== undefined && known.type !== type) {
      throw new BadInputError(
        `two actor classes are named ${info.name}: give one a static actorName of its own`,
      )
    }
    this.#types.set(info.name, info)
  }

  #target(type: string | ActorClass, name: string, init: readonly unknown[]): Target {
    const info = typeof type === 'string' ? this.#types.get(type) : this.#infoOf(type)
    return makeTarget(info?.name ?? String(type), name, info, init)
  }

  /** A class that is only called from here may be unknown to the runtime; what it says counts all the same. */
  #infoOf(type: ActorClass): TypeInfo {
    const info = describeType(type)
    return this.#types.get(info.name)?.type === type ? this.#types.get(info.name)! : info
  }

  #call(target: Target, method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    if (this.#closed)
      return Promise.reject(
        new MeshUnavailableError('this node is closed: create another', { executed: 'no' }),
      )
    return this.#client.call(target, method, args, options)
  }

  async #createFor(type: string, name: string, init: Uint8Array): Promise<string> {
    const info = this.#types.get(type)
    if (info === undefined) return `${this.#mesh.self} does not know the type ${type}`
    try {
      return await this.#creation.create({ ...makeTarget(type, name, info, []), init })
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #follow(): void {
    this.#mesh.onRegistry(() => {
      if (this.#closed) return
      this.#indexes.keepOnly((journal) => this.#mesh.registry?.journals.has(journal) === true)
      this.#host.registryChanged()
      this.#client.wake()
    })
    this.#mesh.onPeer(() => this.#client.wake())
    this.#mesh.onRolled((from) => {
      this.#journals.rolled(from)
      this.#host.rolled()
    })
    this.#mesh.onDeposed((old) => {
      if (this.#closed) return
      this.#host.stop(new Deposed(old))
      ;[this.#host, this.#journals] = this.#makeHost()
      this.#client.wake()
    })
  }

  #makeHost(): [Host, JournalWriter] {
    const mesh = this.#mesh
    const clock = this.#clock
    const { boot } = mesh
    const journals = new JournalWriter({
      mesh,
      clock,
      // What is in memory depends on what may be lost: nothing of this boot may be answered any more.
      failed: (cause) => {
        if (mesh.boot !== boot || this.#closed) return
        this.#logger.warn(
          { err: cause },
          'a journal failed: the actors here stop until this peer has a new boot',
        )
        this.#host.stop(cause)
      },
    })
    const host = new Host({
      boot,
      mesh,
      clock,
      journals,
      types: this.#types,
      reader: this.#reader,
      limits: this.#limits,
      now: () => clock.now(),
      sleep: (ms) => sleep(clock, ms),
      context: (entry, restored) => this.#context(entry, boot, restored),
      isGone: (caller) => {
        const known = mesh.registry?.boots.get(caller)
        return known === undefined || known.status === 'dead'
      },
      reportFailed: (entry, cause) => this.#reportFailed(entry, cause),
      reportRecovered: (entry, { sequence, source }) => {
        const { key, epoch } = entry
        this.#events.recovered?.({ actor: key, epoch, sequence, journal: source.journal })
        this.#logger.info({ actor: key, epoch, sequence }, 'actor restored')
      },
    })
    return [host, journals]
  }

  #reportFailed({ key, epoch }: ActorEntry, cause: string): void {
    this.#logger.warn({ actor: key, cause }, 'an actor can not be started')
    this.#mesh.command({ kind: 'failed', actor: key, epoch, cause }).catch(() => {}) // it is tried, and reported, again
  }

  #context(entry: ActorEntry, boot: BootId, restored: boolean): ActorContext {
    const self: PeerId = this.#mesh.self
    const { key, restarts, epoch } = entry
    const actor = (type: string | ActorClass, name: string, ...init: unknown[]): AnyRef =>
      this.ref(type as string, name, ...init)
    return Object.freeze({
      key,
      type: typeOfActor(key),
      name: nameOfActor(key),
      peer: self,
      boot,
      restarts,
      restored,
      epoch,
      actor: actor as ActorContext['actor'],
    })
  }

  #until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return outside(() => ending(this.#clock, condition, timeoutMs, () => this.#closed))
  }
}

/** Blocks of lost peers' journals, while their actors are restored. */
const RESTORE_CACHE_BYTES = 32 * 1024 * 1024
