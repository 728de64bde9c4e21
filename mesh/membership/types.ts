// What peers tell each other about peers. Facts are opinions about liveness plus each peer's own description of
// itself; nothing here ever makes anything safe (R8), it only triggers work.

import type { BootId, PeerId, StoreId } from '../ids.ts'
import type { Resources } from '../resources.ts'

/** What a peer says of itself. Only the peer itself makes a new version of it, with a higher incarnation. */
export interface PeerDescription {
  readonly name: string
  readonly store: StoreId
  /** Multiaddresses with the peer ID. */
  readonly addresses: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Actor types this peer can run. */
  readonly types: readonly string[]
  /** What its actors share; nothing when left out. */
  readonly resources?: Resources
  /** Which key it has for what actors store, by the key's id; left out where it has none. */
  readonly keyId?: string
  readonly canHost: boolean
  readonly canKeep: boolean
}

export type Liveness = 'alive' | 'suspect' | 'dead' | 'left'

/**
 * One fact about one boot of a peer. Ordered by (boot generation as first seen, incarnation, liveness rank):
 * a higher incarnation wins; at the same incarnation left > dead > suspect > alive.
 */
export interface Fact {
  readonly peer: PeerId
  readonly boot: BootId
  /** Milliseconds of wall time at the boot's start: orders boots of one peer. A hint only. */
  readonly startedAt: number
  readonly incarnation: number
  readonly liveness: Liveness
  /** Who holds this opinion, for counting independent confirmations of a suspicion. */
  readonly by: PeerId
  readonly description: PeerDescription
  /** Actors hosted, as last told; moves placement, never correctness. */
  readonly load: number
}

/** One line of a peer's view. */
export interface Member extends Fact {
  /** Monotonic milliseconds at which this liveness was entered here. */
  readonly since: number
  /** True while a direct connection to this very boot is open. */
  readonly connected: boolean
}

/** Messages between two peers, and facts for everybody (gossip). */
export type MembershipMessage =
  | { readonly kind: 'view'; readonly facts: readonly Fact[]; readonly reply: boolean }
  | { readonly kind: 'ping'; readonly seq: number; readonly facts: readonly Fact[] }
  | { readonly kind: 'pong'; readonly seq: number; readonly facts: readonly Fact[] }
  | { readonly kind: 'pingReq'; readonly seq: number; readonly target: PeerId }
  | { readonly kind: 'pingAck'; readonly seq: number; readonly target: PeerId; readonly ok: boolean }

export interface MembershipSettings {
  /** Time between two probes this peer starts. */
  readonly probeIntervalMs: number
  /** Wait for a direct answer before asking others. */
  readonly probeTimeoutMs: number
  /** Peers asked to probe in our stead. */
  readonly indirectProbes: number
  /** Suspicion lasts at least this long when enough others confirm it… */
  readonly suspicionMinMs: number
  /** …and at most this long when nobody does. */
  readonly suspicionMaxMs: number
  /** A dead or departed member is remembered this long, so that old gossip cannot revive it. */
  readonly forgetAfterMs: number
}

export type MembershipInput =
  | { readonly type: 'tick' }
  | { readonly type: 'gossip'; readonly from: PeerId; readonly facts: readonly Fact[] }
  | { readonly type: 'message'; readonly from: PeerId; readonly message: MembershipMessage }
  | { readonly type: 'connected'; readonly peer: PeerId; readonly boot: BootId }
  /** `refused`: the connection closed and a re-dial was refused at once: the process is gone. */
  | { readonly type: 'disconnected'; readonly peer: PeerId; readonly boot: BootId; readonly refused: boolean }
  | { readonly type: 'describe'; readonly description: PeerDescription }
  | { readonly type: 'load'; readonly load: number }
  /** This peer leaves for good, gracefully. */
  | { readonly type: 'leave' }
  /** This peer takes a new boot nonce in place (it was deposed). */
  | { readonly type: 'reboot'; readonly boot: BootId; readonly startedAt: number }

export type MembershipEffect =
  | { readonly type: 'publish'; readonly facts: readonly Fact[] }
  | { readonly type: 'send'; readonly to: PeerId; readonly message: MembershipMessage }
  /** A member's liveness, boot or description changed in this peer's view. */
  | {
      readonly type: 'changed'
      readonly peer: PeerId
      readonly before: Liveness | 'unknown'
      readonly after: Liveness
    }
