// What is left of an actor that nobody has called for a while: where this boot wrote its whole state, a few numbers. The
// next call makes it an object again, from the journal's copy in this very store.
//
//  P1 An actor becomes passive only with nothing under way: no call, no record without its acknowledgement, nobody who
//     copies, moves or stops it; and only when its log is whole (A4), so that its one record is all there is.
//  P2 Its table of calls is in that record, and so are the answers that no other record has, until its callers have them (L4).
//  P3 It belongs to one life at one boot, as the object did: it ends with its epoch.

import type { WrittenSnapshot } from '../../checkpoint/actor-log.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { Newest } from './restore-frames.ts'

export interface Passive extends WrittenSnapshot {
  readonly incarnation: number
  readonly epoch: number
  /** Of its record. */
  readonly sequence: number
}

/** Few fields and no more: a host may have very many of these. */
export const passiveOf = (
  { incarnation, epoch }: ActorEntry,
  sequence: number,
  { journal, index, bytes }: WrittenSnapshot,
): Passive => ({ incarnation, epoch, sequence, journal, index, bytes })

export const newestOf = (passive: Passive | undefined): Newest | undefined =>
  passive && { sequence: passive.sequence, journal: passive.journal, index: passive.index }
