// What a replicated log is to the protocol: its keepers, its class, and what a keeper must have on disk about it.

import type { BootId, LogKey, PeerId, StoreId } from './ids.ts'

/** A store chosen to hold a copy of a log. The peer says where to find it; only the store counts. */
export interface Keeper {
  readonly peer: PeerId
  readonly store: StoreId
}

/** `registry` and `synced` logs are synced to disk before they are acknowledged; `replicated` ones are written. */
export type LogClass = 'registry' | 'replicated' | 'synced'

/** A Paxos ballot: the number decides, the boot breaks ties. */
export interface Ballot {
  readonly n: number
  readonly boot: BootId
}

/** The registry's next log. Chosen once per registry log (R3). */
export interface Successor {
  /** Counts on in each generation from a start of its own (generation.ts). */
  readonly term: number
  readonly writer: BootId
  readonly key: LogKey
  readonly keepers: readonly Keeper[]
  /** The log it follows, cut at `length` blocks with tree hash `hash` (hex). Null only for log 0 and the first one after a rescue. */
  readonly parent: { readonly key: LogKey; readonly length: number; readonly hash: string } | null
}

/** The one monotone fact a store keeps about the registry: the newest chosen term it knows of. */
export interface Pointer extends Successor {
  /** The key of log 0: the identity of the mesh. */
  readonly meshId: LogKey
  /** The first log of each generation after the founding: the rescues that this term descends from. */
  readonly rescues: readonly LogKey[]
  /** Where the keepers and the writer were last reachable. */
  readonly addresses: Readonly<Record<PeerId, readonly string[]>>
}

/** What a keeper has on disk about one log, beside its blocks. */
export interface LogFacts {
  readonly key: LogKey
  readonly class: LogClass
  /** The operating-system boot under which the log was first written here; older than the present one: tainted. */
  readonly systemBoot: string
  /** The journal's opening order in the registry; a registry log's term. */
  readonly order: number
  /** Set for good once sealed: the length that the seal answered with, its tree hash, and what was promised. */
  readonly seal?: { readonly length: number; readonly hash: string; readonly tainted: boolean }
  readonly promised?: Ballot
  readonly accepted?: { readonly ballot: Ballot; readonly successor: Successor }
  readonly retired?: boolean
  /** Of a retired log: its blocks are gone from this disk. */
  readonly dropped?: boolean
}

/** Everything small that a store keeps. Changed atomically and always synced. */
export interface StoreFacts {
  readonly storeId: StoreId
  /** Boot nonces that this store may have been admitted under: the last known to be, and those tried since. */
  readonly boots: readonly BootId[]
  readonly pointer?: Pointer
  readonly logs: Readonly<Record<LogKey, LogFacts>>
  /** Journals with a lower opening order of which there are no facts were retired, and their names forgotten (K9). */
  readonly journalFloor?: number
  /** Last known addresses of peers, newest knowledge wins. */
  readonly peers: Readonly<Record<PeerId, readonly string[]>>
}

/** A change of {@link StoreFacts}: given fields replace the stored ones, per log and per peer; `null` removes a log. */
export interface FactsPatch {
  readonly boots?: readonly BootId[]
  readonly pointer?: Pointer
  readonly logs?: Readonly<Record<LogKey, LogFacts | null>>
  readonly journalFloor?: number
  readonly peers?: Readonly<Record<PeerId, readonly string[]>>
}
