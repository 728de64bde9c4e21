// Every message two peers exchange about logs and the registry (PROTOCOL.md section 2), as one union. Calls between
// actors are not here: they travel beside the protocol and never change it.

import type { BootId, LogKey, PeerId, StoreId } from './ids.ts'
import type { Ballot, LogClass, Pointer, Successor } from './log-types.ts'
import type { MembershipMessage } from './membership/types.ts'
import type { CommandResult, IssuedCommand } from './registry/types.ts'

/** Why a seal may be taken although its writer was heard of a moment ago. */
export type Force = 'none' | 'refused' | 'consent' | 'newer-boot'

export type LogMessage =
  /** Append: proofs of blocks `from`…; without proofs it asks for an acknowledgement of what is there. */
  | {
      readonly kind: 'app'
      readonly log: LogKey
      readonly store: StoreId
      readonly class: LogClass
      readonly order: number
      readonly from: number
      readonly proofs: readonly Uint8Array[]
      /** The writer's length after these blocks. */
      readonly length: number
      readonly commit: number
      readonly pointer?: Pointer
      /** To be synced before it is acknowledged, whatever the class. */
      readonly sync?: true
    }
  | {
      readonly kind: 'ack'
      readonly log: LogKey
      readonly store: StoreId
      readonly length: number
      /** What of that is known to be on the disk. */
      readonly synced: number
    }
  | { readonly kind: 'logSealed'; readonly log: LogKey; readonly store: StoreId }
  | { readonly kind: 'unknown'; readonly log: LogKey; readonly store: StoreId }
  | {
      readonly kind: 'seal'
      readonly log: LogKey
      readonly store: StoreId
      /** The journal's opening order; a registry log's term. */
      readonly order: number
      readonly ballot: Ballot
      readonly registry: boolean
      readonly force: Force
    }
  | {
      readonly kind: 'sealed'
      readonly log: LogKey
      readonly store: StoreId
      readonly ballot: Ballot
      readonly length: number
      readonly hash: string
      readonly tainted: boolean
      /** Of a journal: what repair has brought beyond that since, on the disk (K4). */
      readonly filled?: { readonly length: number; readonly hash: string }
      readonly accepted?: { readonly ballot: Ballot; readonly successor: Successor }
    }
  | {
      readonly kind: 'nack'
      readonly log: LogKey
      readonly store: StoreId
      readonly ballot: Ballot
      readonly promised: Ballot
    }
  | { readonly kind: 'busy'; readonly log: LogKey; readonly store: StoreId; readonly ballot: Ballot }
  | {
      readonly kind: 'accept'
      readonly log: LogKey
      readonly store: StoreId
      readonly ballot: Ballot
      readonly successor: Successor
    }
  | { readonly kind: 'accepted'; readonly log: LogKey; readonly store: StoreId; readonly ballot: Ballot }
  /** Repair: hold blocks up to `upTo` (tree hash `hash`), from `source`. Allowed on a sealed log. */
  | {
      readonly kind: 'fill'
      readonly log: LogKey
      readonly store: StoreId
      readonly upTo: number
      readonly hash: string
      readonly source: PeerId
    }
  | { readonly kind: 'held'; readonly log: LogKey; readonly store: StoreId; readonly length: number }
  | { readonly kind: 'confirm'; readonly log: LogKey; readonly store: StoreId; readonly round: number }
  | { readonly kind: 'confirmed'; readonly log: LogKey; readonly store: StoreId; readonly round: number }
  /** Blocks of a log from a store that holds them, with their proofs. */
  | {
      readonly kind: 'fetch'
      readonly log: LogKey
      readonly from: number
      readonly upTo: number
      readonly id: number
    }
  | {
      readonly kind: 'fetched'
      readonly log: LogKey
      readonly from: number
      readonly id: number
      readonly proofs: readonly Uint8Array[]
    }

/** A registry log with blocks in a store. */
export interface RegistryCopy {
  readonly log: LogKey
  readonly term: number
  readonly length: number
}

export type RegistryMessage =
  | { readonly kind: 'pointer'; readonly pointer: Pointer }
  /** Committed blocks of the registry log from its writer or any follower; empty as a heartbeat. */
  | {
      readonly kind: 'records'
      readonly log: LogKey
      readonly from: number
      readonly blocks: readonly Uint8Array[]
      readonly commit: number
      /** The writer's last confirm round that a majority of the keepers answered; set by the writer only. */
      readonly round?: number
    }
  | { readonly kind: 'follow'; readonly log: LogKey; readonly from: number }
  | { readonly kind: 'cmd'; readonly issued: IssuedCommand }
  | {
      readonly kind: 'done'
      readonly n: number
      readonly boot: BootId
      readonly result: CommandResult
      readonly log: LogKey
      readonly term: number
      readonly position: number
    }
  /** The incumbent offers the head to a stable peer with a lower ID. */
  | { readonly kind: 'offer'; readonly log: LogKey }
  /** The head asks a writer to go on in a fresh journal. */
  | { readonly kind: 'roll'; readonly journal: LogKey }
  /** A peer that considers a rescue asks what each knows of the registry. */
  | { readonly kind: 'survey'; readonly id: number }
  | {
      readonly kind: 'surveyed'
      readonly id: number
      readonly store: StoreId
      /** Of the sender's pointer; -1 when it has none. */
      readonly term: number
      readonly hearsHead: boolean
      /** It carries out a rescue itself. */
      readonly rescuing: boolean
      /** Registry copies on its disk. */
      readonly copies: readonly RegistryCopy[]
    }

/**
 * What may take a detour through a third peer (L1 in relays.ts): questions and answers that mean the same however they came. Not
 * `app`, `ack`, `confirm` and `records`, which show that two peers reach each other; nor what nobody waits for.
 */
const RELAYABLE = [
  'seal',
  'sealed',
  'nack',
  'accept',
  'accepted',
  'fill',
  'held',
  'fetch',
  'fetched',
  'pointer',
  'cmd',
  'done',
] as const
const relayable: ReadonlySet<string> = new Set(RELAYABLE)

export type RelayedMessage = Extract<
  LogMessage | RegistryMessage,
  { readonly kind: (typeof RELAYABLE)[number] }
>

export const isRelayable = (message: MeshMessage): message is RelayedMessage => relayable.has(message.kind)

export type RelayMessage =
  /** Asks a peer that may have a link to `to` to pass the message on. */
  | { readonly kind: 'relay'; readonly to: PeerId; readonly message: RelayedMessage }
  /** Passed on: `boot` is the one at the other end of the relay's link to `from`. */
  | {
      readonly kind: 'relayed'
      readonly from: PeerId
      readonly boot: BootId
      readonly message: RelayedMessage
    }

export type MeshMessage = LogMessage | RegistryMessage | MembershipMessage | RelayMessage
