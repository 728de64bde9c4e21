// Which call the running code belongs to. It leads `this.state` to the call's own draft, and tells calls to other actors
// made from inside a method whose they are.

import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type { CallFloors, CallId } from '../../checkpoint/call-table.ts'
import type { ActorKey } from '../../mesh/ids.ts'
import { MeshUnavailableError, StateError } from '../errors.ts'
import type { AgendaDraft } from './agenda-draft.ts'
import type { Cancellation } from './cancelling.ts'
import { type CallState, Draft } from './draft.ts'
import type { AnyActor } from './types.ts'

const running = new AsyncLocalStorage<CallScope | undefined>()

/** The scope of the running code; undefined outside of methods, and after the method returned. */
export function currentScope(): CallScope | undefined {
  const scope = running.getStore()
  return scope?.open ? scope : undefined
}

/** `this.checkpoint()` */
export function checkpointOf(actor: AnyActor): Promise<void> {
  const scope = currentScope()
  if (scope?.owner === actor) return scope.pass()
  return Promise.reject(
    new StateError(
      `checkpoint of ${actor.context.key} was called outside of its methods (in a timer, a callback or after the method returned): await it inside the method`,
    ),
  )
}

/** Runs code of the mesh that must not count as part of whatever call happened to start it. */
export const outside = <T>(work: () => T): T => running.run(undefined, work)

/** What a running call may do with its actor's agenda. */
export type AgendaView = Pick<AgendaDraft, 'info' | 'wall' | 'send' | 'set' | 'cancel' | 'list'>

export interface CallScopeInit {
  readonly owner: object
  /** Undefined where its method runs elsewhere, with its state. */
  readonly draft: CallState | undefined
  /** Undefined in a generator, which may be run again, and in a hook: what it calls are calls of their own. */
  readonly id: CallId | undefined
  readonly floors: CallFloors
  /** Actors that wait for this call, and its own, from the root on. */
  readonly chain: readonly ActorKey[]
  /** On the clock of this peer, when the caller stops waiting. */
  readonly deadline: number
  readonly cancellation: Cancellation
  /** Resolves when what the call's base state depends on may be seen by others (G5). */
  readonly gate: () => Promise<void>
  /** False once the life that it runs in is over here: it may still run, and calls nobody any more. */
  readonly goesOn?: () => boolean
  /** Undefined in generators and in methods that are declared read-only: they have no record for it. */
  readonly agenda: AgendaView | undefined
}

export class CallScope {
  readonly owner: object
  readonly #draft: CallState | undefined
  readonly id: CallId | undefined
  readonly floors: CallFloors
  readonly chain: readonly ActorKey[]
  readonly deadline: number
  readonly #cancellation: Cancellation
  open = true
  readonly #gate: () => Promise<void>
  readonly #goesOn: (() => boolean) | undefined
  readonly #agenda: AgendaView | undefined
  #passed: Promise<void> | undefined
  readonly #made = new Map<string, number>()

  constructor(init: CallScopeInit) {
    this.owner = init.owner
    this.#draft = init.draft
    this.id = init.id
    this.floors = init.floors
    this.chain = init.chain
    this.deadline = init.deadline
    this.#cancellation = init.cancellation
    this.#gate = init.gate
    this.#goesOn = init.goesOn
    this.#agenda = init.agenda
  }

  run<T>(work: () => T): T {
    return running.run(this, work)
  }

  /** Where `this.state` leads. */
  get draft(): Draft {
    if (this.#draft instanceof Draft) return this.#draft
    throw new StateError(`${this.chain.at(-1)} keeps its state in its own fields, and has no draft of it`)
  }

  /** The agenda, for a method that may change it. `what` it wants to do, for the error. */
  changing(what: string): AgendaView {
    if (this.#agenda !== undefined) return this.#agenda
    throw new StateError(
      `a method of ${this.chain.at(-1)} that may not change it can't ${what}, which changes what the actor has to do: take the method out of readOnly, make it no generator, or do it elsewhere than in onDeactivate`,
    )
  }

  /** Aborted when the call is cancelled. */
  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  /** Somebody beside its caller may know of it. */
  get left(): boolean {
    return this.#passed !== undefined
  }

  /** One gate serves every call that this call makes: they all depend on the same base. */
  async pass(): Promise<void> {
    this.#passed ??= this.#gate()
    this.#passed.catch(() => {}) // who waits for it hears of it, and nobody has to
    await this.#passed
    if (this.#goesOn?.() === false)
      throw new MeshUnavailableError(`${this.chain.at(-1)} is not at home here any more`, { executed: 'no' })
  }

  /**
   * The id of a call made from here, on behalf of the call that runs. It depends on what is called and how often the very same was called before, not on
   * the order of different calls, so that a repeated execution finds its first results.
   */
  nestedId(root: CallId, target: ActorKey, method: string, args: Uint8Array): CallId {
    const hash = createHash('sha256')
    for (const text of [root.path, target, method]) hash.update(`${text.length}:${text}`)
    const what = hash.update(args).digest('hex').slice(0, 32)
    const times = this.#made.get(what) ?? 0
    this.#made.set(what, times + 1)
    return { caller: root.caller, n: root.n, path: `${what}.${times}` }
  }
}
