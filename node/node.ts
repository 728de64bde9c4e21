// A running peer as its app holds it.

import type { Report } from '../mesh/registry/types.ts'
import type { Runtime } from './actors/runtime.ts'
import type { ActorClass, ActorRef, AnyActor, AnyRef, CreateOptions } from './actors/types.ts'
import type {
  ActorStatus,
  CallOptions,
  MemberStatus,
  MeshNode,
  NodeEvents,
  NodeStatus,
  RecoverOutcome,
  RescueOutcome,
} from './api.ts'
import type { ControlServer } from './control/serve.ts'
import type { DataDirectory } from './data-directory.ts'
import type { MeshDriver } from './driver.ts'
import { MeshUnavailableError } from './errors.ts'
import { recoverBoot, rescueMesh } from './giving-up.ts'
import type { NodeEventSource } from './node-events.ts'
import { actorStatuses, memberStatuses, nodeStatus } from './node-status.ts'
import { encodeInvite, type LibP2pNetwork } from './transport/index.ts'

export interface NodeParts {
  readonly directory: DataDirectory
  readonly name: string
  readonly driver: MeshDriver
  readonly network: LibP2pNetwork
  readonly runtime: Runtime
  readonly events: NodeEventSource
  readonly secret: Uint8Array
  /** Monotonic milliseconds. */
  readonly startedAt: number
}

/** Placement goes by it, so it need not be newer than this. */
const LOAD_EVERY_MS = 1000

export class Node implements MeshNode {
  readonly #parts: NodeParts
  readonly #loadTimer: NodeJS.Timeout
  readonly #closed = Promise.withResolvers<void>()
  #control: ControlServer | undefined
  #leaving: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
    const { driver, runtime } = parts
    this.#loadTimer = setInterval(() => driver.load(runtime.load()), LOAD_EVERY_MS)
    this.#loadTimer.unref()
  }

  get peerId(): string {
    return this.#parts.driver.self
  }
  get name(): string {
    return this.#parts.name
  }
  get dataDir(): string {
    return this.#parts.directory.path
  }
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  actor<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  actor(type: string, name: string, ...init: unknown[]): AnyRef
  actor(type: string | ActorClass, name: string, ...init: unknown[]): AnyRef {
    return this.#parts.runtime.ref(type as string, name, ...init)
  }

  call(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    return this.#parts.runtime.call(type, name, method, args, options)
  }
  iterate(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): AsyncIterable<unknown> {
    return this.#parts.runtime.iterate(type, name, method, args, options)
  }

  status(): NodeStatus {
    return nodeStatus(this.#parts)
  }
  members(): readonly MemberStatus[] {
    return memberStatuses(this.#parts.driver)
  }
  actors(): readonly ActorStatus[] {
    return actorStatuses(this.#parts.driver, this.#parts.runtime)
  }
  reports(): readonly Report[] {
    return this.#parts.driver.registry?.reports ?? []
  }

  async invite(): Promise<string> {
    const { driver, network, secret } = this.#parts
    const meshId = driver.pointer?.meshId
    if (meshId === undefined)
      throw new MeshUnavailableError('this peer is not in a mesh yet: it is still looking for a member')
    const others = driver
      .members()
      .filter(({ liveness, peer }) => liveness === 'alive' && peer !== driver.self)
    const addresses = [
      ...network.addresses(),
      ...others.slice(0, MAX_INVITE_PEERS).flatMap(({ description }) => description.addresses),
    ]
    return encodeInvite({ meshId, secret, addresses: addresses.slice(0, MAX_INVITE_ADDRESSES) })
  }

  createActor(type: string | ActorClass, name: string, options?: CreateOptions): Promise<void> {
    return this.#parts.runtime.create(type, name, options)
  }
  stopActor(type: string, name: string): Promise<void> {
    return this.#parts.runtime.stop(type, name)
  }
  killActor(
    type: string,
    name: string,
    { restart = true }: { readonly restart?: boolean } = {},
  ): Promise<void> {
    return this.#parts.runtime.kill(type, name, restart)
  }
  deleteActor(type: string, name: string): Promise<void> {
    return this.#parts.runtime.delete(type, name)
  }

  rescue({ acceptLoss }: { readonly acceptLoss: boolean }): Promise<RescueOutcome> {
    return rescueMesh(this.#parts.driver, acceptLoss)
  }
  recover(target: string, { acceptLoss }: { readonly acceptLoss: boolean }): Promise<RecoverOutcome> {
    return recoverBoot(this.#parts.driver, target, acceptLoss)
  }

  on<E extends keyof NodeEvents>(event: E, listener: (detail: NodeEvents[E]) => void): () => void {
    return this.#parts.events.on(event, listener)
  }

  /** The control socket lives as long as the node. */
  controlledBy(control: ControlServer): void {
    this.#control = control
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#closing ?? this.#parts.driver.leave().then(() => this.close())
    return this.#leaving
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { driver, network, runtime, directory } = this.#parts
    clearInterval(this.#loadTimer)
    runtime.close()
    driver.stop()
    await this.#control?.close()
    await network.stop()
    await directory.store.close().catch(() => {
      // A store that failed can't be closed cleanly; its lock goes with the process.
    })
    this.#closed.resolve()
  }
}

/** An invite should fit a line or two; a few members are enough to be found by. */
const MAX_INVITE_PEERS = 3
const MAX_INVITE_ADDRESSES = 8
