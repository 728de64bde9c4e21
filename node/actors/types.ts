// The types of the public actor API: what a class may declare, and what a reference to one offers.

import type {
  ActorHistory,
  ActorStatus,
  CallOptions,
  ForkOptions,
  HistoryOptions,
  Receipted,
  RestoreOptions,
} from '../api.ts'
import type { Actor } from './actor.ts'
import type { KeyValueStore } from './kv-types.ts'

/**
 * When the calls that an actor answered are written.
 *
 * - `'every-call'` (default): each before it is answered. All guarantees hold.
 * - `{ everyMs, everyCalls }`, one of them or both: calls are answered at once. A checkpoint of all of them begins with every `everyCalls`-th call,
 *   and `everyMs` milliseconds after the first that is in none. A lost host takes with it at most twice that many of the last answered calls,
 *   none of them older than twice that time; beyond that callers wait.
 * - `'manual'`: at `await this.checkpoint()`, and when the actor rests, moves or stops in good order. A lost host takes all since then with it.
 *
 * What others than its caller know of is never lost: a call that calls another actor, sends or schedules, an alarm, and a call that is a
 * send of another actor's, are written before they are answered (or leave), with all before them.
 */
export type CheckpointPolicy =
  | 'every-call'
  | 'manual'
  | { readonly everyMs?: number; readonly everyCalls?: number }

/**
 * What an actor type chooses. Everything but `readOnly`, `reads`, `checkpoint`, `checkpointPerMethod`, `idleMs`, `isolation` and `maxTaskRetries` is
 * fixed at an actor's creation.
 */
export interface ActorOptionsInput {
  /**
   * Starts in a row that may fail, by the loss of the host, a kill or a throw in `onActivate`, before the actor is given up
   * (`ActorDiedError` with the last cause). Five seconds without trouble, and the count begins anew. -1, the default: no limit.
   */
  readonly maxRestarts?: number
  /** Retries of one call after its host was lost; the effect happens once anyway. -1, the default: until the timeout. */
  readonly maxTaskRetries?: number
  /** How many peers keep the actor's journal, and which may. Default 3. */
  readonly keepers?:
    | number
    | {
        readonly count?: number
        /** Only peers with all these labels. */
        readonly labels?: Readonly<Record<string, string>>
        /** Only these peers, by name or id. */
        readonly peers?: readonly string[]
      }
  /** `replicated` (default) survives machines; `synced` also the power going off everywhere. */
  readonly durability?: 'replicated' | 'synced'
  /** Only peers with all these labels run the actor. */
  readonly labels?: Readonly<Record<string, string>>
  /** Peers with more of these labels first; others where there is no such peer. */
  readonly preferLabels?: Readonly<Record<string, string>>
  /**
   * What the actor takes of its peer's `resources`, such as `{ gpu: 1 }`: it lives only where that much is left, and waits
   * while there is no such peer.
   */
  readonly resources?: Readonly<Record<string, number>>
  /** Spreads the type's actors evenly: over the values of a label (`'zone'`), or over the peers (`'peer'`). */
  readonly spread?: string
  /** Types whose actors never live on the same peer as this one, whichever was there first; may name the type itself. */
  readonly apartFrom?: readonly string[]
  /** `'head'`: lives on the mesh's head, and follows when that changes. Default: anywhere. */
  readonly home?: 'head'
  /**
   * One on every peer that can run it, named by the peer's ID, and pinned there: made when the peer is admitted, always in
   * memory, and waiting while its peer is away. Not with `home`, `spread` and `preferLabels`. `node.daemons(Type)` has them.
   */
  readonly daemon?: boolean
  /**
   * Milliseconds without a call after which the actor is passivated: its object and state leave memory, and the next call
   * reads them back from this peer's disk. Default 600 000, ten minutes (of daemons 0); 0: never.
   */
  readonly idleMs?: number
  /**
   * `'worker'`: each actor runs in a worker thread of its own. An endless loop, `process.exit`, an error outside of a call or
   * a full heap there ends that thread alone; the actor starts again from its log, which counts as a failed start
   * (`maxRestarts`), and the calls that were running are tried again (`maxTaskRetries`).
   * The thread loads the class from its module: the one given to `--actors`, or `worker`.
   */
  readonly isolation?:
    | 'worker'
    | {
        /** The module that exports the class: `new URL('./actors.js', import.meta.url)`. */
        readonly worker?: URL | string
        /** Milliseconds that the thread may go without awaiting anything before it is taken to hang. Default 5000, at least 250. */
        readonly unresponsiveMs?: number
        /** Megabytes of JavaScript heap; typed arrays lie outside of it. Default: as Node.js has it. At least 16. */
        readonly memoryMb?: number
      }
  /** Methods that never change state: they run beside others. */
  readonly readOnly?: readonly string[]
  /** `linearizable` (default), or `local`: read-only methods answer from the last durable state at once, maybe stale. */
  readonly reads?: 'linearizable' | 'local'
  /** Default `'every-call'`. */
  readonly checkpoint?: CheckpointPolicy
  /** Other policies for some methods, by name: `{ pay: 'every-call' }`. */
  readonly checkpointPerMethod?: Readonly<Record<string, CheckpointPolicy>>
}

/** What one actor may have otherwise than its class says. */
export type InstanceOptions = Omit<
  ActorOptionsInput,
  | 'checkpoint'
  | 'checkpointPerMethod'
  | 'daemon'
  | 'idleMs'
  | 'isolation'
  | 'maxTaskRetries'
  | 'readOnly'
  | 'reads'
>

/** How an actor is created. */
export interface CreateOptions {
  /** Its constructor's arguments. */
  readonly init?: readonly unknown[]
  /** In place of the class's options of these names, for this actor only. */
  readonly options?: InstanceOptions
}

/** Why an object of an actor ends: nobody called it, another peer gets it, it was stopped, or this peer leaves the mesh. */
export type DeactivateReason = 'passivated' | 'moving' | 'stopping' | 'leaving'

/** Where and what an actor is: `this.context`. */
export interface ActorContext {
  /** `<type>/<name>`. */
  readonly key: string
  readonly type: string
  readonly name: string
  /** The peer it runs on. */
  readonly peer: string
  readonly boot: string
  /** Recoveries so far. */
  readonly restarts: number
  /** True when the state was read back from a log, false on the very first start. */
  readonly restored: boolean
  /** +1 at every change of home. */
  readonly epoch: number
  /**
   * Of the running call: aborted when its caller cancels it, or the call that it serves. A method that goes on and returns
   * takes effect nevertheless; one that throws has changed nothing. Throws StateError outside of a running method.
   */
  readonly signal: AbortSignal
  /**
   * A reference to another actor. Calls through it, or through a node's references, belong to the running call: they leave
   * when what they depend on is durable, and a repeated execution gets the first one's results.
   */
  actor<A extends AnyActor>(type: ActorClass<A>, name: string, ...init: unknown[]): ActorRef<A>
  actor(type: string, name: string, ...init: unknown[]): AnyRef
  /** The key-value store of the mesh, the same as `node.kv`. */
  readonly kv: KeyValueStore
}

// biome-ignore lint/suspicious/noExplicitAny: any state, as a bound for inference
export type AnyActor = Actor<any>

/**
 * What a class that keeps its state in fields of its own has: both methods, found by their names. Then `this.state` is a field like
 * any other, and stored is what `getState()` gives when a method has returned: plain data, an object. `loadState` gets it back
 * when an object is made from a log, after the constructor. Both answer at once (no promise). They can be called through references, too.
 *
 * After a call that throws the object is thrown away, because its fields may be half changed: the next call gets a new one, made
 * by constructor, `loadState` and `onActivate`, with the state from before the call. Methods in `readOnly` wait their turn; generators and
 * `reads: 'local'` are refused.
 */
export interface OwnState<State> {
  getState(): State
  loadState(state: State): void
}

/** A class of actors with its statics. */
export interface ActorClass<A extends AnyActor = AnyActor> {
  // biome-ignore lint/suspicious/noExplicitAny: constructors of users take what they like
  new (...init: any[]): A
  /** The type's name in the mesh. Default: the class's name. */
  readonly actorName?: string
  readonly options?: ActorOptionsInput
  /** Of its states: raise it when they change their shape. Default 0. A state of a newer version waits for a newer class. */
  readonly version?: number
  /**
   * Makes a state of this version of one of an older. It may change the one it is given, which is its own, and returns the state, at once
   * (no promise). The result is durable before the actor answers anything. While this throws, or is missing, the actor does not start:
   * `ref.status()` says why, and its state stays as it was.
   */
  // biome-ignore lint/suspicious/noExplicitAny: it was a state of whatever the class was then
  migrate?(state: any, fromVersion: number): object
  readonly name: string
}

type Method<F> = F extends (...args: infer Args) => infer Result ? (...args: Args) => Answered<Result> : never

/** Names of the class's public methods. */
type MethodName<A, K extends keyof A> = K extends keyof Actor | 'onActivate' | 'onDeactivate' | `_${string}`
  ? never
  : A[K] extends (...args: never[]) => unknown
    ? K
    : never

/** What a call gives: the items of a generator (`async *`), else a promise of the result. `any` and `never` stay results. */
type Answered<Result> = [Result] extends [never]
  ? Promise<never>
  : 0 extends 1 & Result
    ? Promise<Result>
    : [Result] extends [AsyncIterable<infer Item>]
      ? AsyncIterable<Item>
      : Promise<Awaited<Result>>

/** A reference: the class's public methods, each resolving with the result after the call's effect is durable; generators give their items. */
export type ActorRef<A extends AnyActor> = {
  readonly [K in keyof A as MethodName<A, K>]: Method<A[K]>
} & RefMembers<ActorRef<A>, ReceiptRef<A>> &
  Sending<SendRef<A>>

type WithReceipt<F> = F extends (...args: infer Args) => Promise<infer Value>
  ? (...args: Args) => Promise<Receipted<Value>>
  : never

/** A reference with the option `receipt`: every call gives its result as `value`, beside the `receipt`. */
export type ReceiptRef<A extends AnyActor> = {
  readonly [K in keyof A as MethodName<A, K>]: WithReceipt<Method<A[K]>>
} & RefMembers<ActorRef<A>, ReceiptRef<A>, ReceiptRef<A>> &
  Sending<SendRef<A>>

/** Generators have nothing to give to nobody. */
type OneWay<F> = F extends (...args: infer Args) => infer Result
  ? Answered<Result> extends Promise<unknown>
    ? (...args: Args) => Promise<void>
    : never
  : never

/** The class's public methods as one-way calls: nobody hears their results. */
export type SendRef<A extends AnyActor> = {
  readonly [K in keyof A as MethodName<A, K>]: OneWay<A[K]>
}
/** One-way calls to an actor whose class is not at hand. */
export type AnySendRef = { readonly [method: string]: (...args: unknown[]) => Promise<void> }

export interface Sending<Methods> {
  /**
   * One-way calls. Inside a method of an actor: durable. `ref.send.method(…)` resolves at once; the call becomes part of the
   * running call's change, leaves once that is acknowledged, and is made exactly once, in order per target, whatever fails
   * in between. A method that throws has sent nothing. Rejects with AGENDA_FULL.
   * Elsewhere: a call whose answer nobody waits for. It resolves once this process has taken it over, which ends with the process.
   * A send that comes to nothing is told by the event `send:failed`.
   */
  readonly send: Methods
}

/** An alarm or interval. */
export interface ScheduledCall {
  readonly id: string
  /** When it is due, the next time. */
  readonly at: Date
  /** Undefined: once. */
  readonly everyMs: number | undefined
  readonly method: string
  readonly args: readonly unknown[]
  /** How often its method threw, this time. */
  readonly failures: number
}

/** How something is scheduled. */
export interface ScheduleOptions {
  /** In place of a made-up one; what was scheduled under it before is replaced. At most 256 characters, no # in front. */
  readonly id?: string
}

/**
 * Alarms of one actor. A method is named, or given as it is (`this.schedule.after(1000, this.tick, 5)`), which checks its
 * arguments. Each returns the id. Times are those of the host's wall clock; late ones run at once. The method runs at least
 * once, its change happens exactly once.
 * They throw BAD_INPUT, UNKNOWN_METHOD, AGENDA_FULL (1000 per actor) or TOO_LARGE (64 KiB of arguments).
 */
export interface Schedule<A> {
  /** Once, at a time: a Date, or milliseconds since 1970. At most ten years ahead. */
  at<Args extends readonly unknown[]>(
    when: Date | number,
    method: (...args: Args) => unknown,
    ...args: Args
  ): string
  at(when: Date | number, method: keyof A & string, ...args: unknown[]): string
  /** Once, that many milliseconds from now. */
  after<Args extends readonly unknown[]>(
    ms: number,
    method: (...args: Args) => unknown,
    ...args: Args
  ): string
  after(ms: number, method: keyof A & string, ...args: unknown[]): string
  /** Again and again, first after that many milliseconds, at least 1000. One that missed several times runs once. */
  every<Args extends readonly unknown[]>(
    ms: number,
    method: (...args: Args) => unknown,
    ...args: Args
  ): string
  every(ms: number, method: keyof A & string, ...args: unknown[]): string
  with(options: ScheduleOptions): Schedule<A>
  /** Whether there was one of that id. */
  cancel(id: string): boolean
  /** By time. */
  list(): readonly ScheduledCall[]
}

/** A reference to an actor whose class is not at hand. */
export type AnyRef = {
  readonly [method: string]: (...args: unknown[]) => Promise<unknown>
} & RefMembers<AnyRef, AnyRef> &
  Sending<AnySendRef>

/** `Same`: what it is now. */
export interface RefMembers<Plain, WithReceipts, Same = Plain> {
  /** The same actor, called with other options. */
  readonly with: {
    (options: CallOptions & { readonly receipt: true }): WithReceipts
    (options: CallOptions & { readonly receipt: false }): Plain
    (options: Omit<CallOptions, 'receipt'>): Same
  }
  /** The actor as this peer's copy of the registry has it, at once; undefined when it does not know of any. */
  readonly status: () => ActorStatus | undefined
  /**
   * What the actor's records tell of its past, newest first, as far as they are kept: how long that is depends on how soon the
   * journals they lie in are not needed any more. Only acknowledged records are listed.
   * Rejects with BAD_INPUT for an actor that does not exist.
   */
  readonly history: (options?: HistoryOptions) => Promise<ActorHistory>
  /**
   * Has the state as of an earlier record become the actor's, by a call in its turn that happens once. It is written as a new
   * record, whose number it resolves with; nothing is erased. Calls that were answered stay answered, alarms and sends
   * stay as they are now. Rejects with BAD_INPUT when that record is not kept, MESH_UNAVAILABLE when it can't be read now.
   */
  readonly restore: (from: RestoreOptions) => Promise<number>
  /**
   * Makes a new actor of the same type and options with the state of this one, now or as of a record, and nothing else of it:
   * no alarms, no sends, no calls. Rejects with BAD_INPUT when there is an actor of that name, or the record is not kept. One
   * that is not done (CALL_TIMEOUT) may leave an actor that answers nothing; it is dead after a minute, and its name free for another fork.
   */
  readonly fork: (name: string, options?: ForkOptions) => Promise<void>
}
