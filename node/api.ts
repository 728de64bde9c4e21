// The public shapes of a node: what an app passes in, what it can ask, what it is told. Only types live here, so that
// the command line and the control socket can depend on the API without depending on how a node is built.

import type { Logger } from 'pino'
import type { Report } from '../mesh/registry/types.ts'
import type { MeshSettings } from '../mesh/settings.ts'
import type { KeyValueStore } from './actors/kv-types.ts'
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
  /**
   * For read-only methods: the state may be as old as that. It is answered from a copy at this peer where the actor's host
   * vouched for it within that time, else by the host (docs/guarantees.md). Never anything that is not acknowledged, and never
   * older than what this peer has seen of the actor. Ignored inside actors, and for classes with `onActivate`.
   */
  readonly reads?: { readonly maxLagMs: number }
  /**
   * How durable what the call did, or what it saw, is to be before it is answered, where that is more than the actor's type asks for.
   * `'replicated'`: its record is acknowledged by a majority of the keepers, under a relaxed `checkpoint`, too. `'synced'`: it is also on the disks
   * of a majority, each of which said so. Not for sends and generators (`BAD_INPUT`).
   */
  readonly durability?: Durability
  /** The call gives `{ value, receipt }` in place of its result. Not for sends and generators (`BAD_INPUT`). */
  readonly receipt?: boolean
}

export type Durability = 'replicated' | 'synced'

/** Where what a call did, or what it saw, is kept: as it was when the call was answered. */
export interface Receipt {
  /** The actor's record of the call's change, or the last one that the call saw: +1 with each record of the actor. */
  readonly record: number
  /** The journal, and its block, that has that record or a later one with everything in it; '' and -1 while it is in none. */
  readonly journal: string
  readonly block: number
  /** IDs of the peers that had acknowledged that block. */
  readonly keepers: readonly string[]
  /** `'unsaved'`: answered before it was written, as a relaxed `checkpoint` allows. */
  readonly durability: Durability | 'unsaved'
}

/** What a call with `receipt` gives. */
export interface Receipted<Value> {
  readonly value: Value
  readonly receipt: Receipt
}

/** The protocol's time-outs and limits (mesh/settings.ts says what each is for); those left out keep their defaults. */
export type NodeSettings = Partial<MeshSettings>

/** What a peer is made of. */
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
  /**
   * Encrypts what actors store (states, arguments, results, agendas) before it leaves this process for any disk. `key`: 32
   * random bytes, 64 hex digits or base64. Every peer that runs actors needs the same one (`WRONG_KEY`); one without it
   * keeps copies that it can't read. To be given from the first actor of a mesh on.
   */
  readonly encryption?: { readonly key: Uint8Array | string }
  readonly settings?: NodeSettings
  readonly logger?: Logger
  /** Serve the local control socket that the `mesh` commands use. Default false. */
  readonly control?: boolean
}

/** A peer by its ID, and its name for people. */
export interface PeerRef {
  readonly peerId: string
  readonly name: string
}

/** One of a type's daemons. */
export interface Daemon<Ref> {
  /** Where it lives, now or when that peer is back. */
  readonly peer: PeerRef
  readonly ref: Ref
}

/** This peer, as it sees itself and the mesh at the moment. */
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
  /** These keepers are as many live peers as they can be. Until then a further loss may leave the mesh without a head. */
  readonly registrySafe: boolean
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

/** A peer in this peer's view of the mesh. */
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
  /** Of actors that can run there; those of the mesh's own are not listed. */
  readonly types: readonly string[]
  /** Actors hosted. */
  readonly actors: number
  readonly host: boolean
  readonly keep: boolean
  /** Which encryption key it has, by its id; left out where it has none. */
  readonly keyId?: string
  /** Milliseconds for which this liveness has held. */
  readonly sinceMs: number
}

/** An actor in this peer's copy of the registry. */
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
  /** Of a daemon: the ID of its peer, the only one that it lives on. */
  readonly daemonOf?: string
  readonly durability: 'replicated' | 'synced'
  /** Only where this peer is its host and has it in use: the number of its last durable record… */
  readonly durable?: number
  /** …and how many records, one per call that changed something, are not durable yet. */
  readonly unsaved?: number
}

/** What of a past is listed. */
export interface HistoryOptions {
  /** At most that many records, 1 to 1000, and the changes that are in one of them. Default 50. */
  readonly limit?: number
  /** Only records with lower numbers: the last one of the page before. */
  readonly before?: number
}

/**
 * What made a record: a call, an alarm, `onActivate` or `onDeactivate`, the actor's agenda; a restore or a fork; or nobody,
 * where the state was written as a whole for the sake of the log, or for the next host. Of an encrypted actor a journal does
 * not say what was called.
 */
export type HistoryKind =
  | 'call'
  | 'alarm'
  | 'hook'
  | 'agenda'
  | 'restore'
  | 'fork'
  | 'snapshot'
  | 'release'
  | 'encrypted'

/** One record of an actor. */
export interface HistoryRecord {
  /** +1 with each, over all hosts. */
  readonly record: number
  /** Wall-clock milliseconds of the host that wrote it. */
  readonly at: number | undefined
  readonly kind: HistoryKind
  /** The method; of a restore the record, of a fork the actor it was made from. */
  readonly method: string | undefined
  /** The peer ID or `<type>/<name>` of who called, where somebody did and it is known. */
  readonly caller: string | undefined
  /** What it takes in the log; 0 where it is in another one. */
  readonly bytes: number
  /** Of the home that wrote it. */
  readonly epoch: number
  /** It holds the whole state. */
  readonly whole: boolean
  /** The actor can be restored or forked at it. */
  readonly restorable: boolean
  /** The record that holds this change, which has none of its own. */
  readonly foldedInto: number | undefined
}

/** An actor's past, as far as it is kept and could be read. */
export interface ActorHistory {
  /** Newest first. */
  readonly records: readonly HistoryRecord[]
  /** Numbers of which nothing is kept, `to` included: trimmed with their journals, or of another life of a host. */
  readonly missing: readonly { readonly from: number; readonly to: number }[]
  /** Why parts of the log could not be read now: what is `missing` may be there. */
  readonly unreadable: readonly string[]
}

export interface RestoreOptions {
  readonly record: number
}

export interface ForkOptions {
  /** Default: the state as it is. */
  readonly record?: number
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

/** Events of a node with their details. */
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

/** Which actor. */
export interface ActorName {
  readonly type: string
  readonly name: string
}

/** A one-way call that came to nothing. */
export interface SendOutcome extends ActorName {
  /** The actor whose method sent it; undefined: the app. */
  readonly from: ActorName | undefined
  readonly method: string
  /** What the method threw, or why it was not called. */
  readonly error: unknown
}

/** An alarm whose method threw. */
export interface AlarmOutcome extends ActorName {
  readonly id: string
  readonly method: string
  /** From 1. */
  readonly attempt: number
  /** False: it is given up, or an interval that goes on with its next time. */
  readonly willRetry: boolean
  readonly error: unknown
}

/** A peer of the mesh, as the app has it. */
export interface MeshNode {
  readonly peerId: string
  readonly name: string
  readonly dataDir: string
  /** Resolves when the node has stopped, whoever stopped it. */
  readonly closed: Promise<void>

  /** A typed reference. The actor is created by the first call, with `init` as its constructor's arguments. */
  actor<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  actor(type: string, name: string, ...init: unknown[]): AnyRef
  /**
   * The daemons of a type (`static options = { daemon: true }`), one for each peer that has one, those that are away
   * too: their calls wait for them. As this peer's copy of the registry has them.
   */
  daemons<A extends AnyActor>(type: ActorClass<A>): readonly Daemon<ActorRef<A>>[]
  daemons(type: string): readonly Daemon<AnyRef>[]
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

  /** A small key-value store that all peers of the mesh share; works on peers that run no actors too. */
  readonly kv: KeyValueStore

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
