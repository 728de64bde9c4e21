// The one way out of the core: what it wants written, sent and told. Store operations carry an operation number; their
// completion comes back as a `stored` input (input.ts) and is matched to what it was issued for (R6).

import type { BootId, LogKey, PeerId } from './ids.ts'
import type { FactsPatch } from './log-types.ts'
import type { Fact } from './membership/types.ts'
import type { MeshMessage } from './messages.ts'
import type { RescueResult } from './registry/rescue.ts'
import type { CommandResult, JournalClass } from './registry/types.ts'

export type StoreEffect =
  | { readonly type: 'createLog'; readonly op: number }
  | { readonly type: 'append'; readonly op: number; readonly log: LogKey; readonly block: Uint8Array }
  | {
      readonly type: 'ingest'
      readonly op: number
      readonly log: LogKey
      readonly proofs: readonly Uint8Array[]
    }
  | {
      readonly type: 'prove'
      readonly op: number
      readonly log: LogKey
      readonly from: number
      readonly to: number
      readonly maxBytes: number
    }
  | {
      readonly type: 'read'
      readonly op: number
      readonly log: LogKey
      readonly from: number
      readonly to: number
    }
  | { readonly type: 'hash'; readonly op: number; readonly log: LogKey; readonly length: number }
  | { readonly type: 'sync'; readonly op: number }
  | { readonly type: 'persist'; readonly op: number; readonly patch: FactsPatch }
  | { readonly type: 'drop'; readonly op: number; readonly log: LogKey }

/** What a store operation resolved with, by effect type. An ingest that does not verify resolves with null. */
export interface StoreResults {
  createLog: LogKey
  append: { readonly length: number; readonly proof: Uint8Array }
  ingest: number | null
  prove: readonly Uint8Array[]
  read: readonly Uint8Array[]
  hash: string
  sync: undefined
  persist: undefined
  drop: undefined
}

/** Something people want to hear of. */
export type MeshEvent =
  | { readonly kind: 'head'; readonly peer: PeerId; readonly term: number }
  | {
      readonly kind: 'peer'
      readonly peer: PeerId
      readonly boot: BootId
      readonly before: string
      readonly after: string
    }
  | { readonly kind: 'deposed'; readonly old: BootId; readonly boot: BootId }
  | { readonly kind: 'recovering'; readonly boot: BootId; readonly cause: string }
  | { readonly kind: 'warning'; readonly code: string; readonly text: string }

export type Effect =
  | StoreEffect
  | { readonly type: 'send'; readonly to: PeerId; readonly message: MeshMessage }
  | { readonly type: 'publish'; readonly facts: readonly Fact[] }
  | { readonly type: 'want'; readonly peers: ReadonlyMap<PeerId, readonly string[]> }
  /** The committed registry moved on. */
  | { readonly type: 'registry' }
  | { readonly type: 'commandDone'; readonly token: number; readonly result: CommandResult }
  | { readonly type: 'rescued'; readonly token: number; readonly result: RescueResult }
  | {
      readonly type: 'journalOpened'
      readonly token: number
      readonly key: LogKey
      readonly class: JournalClass
    }
  | { readonly type: 'journalFailed'; readonly token: number; readonly why: string }
  | { readonly type: 'appended'; readonly token: number; readonly index: number }
  /** The block will never be acknowledged: its journal was closed without it. */
  | { readonly type: 'abandoned'; readonly token: number }
  | { readonly type: 'confirmed'; readonly token: number }
  | { readonly type: 'journalSynced'; readonly token: number }
  /** Everything issued under `old` is void: its waiting tokens are never answered. */
  | { readonly type: 'deposed'; readonly old: BootId; readonly boot: BootId }
  | { readonly type: 'rolled'; readonly from: LogKey; readonly to: LogKey }
  | { readonly type: 'event'; readonly event: MeshEvent }
  /** The mesh knows a newer state of this store: the directory is a copy or a restored backup. */
  | { readonly type: 'storeForeign'; readonly detail: string }
  /** The mesh has another key for what actors store. */
  | { readonly type: 'keyRefused'; readonly detail: string }
  /** This peer has handed over what it could and may stop. `clean`: nothing was left behind. */
  | { readonly type: 'leaveDone'; readonly clean: boolean }
