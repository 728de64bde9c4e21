// The public shapes of a node: what an app passes in, what it can ask, what it is told. Only types live here, so that
// the command line and the control socket can depend on the API without depending on how a node is built.

import type { Logger } from 'pino'
import type { Report } from '../mesh/registry/types.ts'
import type { MeshSettings } from '../mesh/settings.ts'
import type { ActorClass, ActorRef, AnyActor, AnyRef, CreateOptions } from './actors/types.ts'

/** How one call is made. */
export interface CallOptions {
  /** Milliseconds until the call gives up with `CALL_TIMEOUT`, retries included. Default 30 000. */
  readonly timeoutMs?: number
  /** Retries after a lost host; the call's id stays the same, so its effect happens once. -1 (default): until the timeout. */
  readonly retries?: number
  /**
   * Aborting it rejects the call at once with `CALL_CANCELLED`. Its host is told: what still waits there never runs, what
   * runs sees `this.context.signal` aborted, as do the calls made by it. What was made durable stays.
   */
  readonly signal?: AbortSignal
}

/** The protocol's time-outs and limits (mesh/settings.ts says what each is for); those left out keep their defaults. */
export type NodeSettings = Partial<MeshSettings>

export interface NodeOptions {
  /** The peer's disk: identity, secret, logs. Created when missing. One process per directory (`DATA_DIR_IN_USE`). */
  readonly dataDir: string
  /** For people; need not be unique. Default: the machine's host name and the end of the peer id. */
  readonly name?: string
  /** Multiaddresses or `host:port`. Default `/ip4/127.0.0.1/tcp/0`: this machine only, last used or any free port. */
  readonly listen?: readonly string[]
  /** Peers to make first contact with. With one of these a peer never founds a mesh. */
  readonly join?: readonly string[]
  /** From `mesh invite`: addresses, secret and mesh id in one string. */
  readonly invite?: string
  /** The mesh's secret; otherwise the one in the data directory, or a new one when founding. */
  readonly secret?: string
  readonly actors?: readonly ActorClass[]
  /** For placement: `zone`, or whatever actors ask for in their options. */
  readonly labels?: Readonly<Record<string, string>>
  /** What the actors here share, by names of your choice, such as `{ gpu: 2 }`; types ask for it in their options. */
  readonly resources?: Readonly<Record<string, number>>
  /** Find peers of the same mesh on the local network. Default false. */
  readonly mdns?: boolean
  /** Run actors here. Default true. */
  readonly host?: boolean
  /** Keep copies of other peers' logs. Default true. */
  readonly keep?: boolean
  readonly settings?: NodeSettings
  readonly logger?: Logger
  /** Serve the local control socket that the `mesh` commands use. Default false. */
  readonly control?: boolean
}

export interface PeerRef {
  readonly peerId: string
  readonly name: string
}

export interface NodeStatus {
  readonly peerId: string
  readonly name: string
  readonly boot: string
  /** The mesh's identity; empty until the registry was reached for the first time. */
  readonly meshId: string
  readonly head: PeerRef | null
  readonly isHead: boolean
  /** Rescues of the registry that this mesh went through; its terms count from 0 after each. */
  readonly generation: number
  /** The registry's term as known here; -1 before there is one. */
  readonly term: number
  /** Members alive or suspect, this peer included. */
  readonly members: number
  readonly actorsHere: number
  /** Actors of the registry that are neither stopped nor dead. */
  readonly actorsTotal: number
  /** What this peer offers, by name. */
  readonly resources: Readonly<Record<string, ResourceStatus>>
  readonly registryKeepers: number
  /** True once this very start is in the registry: it may host and keep. */
  readonly admitted: boolean
  /** Sentences for people, such as: two peers have no majority without both. */
  readonly warnings: readonly string[]
  readonly uptimeMs: number
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number }
  /** Since start, protocol and calls. */
  readonly messages: { readonly sent: number; readonly received: number }
}

/** Of one resource of a peer; `used` by the actors at home there. */
export interface ResourceStatus {
  readonly offered: number
  readonly used: number
}

export interface MemberStatus {
  readonly peerId: string
  readonly name: string
  readonly liveness: 'alive' | 'suspect' | 'dead' | 'left'
  readonly self: boolean
  readonly head: boolean
  readonly addresses: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** By name; what its present boot offers. */
  readonly resources: Readonly<Record<string, ResourceStatus>>
  readonly types: readonly string[]
  /** Actors hosted. */
  readonly actors: number
  readonly host: boolean
  readonly keep: boolean
  /** Milliseconds for which this liveness has held. */
  readonly sinceMs: number
}

export interface ActorStatus {
  readonly type: string
  readonly name: string
  readonly status: 'running' | 'moving' | 'stopping' | 'stopped' | 'dead' | 'waiting'
  /** Its host; null while it has none. */
  readonly peer: PeerRef | null
  /** +1 at every change of host. */
  readonly epoch: number
  readonly restarts: number
  /** Why it is dead or waiting. */
  readonly cause?: string
  /** Who holds everything that its recovery would need; fewer for a moment after a change of host or keepers. */
  readonly keepers: readonly PeerRef[]
  /** How many there are where as many peers may keep it: its option `keepers`. */
  readonly keepersWanted: number
  readonly durability: 'replicated' | 'synced'
}

/** What a rescue of the registry would do, or did (docs/adr/0009). */
export interface RescueOutcome {
  readonly done: boolean
  /** The longest copy of the registry that was found: its generation, term and records, and who has it. */
  readonly generation: number
  readonly term: number
  readonly records: number
  readonly holder: PeerRef
  /** Keepers of the registry before, and those of them that did not answer. */
  readonly keepers: readonly PeerRef[]
  readonly missing: readonly PeerRef[]
  /** What became of every actor; empty when nothing was done. */
  readonly reports: readonly Report[]
}

/** What giving up the missing part of a lost boot would mean, or did. */
export interface RecoverOutcome {
  readonly done: boolean
  readonly boot: string
  readonly peer: PeerRef
  /** Actors whose state is concerned, as `<type>/<name>`. */
  readonly actors: readonly string[]
  /** What its recovery waits for, where this peer is the head; else empty. */
  readonly waitingFor: string
  readonly reports: readonly Report[]
}

/** One actor of a lost peer, as its incident report tells it. */
export interface ActorRecovered {
  readonly type: string
  readonly name: string
  readonly outcome: 'recovered' | 'waiting' | 'stopped' | 'dead'
  /** The record it was recovered at, or why it was not. */
  readonly detail: string
}

/** An actor on this very peer. */
export interface ActorHere {
  readonly type: string
  readonly name: string
  readonly epoch: number
}

export interface NodeEvents {
  readonly 'peer:joined': PeerRef
  readonly 'peer:lost': PeerRef & { readonly liveness: 'dead' | 'left' }
  readonly 'actor:recovered': ActorRecovered
  /** An object of an actor was made on this peer and serves; `restored`: with a state from a log. */
  readonly 'actor:started': ActorHere & { readonly restored: boolean }
  /** Nobody called it for its `idleMs`: only where its state lies is left in this peer's memory. */
  readonly 'actor:passivated': ActorHere
  /** The actor is not on this peer any more. */
  readonly 'actor:stopped': ActorHere & { readonly reason: 'moved' | 'stopped' | 'dead' }
  readonly 'head:changed': { readonly head: PeerRef | null; readonly term: number }
  /** This peer's journals were sealed: it dropped its actors and goes on as a new boot. */
  readonly deposed: { readonly boot: string }
  /** A one-way call from an actor at home here, or from this app, came to nothing. */
  readonly 'send:failed': SendOutcome
  /** The method of an alarm of an actor at home here threw. */
  readonly 'alarm:failed': AlarmOutcome
  readonly warning: { readonly code: string; readonly text: string }
}

export interface ActorName {
  readonly type: string
  readonly name: string
}

export interface SendOutcome extends ActorName {
  /** The actor whose method sent it; undefined: the app. */
  readonly from: ActorName | undefined
  readonly method: string
  /** What the method threw, or why it was not called. */
  readonly error: unknown
}

export interface AlarmOutcome extends ActorName {
  readonly id: string
  readonly method: string
  /** From 1. */
  readonly attempt: number
  /** False: it is given up, or an interval that goes on with its next time. */
  readonly willRetry: boolean
  readonly error: unknown
}

export interface MeshNode {
  readonly peerId: string
  readonly name: string
  readonly dataDir: string
  /** Resolves when the node has stopped, whoever stopped it. */
  readonly closed: Promise<void>

  /** A typed reference. The actor is created by the first call, with `init` as its constructor's arguments. */
  actor<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  actor(type: string, name: string, ...init: unknown[]): AnyRef
  /** The untyped call: get-or-create, call, resolve with the method's result. Rejects with a MeshError or ActorError. */
  call(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown>
  /** The untyped call of a generator method: its items. `timeoutMs` is the longest wait for one of them. */
  iterate(
    type: string,
    name: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): AsyncIterable<unknown>

  status(): NodeStatus
  members(): readonly MemberStatus[]
  /** Every actor of the mesh, as this peer's copy of the registry has it. */
  actors(): readonly ActorStatus[]
  /** What happened to the actors of lost peers, oldest first, a bounded number. */
  reports(): readonly Report[]
  /** One string with addresses, secret and mesh id. Whoever has it can join: hand it over as you would a password. */
  invite(): Promise<string>
  /**
   * Creates an actor before its first call, and one whose name was stopped again: a call alone makes only what never
   * existed, so that a late one does not bring a stopped actor back. Needs the class here. Rejects with BAD_INPUT when
   * it exists, or with options that can't be; with MESH_UNAVAILABLE, `executed: 'unknown'`, when this peer was given up
   * meanwhile.
   */
  createActor(type: string | ActorClass, name: string, options?: CreateOptions): Promise<void>
  /** Ends an actor for good, with its state; {@link createActor} may use the name again. */
  stopActor(type: string, name: string): Promise<void>
  /**
   * Ends an actor's present life at once, in the middle of what it does and without `onDeactivate`. It starts again from its
   * log, which counts as a restart, and pending calls are retried there; a method that had not returned has changed
   * nothing. With `restart: false` it is over: its calls fail with ActorDiedError.
   */
  killActor(type: string, name: string, options?: { readonly restart?: boolean }): Promise<void>
  /**
   * Stops an actor and forgets it: unlike after {@link stopActor} its next call makes a new one, as if there had never
   * been any. Calls under way are not passed on to that one; they fail with ActorDiedError.
   */
  deleteActor(type: string, name: string): Promise<void>
  /**
   * Past a registry whose majority is lost for good, on one chosen peer; what was committed and no peer that is here has
   * is lost. Without `acceptLoss` it does nothing and says what it would do. Rejects with NOT_NEEDED while a majority is here.
   */
  rescue(options: { readonly acceptLoss: boolean }): Promise<RescueOutcome>
  /**
   * Past journals of a lost boot whose majority is lost for good: its actors go on from what is left. `target`: a boot, or
   * the ID or name of its peer. Rejects with NOT_NEEDED where it can be recovered without loss.
   */
  recover(target: string, options: { readonly acceptLoss: boolean }): Promise<RecoverOutcome>
  /** Hands actors over, tells the others, closes. */
  leave(): Promise<void>
  /** Stops at once, as a crash would, but with files flushed. The peer may come back with its disk. */
  close(): Promise<void>
  /** Returns the function that ends the subscription. */
  on<E extends keyof NodeEvents>(event: E, listener: (detail: NodeEvents[E]) => void): () => void
}
