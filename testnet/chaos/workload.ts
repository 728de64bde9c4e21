// What clients do to actors while things break, and how their history is judged. Those that are built in are in workloads/; a
// user's own is a module that exports one as `workload`.

/** One call. */
export interface Operation {
  readonly type: string
  readonly name: string
  readonly method: string
  readonly args: readonly unknown[]
}

/** What a client has at hand to choose its next operation. */
export interface Draw {
  /** Of the operation; no other one of the whole run has it. */
  readonly id: string
  /** Uniform in [0, 1), from the seed of the run. */
  readonly random: () => number
  /** The last result that this client had from that actor. */
  readonly seen: (type: string, name: string) => unknown
}

/** `refused`: for sure not executed. `unknown`: an error that leaves it open, or the client's process ended. */
export type Outcome = 'ok' | 'refused' | 'unknown'

/** An operation as its client saw it. Times in milliseconds on a clock that all processes of the machine share. */
export interface Recorded extends Operation {
  readonly id: string
  /** Index of the peer it was called through. */
  readonly peer: number
  readonly start: number
  /** Missing while there is no answer. */
  readonly end?: number
  readonly outcome: Outcome
  readonly result?: unknown
  /** Of the error, if it ended with one. */
  readonly code?: string
}

export interface Workload {
  readonly name: string
  /** Called by every client for every operation. */
  next(draw: Draw): Operation
  /** Reads of the end state; made when everything is healed and the clients have ended. */
  final(): readonly Operation[]
  /**
   * For workloads whose effects go on after their calls, such as sends: whether these answers of `final` show that
   * everything has arrived. They are read again until it says so, for half a minute at most.
   */
  rested?(ends: readonly Recorded[]): boolean
  /**
   * What is wrong with a history, in words; the operations are in no particular order. Asked every few seconds, and at last
   * with `over`: nothing is under way any more. What it throws ends the run.
   */
  check(history: readonly Recorded[], over: boolean): readonly Problem[]
}

/** Which promise a history breaks. */
export type Promised = 'lost' | 'twice' | 'order' | 'conserved'
export interface Problem {
  readonly promise: Promised
  readonly text: string
}

/** The clients of one peer. */
export interface DrivePlan {
  /** URL of a module that exports `workloads`, or one `workload`. */
  readonly workloads: string
  /** Of them, these; all when empty. */
  readonly names: readonly string[]
  readonly clients: number
  /** Between two operations of a client, on average, in milliseconds. */
  readonly paceMs: number
  readonly timeoutMs: number
  readonly seed: number
  /** Makes the operations' ids unique: another one for every start of a peer. */
  readonly prefix: string
}

export type OperationEvent =
  | { readonly kind: 'begun'; readonly id: string; readonly start: number; readonly operation: Operation }
  | {
      readonly kind: 'ended'
      readonly id: string
      readonly end: number
      readonly outcome: Outcome
      readonly result?: unknown
      readonly code?: string
    }
  /** The workload itself does not work: the run is over. */
  | { readonly kind: 'broken'; readonly text: string }

/** Milliseconds on the machine's monotonic clock, the same in every process. */
export const machineNow = (): number => Number(process.hrtime.bigint()) / 1e6
