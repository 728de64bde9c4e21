// The one way into the core. Everything that happens to a peer is one of these.

import type { StoreResults } from './effect.ts'
import type { BootId, LogKey, PeerId } from './ids.ts'
import type { Fact, PeerDescription } from './membership/types.ts'
import type { MeshMessage } from './messages.ts'
import type { Command, JournalClass } from './registry/types.ts'

export type Input =
  | { readonly type: 'start' }
  | { readonly type: 'tick' }
  | { readonly type: 'connected'; readonly peer: PeerId; readonly boot: BootId }
  | { readonly type: 'disconnected'; readonly peer: PeerId; readonly boot: BootId; readonly refused: boolean }
  | { readonly type: 'message'; readonly from: PeerId; readonly boot: BootId; readonly message: MeshMessage }
  | { readonly type: 'gossip'; readonly from: PeerId; readonly facts: readonly Fact[] }
  | { readonly type: 'stored'; readonly op: number; readonly result: StoreResults[keyof StoreResults] }
  /** The operation was about a log, or blocks of it, that this store does not hold (any more). */
  | { readonly type: 'storeVoid'; readonly op: number }
  | { readonly type: 'command'; readonly token: number; readonly command: Command }
  | { readonly type: 'forget'; readonly token: number }
  | { readonly type: 'openJournal'; readonly token: number; readonly class: JournalClass }
  | {
      readonly type: 'appendJournal'
      readonly token: number
      readonly journal: LogKey
      readonly block: Uint8Array
    }
  | { readonly type: 'confirmJournal'; readonly token: number; readonly journal: LogKey }
  /** The block of that index and all before it are wanted on the disks of a majority. */
  | {
      readonly type: 'syncJournal'
      readonly token: number
      readonly journal: LogKey
      readonly index: number
    }
  | { readonly type: 'describe'; readonly description: PeerDescription }
  | { readonly type: 'load'; readonly load: number }
  | { readonly type: 'leave' }
  /** Without `acceptLoss` it only finds out what a rescue would do. */
  | { readonly type: 'rescue'; readonly token: number; readonly acceptLoss: boolean }
