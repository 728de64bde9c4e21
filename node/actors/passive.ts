// What is left of an actor that nobody has called for a while: where this boot wrote its whole state, a few numbers. The
// next call makes it an object again, from the journal's copy in this very store.
//
//  P1 An actor becomes passive only with nothing under way: no call, no record without its acknowledgement, nobody who
//     copies, moves or stops it; and only when its log is whole (A4), so that its one record is all there is.
//  P2 Its table of calls is in that record; what it threw is in none, and stays here until its callers have it (L4).
//  P3 It belongs to one life at one boot, as the object did: it ends with its epoch.

import type { WrittenSnapshot } from '../../checkpoint/actor-log.ts'
import type { CallTable } from '../../checkpoint/call-table.ts'
import type { BootId } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'

export interface Passive extends WrittenSnapshot {
  readonly incarnation: number
  readonly epoch: number
  /** Of its record. */
  readonly sequence: number
  readonly thrown: CallTable | undefined
}

export function passiveOf(
  { incarnation, epoch }: ActorEntry,
  sequence: number,
  { journal, index, bytes }: WrittenSnapshot,
  thrown: CallTable | undefined,
  isGone: (boot: BootId) => boolean,
): Passive {
  thrown?.forget(isGone)
  const isNeeded = thrown !== undefined && thrown.size > 0
  return { incarnation, epoch, sequence, journal, index, bytes, thrown: isNeeded ? thrown : undefined } // P2
}
