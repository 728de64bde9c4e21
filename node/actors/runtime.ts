// The actor runtime of one peer: hosts what the registry gives to it, and calls actors wherever they are. It is told the
// time and the randomness and talks to the mesh through one handle, so it runs the same in the simulator.

import type { Cipher } from '../../checkpoint/cipher.ts'
import type { JournalIndexes as Indexes } from '../../checkpoint/journal-index.ts'
import { JournalIndexes } from '../../checkpoint/journal-index.ts'
import type { MakeRef, Referent } from '../../checkpoint/reference.ts'
import { type ActorKey, nameOfActor, typeOfActor } from '../../mesh/ids.ts'
import type { CallOptions } from '../api.ts'
import { BadInputError, MeshUnavailableError, UnknownTypeError } from '../errors.ts'
import { Deposed, type MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { ActorTypes } from './actor-types.ts'
import { Exchange } from './answers.ts'
import { BesideCalls } from './beside-calls.ts'
import { BlockCache } from './block-cache.ts'
import { refuseReserved } from './built-in.ts'
import { maybeCreated } from './call-errors.ts'
import { Client } from './client.ts'
import { Creation, makeTarget, type Target } from './creation.ts'
import { Daemons, daemonsIn, optionsFor } from './daemons.ts'
import { encrypted } from './encryption.ts'
import { Endings } from './endings.ts'
import { type Home, makeHome } from './home.ts'
import { defaultLimits, type RuntimeLimits } from './home-services.ts'
import { JournalReader } from './journal-reader.ts'
import { KeyValue } from './kv.ts'
import { KV_TYPE, kvShardOn } from './kv-shard.ts'
import type { KeyValueStore } from './kv-types.ts'
import { makeRef } from './ref.ts'
import { ending, type RuntimeEvents, type RuntimeLogger, silent } from './runtime-events.ts'
import type { Runtime, RuntimeInit, Saved } from './runtime-types.ts'
import { outside } from './scope.ts'
import type { OpenSeat } from './seat.ts'
import { seatsOf } from './seats.ts'
import { sleep } from './timing.ts'
import { optionsOf } from './type-info.ts'
import type { ActorClass, ActorRef, AnyActor, AnyRef, CreateOptions } from './types.ts'
import type { Outward } from './worker/errands.ts'
import { startWorkers } from './worker/thread.ts'

export type { Runtime, RuntimeInit } from './runtime-types.ts'

export function createRuntime(init: RuntimeInit): Runtime {
  return new ActorRuntime(init)
}

class ActorRuntime implements Runtime {
  readonly #mesh: MeshHandle
  readonly #clock: Clock
  readonly #types: ActorTypes
  readonly #logger: RuntimeLogger
  readonly #events: RuntimeEvents
  readonly #limits: RuntimeLimits
  readonly #cipher: Cipher | undefined
  readonly #indexes: Indexes
  readonly #reader: JournalReader
  readonly #beside: BesideCalls
  readonly #creation: Creation
  readonly #client: Client
  readonly kv: KeyValueStore
  readonly #endings: Endings
  readonly #daemons: Daemons
  readonly #statusOf: NonNullable<RuntimeInit['statusOf']>
  readonly #pause: () => Promise<void>
  readonly #openSeat: OpenSeat
  #home: Home
  #closed = false

  constructor(init: RuntimeInit) {
    const { mesh, store, clock } = init
    this.#mesh = mesh
    this.#clock = clock
    this.#logger = init.logger ?? silent
    this.#events = init.events ?? {}
    this.#statusOf = init.statusOf ?? (() => undefined)
    this.#limits = { ...defaultLimits, ...init.limits }
    this.#cipher = init.cipher
    this.#pause = init.pause ?? (() => sleep(clock, 0))
    this.#types = new ActorTypes(init.types, [kvShardOn(clock)])
    this.#indexes = new JournalIndexes(store)
    this.#reader = new JournalReader({
      mesh,
      store,
      clock,
      indexes: this.#indexes,
      cache: new BlockCache(RESTORE_CACHE_BYTES),
    })
    this.#beside = new BesideCalls({
      mesh,
      store,
      clock,
      indexes: this.#indexes,
      reader: this.#reader,
      makeRef: this.#makeRef,
      cipher: init.cipher,
      home: () => this.#home,
      client: () => this.#client,
      checkOpen: () => this.#checkOpen(),
    })
    const exchange = new Exchange(mesh, {
      receive: (frame, reply) => this.#home.host.receive(frame, reply),
      cancel: (frame) => this.#home.host.cancel(frame),
      more: (frame, reply) => this.#home.host.more(frame, reply),
      create: (frame) => this.#createFor(frame.type, frame.name, frame.init),
    })
    this.#creation = new Creation({ mesh, clock, exchange, cipher: init.cipher })
    this.#client = new Client(
      {
        mesh,
        clock,
        exchange,
        creation: this.#creation,
        makeRef: this.#makeRef,
        closed: () => this.#closed,
        sendFailed: (event) => {
          this.#logger.warn({ ...event, err: event.error }, 'a send came to nothing')
          this.#events.sendFailed?.(event)
        },
      },
      this.#limits,
    )
    this.kv = new KeyValue({
      call: (shard, method, args, options) =>
        this.#beside.call(this.#target(KV_TYPE, shard, []), method, args, options),
      makeRef: this.#makeRef,
      clock,
      closed: () => this.#closed,
    })
    this.#endings = new Endings({ mesh, until: (condition, ms) => this.#until(condition, ms) })
    this.#daemons = new Daemons({
      mesh,
      clock,
      types: this.#types.all,
      create: (info, name) => this.#creation.create(makeTarget(info.name, name, info, [])),
      closed: () => this.#closed,
    })
    this.#openSeat = seatsOf({
      clock,
      pause: this.#pause,
      types: this.#types,
      maxBytes: this.#limits.maxBytes,
      makeRef: this.#makeRef,
      outward: this.#outward(),
      startThread: init.startThread ?? startWorkers(clock),
    })
    this.#home = this.#makeHome()
    this.#follow()
  }

  get types(): readonly string[] {
    return this.#types.names
  }
  get live(): number {
    return this.#home.host.count
  }
  get passive(): number {
    return this.#home.host.passive
  }
  get pending(): number {
    return this.#client.pending
  }
  get agenda(): { readonly sends: number; readonly alarms: number } {
    return this.#home.host.agenda
  }

  ref<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  ref(type: string, name: string, ...init: unknown[]): AnyRef
  ref(type: string | ActorClass, name: string, ...init: unknown[]): AnyRef {
    return this.#refTo(this.#appTarget(type, name, init))
  }

  async call(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    return this.#beside.call(this.#appTarget(type, name, []), method, args, options)
  }

  iterate(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): AsyncIterable<unknown> {
    return this.#client.iterate(this.#appTarget(type, name, []), method, args, options)
  }

  daemons(type: string | ActorClass): readonly string[] {
    const { type: name } = this.#appTarget(type, this.#mesh.self, [])
    return daemonsIn(this.#mesh.registry, name)
  }

  async create(
    type: string | ActorClass,
    name: string,
    { init = [], options: own = {} }: CreateOptions = {},
  ): Promise<void> {
    const { key, info, init: bytes } = this.#appTarget(type, name, init)
    if (info === undefined)
      throw new UnknownTypeError(
        `${String(type)} is not a type of this node: create its actors on a node that has the class`,
      )
    const options = optionsFor({ ...info, options: optionsOf(info, own) }, name, this.#mesh.registry)
    const made = encrypted(key, { options, init: bytes }, this.#cipher)
    const command = {
      kind: 'create',
      again: true,
      actor: key,
      ...made,
      home: null,
    } as const
    const result = await this.#mesh.command(command).catch((error: unknown) => {
      throw error instanceof Deposed ? maybeCreated(key) : error
    })
    if (!result.ok) throw new BadInputError(`${key} can't be created: ${result.detail}`)
  }

  async stop(type: string, name: string, timeoutMs?: number): Promise<void> {
    refuseReserved(type)
    return this.#endings.stop(type, name, timeoutMs)
  }
  async kill(type: string, name: string, restart: boolean, timeoutMs?: number): Promise<void> {
    if (!restart) refuseReserved(type)
    return this.#endings.kill(type, name, restart, timeoutMs)
  }
  async delete(type: string, name: string, timeoutMs?: number): Promise<void> {
    refuseReserved(type)
    return this.#endings.delete(type, name, timeoutMs)
  }

  drained(timeoutMs: number): Promise<boolean> {
    return this.#until(() => this.load() === 0, timeoutMs)
  }

  load(): number {
    let load = 0
    for (const entry of this.#mesh.registry?.actors.values() ?? []) if (entry.home === this.#mesh.boot) load++
    return load
  }

  problemOf(actor: ActorKey): string {
    return this.#home.host.problemOf(actor)
  }

  savedOf(actor: ActorKey): Saved | undefined {
    return this.#home.host.savedOf(actor)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#home.host.stop(new MeshUnavailableError('this node was closed', { executed: 'unknown' }))
    this.#client.wake()
  }

  #target(type: string | ActorClass, name: string, init: readonly unknown[]): Target {
    const info = this.#types.find(type)
    return makeTarget(info?.name ?? String(type), name, info, init)
  }

  /** One that an app names: none of the mesh's own actors. */
  #appTarget(type: string | ActorClass, name: string, init: readonly unknown[]): Target {
    const target = this.#target(type, name, init)
    refuseReserved(target.type)
    return target
  }

  #refTo(target: Target): AnyRef {
    return makeRef(target, {
      call: (method, args, options) =>
        target.info?.generators.has(method) === true
          ? this.#client.iterate(target, method, args, options)
          : this.#beside.call(target, method, args, options),
      send: async (method, args, options) => {
        this.#checkOpen()
        await this.#client.send(target, method, args, options)
      },
      status: () => this.#statusOf(target.key),
      ...this.#beside.membersOf(target),
    })
  }

  /** A reference that was kept in a state, or sent. */
  readonly #makeRef: MakeRef = (referent) => this.#refTo(this.#kept(referent))

  #kept({ type, name, init }: Referent): Target {
    return { ...makeTarget(type, name, this.#types.find(type), []), init }
  }

  /** What objects elsewhere than in this thread do in the mesh. */
  #outward(): Outward {
    const target = (referent: Referent): Target => {
      this.#checkOpen()
      return this.#kept(referent)
    }
    return {
      call: (to, method, args, options) => this.#beside.callBytes(target(to), method, args, options),
      send: (to, method, args, options) => this.#client.send(target(to), method, args, options),
      items: (to, method, args, options) => this.#client.iterateBytes(target(to), method, args, options),
      members: (of) => this.#beside.membersOf(target(of)),
      status: (of) => this.#statusOf(this.#kept(of).key),
    }
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new MeshUnavailableError('this node is closed: create another', { executed: 'no' })
  }

  async #createFor(type: string, name: string, init: Uint8Array): Promise<string> {
    const info = this.#types.find(type)
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
      this.#home.host.registryChanged()
      this.#client.registryChanged()
      this.#daemons.registryChanged()
    })
    this.#mesh.onPeer((peer, _boot, connected) => {
      if (connected) this.#client.connected(peer)
    })
    this.#mesh.onRolled((from) => {
      this.#home.journals.rolled(from)
      this.#home.host.rolled()
    })
    this.#mesh.onDeposed((old) => {
      if (this.#closed) return
      this.#home.host.stop(new Deposed(old))
      this.#home = this.#makeHome()
      this.#client.wake()
    })
  }

  #makeHome(): Home {
    return makeHome({
      mesh: this.#mesh,
      clock: this.#clock,
      reader: this.#reader,
      past: this.#beside.past,
      types: this.#types,
      limits: this.#limits,
      pause: this.#pause,
      logger: this.#logger,
      events: this.#events,
      target: (key, bytes) => ({ ...this.#target(typeOfActor(key), nameOfActor(key), []), init: bytes }),
      deliver: (call, over) => this.#client.deliver(call, over),
      makeRef: this.#makeRef,
      cipher: this.#cipher,
      openSeat: this.#openSeat,
      kv: this.kv,
      ref: (type, name, init) => this.ref(type as string, name, ...init),
    })
  }

  #until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    return outside(() => ending(this.#clock, condition, timeoutMs, () => this.#closed))
  }
}

/** Blocks of lost peers' journals, while their actors are restored. */
const RESTORE_CACHE_BYTES = 32 * 1024 * 1024
