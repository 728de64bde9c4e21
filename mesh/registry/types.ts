// The registry: the mesh's own replicated table of peers, boots, journals and actors, and the commands that change
// it. `apply` (apply.ts) is the only code that changes a RegistryState, and it is a pure function of state and command.

import type { ActorKey, BootId, LogKey, PeerId, StoreId } from '../ids.ts'
import type { Keeper } from '../log-types.ts'
import type { Occupancy, Placement } from '../occupancy.ts'
import type { Resources } from '../resources.ts'

/** Which peers may keep an actor's journal, and how many. One open journal per boot and distinct class in use. */
export interface JournalClass {
  readonly level: 'replicated' | 'synced'
  /** Keepers wanted, the host's own store included where it may keep. */
  readonly keepers: number
  /** Only peers with all these labels may keep. */
  readonly labels?: Readonly<Record<string, string>>
  /** Only these peers (ids or names) may keep. */
  readonly peers?: readonly string[]
}

export interface PeerEntry {
  readonly peer: PeerId
  readonly name: string
  readonly store: StoreId
  /** The newest admitted boot. */
  readonly boot: BootId
  readonly addresses: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly types: readonly string[]
  /** What its actors share; nothing when left out. The same for a boot's whole life. */
  readonly resources?: Resources
  /** The key it has, by its id. */
  readonly keyId?: string
  readonly canHost: boolean
  readonly canKeep: boolean
  /** It asked to leave: gets nothing new, its actors move away. */
  readonly leaving: boolean
  /** From before a rescue: the registry may be older than this peer's disk, and can't call that a copy of its own past. */
  readonly outdated?: true
}

export interface BootEntry {
  readonly boot: BootId
  /** Null once its store left the mesh, or the registry was rescued: it can't tell an older state of that disk then. */
  readonly store: StoreId | null
  /** `superseded`: a newer boot of the same peer was admitted; this one waits to be recovered. */
  readonly status: 'live' | 'superseded' | 'dead'
  /** Somebody gave up what is missing: its journals are recovered from whatever keepers answer. Until that is done. */
  readonly lossAccepted?: true
}

export interface JournalEntry {
  readonly key: LogKey
  readonly boot: BootId
  readonly class: JournalClass
  readonly keepers: readonly Keeper[]
  /** Opening order over the whole mesh, from 1. */
  readonly order: number
  readonly status:
    | { readonly kind: 'open' }
    /** Rolled by its writer: everything up to `length` was acknowledged. */
    | { readonly kind: 'closed'; readonly length: number }
    /** Sealed by recovery at `length` blocks with tree hash `hash`. */
    | ({ readonly kind: 'sealed' } & JournalEnd)
}

/** Where recovery ended a journal. */
export interface JournalEnd {
  readonly length: number
  readonly hash: string
  /** So few of its keepers answered that acknowledged records beyond `length` may be lost. */
  readonly loss?: { readonly answered: number; readonly keepers: number }
}

/** Where records of an actor may be found: blocks below `length` of a journal, written under `epoch`. */
export interface Source {
  readonly journal: LogKey
  readonly length: number
  readonly epoch: number
  readonly order: number
}

/** What a user chooses per actor type, fixed when the actor is created. */
export interface ActorOptions {
  /** Starts in a row that may fail before the actor is given up; -1 is no limit. */
  readonly maxRestarts: number
  readonly class: JournalClass
  /** Only peers with all these labels may host. */
  readonly labels: Readonly<Record<string, string>>
  /** What else its type asks of a home, where it asks for anything. */
  readonly placement?: Placement
  /** What it stores, `init` too, is encrypted with that key: only peers that have it can run it. */
  readonly keyId?: string
}

export interface ActorEntry {
  readonly key: ActorKey
  /** +1 each time the name is created again after a delete or stop. */
  readonly incarnation: number
  readonly options: ActorOptions
  /** Arguments of the first activation, encoded by the caller. */
  readonly init: Uint8Array
  /** +1 at every change of home. */
  readonly epoch: number
  readonly home: BootId | null
  readonly sources: readonly Source[]
  /** Opening order of the journal that is known to hold the actor's whole state of this epoch; 0 when none is. */
  readonly base: number
  readonly restarts: number
  /** Starts in a row that came to nothing, by a throw or the loss of the host; none after a steady run. */
  readonly failures?: Failures
  readonly status:
    | { readonly kind: 'running' }
    /** Its host drains it, or drops it where it was killed, appends its release record, and reports it; then it gets a new home. */
    | { readonly kind: 'moving'; readonly to?: PeerId; readonly killed?: true }
    /** The same, and then it is stopped; dead, when it was killed or there is a `cause`; or forgotten, when it was deleted. */
    | {
        readonly kind: 'stopping'
        readonly killed?: true
        readonly deleted?: true
        readonly cause?: string
      }
    | { readonly kind: 'stopped' }
    /** Will not come back: restarts used up, or its state is not recoverable. */
    | { readonly kind: 'dead'; readonly cause: string }
}

export interface Failures {
  readonly count: number
  /** What the last one threw, as long as none has worked since; else empty. */
  readonly cause: string
}

/** What happened to one actor of a lost boot (G6). */
export interface ActorReport {
  readonly actor: ActorKey
  readonly outcome: 'recovered' | 'waiting' | 'stopped' | 'dead'
  readonly detail: string
}
export interface Report {
  readonly id: number
  /** `lost`: a boot and what became of its actors. `rescue`: the registry itself was given up and rescued by `boot`. */
  readonly kind: 'lost' | 'rescue'
  /** Wall-clock milliseconds, for people. */
  readonly at: number
  readonly boot: BootId
  readonly cause: string
  readonly actors: readonly ActorReport[]
  /** Actors beyond the limit of a report, counted by outcome. */
  readonly more: number
}

/** All actors, and what those of one boot take up there. */
export interface Actors extends ReadonlyMap<ActorKey, ActorEntry> {
  at(boot: BootId): Occupancy
}

/** Numbers that an actor had. */
export interface LifeNumbers {
  readonly incarnation: number
  readonly epoch: number
}

/** What is left of actors that were deleted: whoever gets such a name next is above what it had (A7). */
export interface Forgotten {
  /** The newest, each with its last numbers. */
  readonly names: ReadonlyMap<ActorKey, LifeNumbers>
  /** The highest of all older ones: nobody without an entry begins below. */
  readonly floor: LifeNumbers
}

export interface RegistryState {
  readonly meshId: LogKey
  /** The key that every actor's content is encrypted with, by its id; undefined where nothing is encrypted (A8). */
  readonly keyId: string | undefined
  readonly peers: ReadonlyMap<PeerId, PeerEntry>
  readonly boots: ReadonlyMap<BootId, BootEntry>
  readonly journals: ReadonlyMap<LogKey, JournalEntry>
  readonly actors: Actors
  readonly forgotten: Forgotten
  readonly reports: readonly Report[]
  readonly nextOrder: number
  readonly nextReport: number
  /** By generation that ended in a rescue: the first opening order that is not known any more. */
  readonly lostOrders: readonly number[]
  /** Journals ended with possible loss, and where: a copy that is longer is kept aside for people, never deleted. */
  readonly cutJournals: ReadonlyMap<LogKey, number>
  /** Per command issuer: results not yet acknowledged, for exactly-once commands. */
  readonly issued: ReadonlyMap<
    BootId,
    { readonly floor: number; readonly results: ReadonlyMap<number, CommandResult> }
  >
}

export type Command =
  /** Changes nothing; its result tells that everything committed before it is applied here. */
  | { readonly kind: 'noop' }
  | {
      readonly kind: 'admit'
      readonly entry: Omit<PeerEntry, 'leaving' | 'outdated'>
      /** Boots this store may have been admitted under before: one must be the registry's, or the store is foreign. */
      readonly previous: readonly BootId[]
    }
  | { readonly kind: 'leaving'; readonly peer: PeerId; readonly boot: BootId }
  /** Gone for good by its own wish, after its actors moved; frees the peer's entry. */
  | { readonly kind: 'left'; readonly peer: PeerId; readonly boot: BootId }
  /** Keepers are chosen by the head when it appends; an issuer leaves them empty. */
  | {
      readonly kind: 'open'
      readonly journal: LogKey
      readonly boot: BootId
      readonly class: JournalClass
      readonly keepers: readonly Keeper[]
    }
  | { readonly kind: 'close'; readonly journal: LogKey; readonly length: number }
  | { readonly kind: 'retire'; readonly journals: readonly LogKey[] }
  /** The actors' state as of `epoch` is acknowledged in `journal`: older sources are not needed any more. */
  | {
      readonly kind: 'trim'
      readonly journal: LogKey
      readonly boot: BootId
      readonly actors: readonly { readonly actor: ActorKey; readonly epoch: number }[]
    }
  | {
      readonly kind: 'recover'
      readonly boot: BootId
      readonly journals: Readonly<Record<LogKey, JournalEnd>>
      readonly cause: string
      readonly at: number
      /** New homes chosen by the head for the boot's actors; those not named wait without a home. */
      readonly homes: Readonly<Record<ActorKey, BootId>>
    }
  /** Gives up what is missing of a lost boot. The head says why not where it can be recovered without loss. */
  | { readonly kind: 'acceptLoss'; readonly boot: BootId; readonly refusal: string | null }
  | {
      readonly kind: 'create'
      /** Also where the name was stopped; a first call makes only what never existed. */
      readonly again: boolean
      readonly actor: ActorKey
      readonly options: ActorOptions
      readonly init: Uint8Array
      readonly home: BootId | null
    }
  | {
      readonly kind: 'assign'
      readonly actors: readonly { readonly actor: ActorKey; readonly epoch: number; readonly home: BootId }[]
    }
  | { readonly kind: 'move'; readonly actor: ActorKey; readonly epoch: number; readonly to?: PeerId }
  /** Names the incarnation, so that a late repeat can't stop the next one. */
  | { readonly kind: 'stop'; readonly actor: ActorKey; readonly incarnation: number }
  /** Ends the life of that epoch without waiting for its calls; without `restart` the actor's as well. */
  | {
      readonly kind: 'kill'
      readonly actor: ActorKey
      readonly incarnation: number
      readonly epoch: number
      readonly restart: boolean
    }
  /** Stops it where it runs, and then forgets it: its name is free. */
  | { readonly kind: 'delete'; readonly actor: ActorKey; readonly incarnation: number }
  /** The host drained these actors; their release records are acknowledged below `length` of `journal`. */
  | {
      readonly kind: 'released'
      readonly boot: BootId
      readonly journal: LogKey
      readonly length: number
      readonly actors: readonly {
        readonly actor: ActorKey
        readonly epoch: number
        readonly home: BootId | null
      }[]
    }
  /**
   * A start of the actor failed, and its host says why. With `again` it is tried again, unless its restarts are used up, of which
   * it is one where it `counts`; else it ends (`ActorDiedError` carries the cause).
   */
  | {
      readonly kind: 'failed'
      readonly actor: ActorKey
      readonly epoch: number
      readonly cause: string
      readonly again: boolean
      readonly counts: boolean
    }
  /** Starts that worked; with `steady`, a while ago: what failed before is forgiven. */
  | {
      readonly kind: 'started'
      readonly boot: BootId
      readonly steady: boolean
      readonly actors: readonly { readonly actor: ActorKey; readonly epoch: number }[]
    }

/** A command with its issuer's number; `floor` is the issuer's lowest number still unanswered. */
export interface IssuedCommand {
  readonly boot: BootId
  readonly n: number
  readonly floor: number
  readonly command: Command
}

export type CommandResult =
  | { readonly ok: true }
  /** `why` is a stable code; `detail` is for people. */
  | { readonly ok: false; readonly why: RejectReason; readonly detail: string }

export type RejectReason =
  | 'expired'
  | 'boot-dead'
  | 'store-foreign'
  | 'wrong-key'
  | 'name-taken'
  | 'stale-epoch'
  | 'unknown-actor'
  | 'unknown-journal'
  | 'unknown-boot'
  | 'recoverable'
  | 'journal-in-use'
  | 'journals-changed'
  | 'not-home'
  | 'not-leaving'
  | 'no-keepers'
