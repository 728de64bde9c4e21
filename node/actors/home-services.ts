// What the actors of one boot share.

import type { Slicing } from '../../checkpoint/actor-log.ts'
import type { Cipher } from '../../checkpoint/cipher.ts'
import { PIECE_BYTES } from '../../checkpoint/pieces.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { CallerId } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { AgendaServices } from './agenda-services.ts'
import type { Context } from './context.ts'
import type { JournalReader } from './journal-reader.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { Past } from './past.ts'
import type { RestoredFrom } from './restorer.ts'
import type { RuntimeEvents } from './runtime-events.ts'
import type { OpenSeat } from './seat.ts'
import type { Starts } from './starts.ts'

export interface RuntimeLimits {
  /** Calls waiting or running per actor; beyond it calls are refused, because a queue that long is never caught up with. */
  readonly mailboxLimit: number
  /** Encoded bytes of one call's arguments, of its result and of its change: what one frame carries. */
  readonly maxBytes: number
  /** Without a call for this long an actor is passivated, where its type says nothing else. 0: never. */
  readonly idleMs: number
  /** States of about so many bytes and more are written in slices, so that the event loop goes on meanwhile. */
  readonly largeBytes: number
  /** Of a slice, about. */
  readonly sliceBytes: number
}

export const defaultLimits: RuntimeLimits = {
  mailboxLimit: 10_000,
  maxBytes: 64 * 1024 * 1024,
  // A thousand times what a re-activation costs, and short enough that memory follows what is in use.
  idleMs: 10 * 60_000,
  // Encoding so much takes some milliseconds, which is what a slice takes as well.
  largeBytes: 256 * 1024,
  sliceBytes: PIECE_BYTES,
}

export interface HomeServices {
  readonly mesh: MeshHandle
  readonly journals: JournalWriter
  readonly reader: JournalReader
  readonly past: Past
  readonly limits: RuntimeLimits
  readonly slicing: Slicing
  /** Makes references in states and arguments usable. */
  readonly makeRef: MakeRef
  /** For actors that are encrypted; undefined where this peer has no key. */
  readonly cipher: Cipher | undefined
  readonly clock: Clock
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** Resolves as the work does, or with `late` after `ms`. */
  readonly within: <T, L>(work: Promise<T>, ms: number, late: L) => Promise<T | L>
  /** Something went wrong that nobody waits for. */
  readonly warn: (entry: ActorEntry, text: string, error: unknown) => void
  readonly context: (entry: ActorEntry, restored: boolean) => Context
  readonly openSeat: OpenSeat
  /** The committed registry refuses this caller's calls for ever. */
  readonly isGone: (caller: CallerId) => boolean
  readonly agenda: AgendaServices
  readonly starts: Starts
  readonly events: RuntimeEvents
  readonly reportRecovered: (entry: ActorEntry, from: Pick<RestoredFrom, 'sequence' | 'source'>) => void
}
