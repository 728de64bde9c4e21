// The types of the public actor API: what a class may declare, and what a reference to one offers.

import type { CallOptions } from '../api.ts'
import type { Actor } from './actor.ts'

/** What an actor type chooses. Everything but `readOnly`, `reads` and `maxTaskRetries` is fixed at an actor's creation. */
export interface ActorOptionsInput {
  /** Recoveries before the actor is given up (`ActorDiedError`). -1, the default: no limit. */
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
  /** Methods that never change state: they run beside others. */
  readonly readOnly?: readonly string[]
  /** `linearizable` (default), or `local`: read-only methods answer from the last durable state at once, maybe stale. */
  readonly reads?: 'linearizable' | 'local'
}

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
}

// biome-ignore lint/suspicious/noExplicitAny: any state, as a bound for inference
export type AnyActor = Actor<any>

/** A class of actors with its statics. */
export interface ActorClass<A extends AnyActor = AnyActor> {
  // biome-ignore lint/suspicious/noExplicitAny: constructors of users take what they like
  new (...init: any[]): A
  /** The type's name in the mesh. Default: the class's name. */
  readonly actorName?: string
  readonly options?: ActorOptionsInput
  readonly name: string
}

type Method<F> = F extends (...args: infer Args) => infer Result ? (...args: Args) => Answered<Result> : never

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
  readonly [K in keyof A as K extends keyof Actor | `_${string}`
    ? never
    : A[K] extends (...args: never[]) => unknown
      ? K
      : never]: Method<A[K]>
} & RefMembers<ActorRef<A>>

/** A reference to an actor whose class is not at hand. */
export type AnyRef = {
  readonly [method: string]: (...args: unknown[]) => Promise<unknown>
} & RefMembers<AnyRef>

export interface RefMembers<Self> {
  /** The same actor, called with other options. */
  readonly with: (options: CallOptions) => Self
}
