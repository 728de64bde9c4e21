// What the actors of one boot share.

import type { MakeRef } from '../../checkpoint/reference.ts'
import type { BootId } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { JournalReader } from './journal-reader.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { RestoredFrom } from './restorer.ts'
import type { ActorContext } from './types.ts'

export interface RuntimeLimits {
  /** Calls waiting or running per actor; beyond it calls are refused, because a queue that long is never caught up with. */
  readonly mailboxLimit: number
  /** Encoded bytes of one call's arguments, of its result and of its change: what one frame carries. */
  readonly maxBytes: number
}

export const defaultLimits: RuntimeLimits = { mailboxLimit: 10_000, maxBytes: 64 * 1024 * 1024 }

export interface HomeServices {
  readonly mesh: MeshHandle
  readonly journals: JournalWriter
  readonly reader: JournalReader
  readonly limits: RuntimeLimits
  /** Makes references in states and arguments usable. */
  readonly makeRef: MakeRef
  readonly clock: Clock
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly context: (entry: ActorEntry, restored: boolean) => ActorContext
  /** The committed registry refuses this boot's calls for ever. */
  readonly isGone: (boot: BootId) => boolean
  readonly reportFailed: (entry: ActorEntry, cause: string) => void
  readonly reportRecovered: (entry: ActorEntry, restored: RestoredFrom) => void
}
