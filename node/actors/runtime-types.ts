// What a runtime is made of and what it offers.

import type { Cipher } from '../../checkpoint/cipher.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import type { ActorStatus, CallOptions } from '../api.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { RuntimeLimits } from './home-services.ts'
import type { KeyValueStore } from './kv-types.ts'
import type { RuntimeEvents, RuntimeLogger } from './runtime-events.ts'
import type { ActorClass, ActorRef, AnyActor, AnyRef, CreateOptions } from './types.ts'
import type { StartThread } from './worker/thread.ts'

export interface RuntimeInit {
  readonly mesh: MeshHandle
  readonly store: LogStore
  readonly clock: Clock
  readonly types: readonly ActorClass[]
  /** With it, what actors store is encrypted; the mesh has no other key. */
  readonly cipher?: Cipher
  readonly logger?: RuntimeLogger
  readonly events?: RuntimeEvents
  readonly limits?: Partial<RuntimeLimits>
  /** Between two slices of long work: others have their turn. Default: a timer of the clock. */
  readonly pause?: () => Promise<void>
  /** For actors with isolation. Default: a worker thread for each. */
  readonly startThread?: StartThread
  /** What references answer to `status()`; without it nothing. */
  readonly statusOf?: (actor: ActorKey) => ActorStatus | undefined
}

/** How far an actor's records are acknowledged. */
export interface Saved {
  readonly durable: number
  /** Records beyond that. */
  readonly unsaved: number
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
  iterate(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): AsyncIterable<unknown>
  /** IDs of the peers that have a daemon of the type, which are the daemons' names. */
  daemons(type: string | ActorClass): readonly string[]
  /** Makes an actor whose name is free or was stopped; a first call makes only what never existed. Rejects when it exists. */
  create(type: string | ActorClass, name: string, options?: CreateOptions): Promise<void>
  /** Ends an actor; resolves when the registry says so. */
  stop(type: string, name: string, timeoutMs?: number): Promise<void>
  /** Ends its present life at once; without `restart` the actor's as well. */
  kill(type: string, name: string, restart: boolean, timeoutMs?: number): Promise<void>
  /** Stops and forgets an actor; resolves when the name is free. */
  delete(type: string, name: string, timeoutMs?: number): Promise<void>
  /** The mesh's key-value store; its shards live on peers like other actors. */
  readonly kv: KeyValueStore
  /** Resolves when the registry gives this boot no actors any more; the mesh's `leaving` command must have been made. */
  drained(timeoutMs: number): Promise<boolean>
  /** Actors with an object here. */
  readonly live: number
  /** Actors that are at home here and of which only their position is in memory. */
  readonly passive: number
  /** Actors that the registry gives to this boot: what placement goes by. */
  load(): number
  /** Why an actor that is at home here does not serve; empty when nothing is wrong. */
  problemOf(actor: ActorKey): string
  /** Of an actor that is at home here and in use. */
  savedOf(actor: ActorKey): Saved | undefined
  /** Calls from here that have no answer yet. */
  readonly pending: number
  /** Sends and alarms that the actors here still have before them. */
  readonly agenda: { readonly sends: number; readonly alarms: number }
  /** Drops everything at once, as a crash would; pending calls fail. */
  close(): void
}
