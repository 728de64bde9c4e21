// Where an object of an actor is and its methods run: in this thread (local-seat.ts), or in a worker thread of its own
// (worker/remote-seat.ts). Only what a method did comes back from there, encoded. Journal, calls and gates are this side's.
//
//  I1 Nothing that happens at a seat counts before this side has committed it, and what a lost seat was at comes to nothing.
//  I2 A seat sees states in the order they were committed: `changed` for every record, before any work on it.
//  I3 A seat is lost once, alone, and with its cause; after that it does nothing, and another is taken.

import type { Patches } from 'mutative'
import type { Context } from './context.ts'
import type { ErrorFrame } from './remote-error.ts'
import type { CallScopeInit } from './scope.ts'
import type { TypeInfo } from './type-info.ts'

/** The state after one record. */
export interface Version {
  readonly sequence: number
  readonly state: object
  /** Nothing reads older ones any more. */
  readonly durable: number
}

/** What the calls that a method makes belong to. */
export type WorkScope = Omit<CallScopeInit, 'owner' | 'draft'>

/** One run of a method, or of a hook, whose result is nobody's. */
export interface Work {
  readonly kind: 'write' | 'read' | 'series' | 'hook'
  readonly method: string
  /** Encoded. */
  readonly args: Uint8Array
  readonly base: Version
  readonly scope: WorkScope
}

/** What a method returned, and the change it made of its base. `left`: it called others, or asked for a checkpoint. */
export interface Done {
  readonly result: Uint8Array
  readonly patches: Uint8Array | undefined
  readonly left: boolean
}

/** Or what it threw: then it has changed nothing. */
export type Outcome = Done | { readonly error: ErrorFrame }

/** An item; or the end, with what the generator threw. */
export type Step =
  | { readonly item: Uint8Array }
  | { readonly item: undefined; readonly error: ErrorFrame | undefined }

/** One run of a generator. */
export interface SeatSeries {
  /** Rejects with SeatLost. One at a time. */
  next(): Promise<Step>
  /** Ends the generator where it is. Idempotent. */
  end(): Promise<void>
}

export interface Seat {
  /** Encoded: what the constructor set; empty unless that was asked for, and once it has begun. */
  readonly initial: Uint8Array
  /**
   * The state that the object begins with; `isInitial`: the one that its constructor set. Once, before any work. Rejects with
   * UnfitState when the class can't take it, or with SeatLost.
   */
  begin(version: Version, isInitial: boolean): Promise<void>
  /** In place of the object another one, of this state (O2 in own-state.ts). Rejects as its making and `begin` do. */
  renew(version: Version): Promise<void>
  /** Rejects with SeatLost, else with nothing. */
  run(work: Work): Promise<Outcome>
  series(work: Work): SeatSeries
  /** A record was made: its patches, encoded and as they were applied. */
  changed(version: Version, bytes: Uint8Array, applied: Patches): void
  /** A record was made, or the object is about to end: for classes of the mesh's own (built-in.ts). */
  tell(isEnding: boolean): void
  /** Throws SeatLost when it was lost. */
  check(): void
  /** The object is not needed any more, whatever it does. Idempotent. */
  end(): void
}

export interface SeatInit {
  readonly info: TypeInfo
  readonly context: Context
  /** Encoded arguments of the constructor; empty for none. */
  readonly init: Uint8Array
  /** Its state is what the constructor sets. */
  readonly isFresh: boolean
  /** Aborted: the seat is not needed any more, whatever it is at. */
  readonly signal: AbortSignal | undefined
  /** It was lost (I3), maybe before it was given out; never after `end`. */
  readonly lost: (seat: Seat, cause: string) => void
}

/** Makes an object. Rejects with what its constructor throws, or with SeatLost. */
export type OpenSeat = (init: SeatInit) => Promise<Seat>

/** What was running came to nothing. Inside the host only. */
export class SeatLost extends Error {
  override name = 'SeatLost'
}
