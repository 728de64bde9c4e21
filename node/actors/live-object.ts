// The object of a live actor, and what guards the state around it: methods run on it, one or many at a time.

import type { Patches } from 'mutative'
import type { AgendaDraft } from './agenda-draft.ts'
import { type CallState, Draft } from './draft.ts'
import { execute, type Outcome } from './execution.ts'
import type { Job } from './jobs.ts'
import type { LiveActorInit } from './live-actor-init.ts'
import { OpaqueGuard } from './opaque-guard.ts'
import { OwnCallState } from './own-state.ts'
import type { AnyActor } from './types.ts'

export class LiveObject {
  readonly #init: LiveActorInit
  /** Undefined where nothing of the log's state is handed out (O1). */
  readonly #guard: OpaqueGuard | undefined
  #instance: AnyActor
  /** Its fields may be half changed: no call gets it any more (O2). */
  #spoiled = false
  #running = 0
  #idle: (() => void) | undefined
  #ended = false

  constructor(init: LiveActorInit) {
    this.#init = init
    this.#instance = init.instance
    this.#guard = init.info.ownState ? undefined : new OpaqueGuard()
    this.#guard?.reset(init.log.state)
  }

  get instance(): AnyActor {
    return this.#instance
  }
  get isSpoiled(): boolean {
    return this.#spoiled
  }
  /** Methods that have not returned. */
  get running(): number {
    return this.#running
  }

  /** This life is over: what still runs calls nobody any more. */
  end(): void {
    this.#ended = true
  }

  /** Calls back when nothing runs, which may be at once. */
  whenIdle(then: () => void): void {
    this.#idle = then
    if (this.#running === 0) then()
  }

  draft(state: object): CallState {
    const { info } = this.#init
    return info.ownState ? new OwnCallState(info.name, this.#instance) : new Draft(state)
  }

  async execute(
    job: Job,
    draft: CallState,
    gate: () => Promise<void>,
    agenda: AgendaDraft | undefined,
  ): Promise<Outcome> {
    const { info, services } = this.#init
    return this.busy(() =>
      execute({
        info,
        instance: this.#instance,
        maxBytes: services.limits.maxBytes,
        makeRef: services.makeRef,
        frame: job.frame,
        deadline: job.deadline,
        cancellation: job.cancellation,
        draft,
        gate,
        goesOn: () => !this.#ended,
        agenda,
      }),
    )
  }

  /** As long as that takes, something runs. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      if (this.#running === 0) this.#idle?.()
    }
  }

  /** Throws when a Date or typed array of the state was changed in place. */
  check(): void {
    this.#guard?.check()
  }

  /** What became part of the state. */
  changed(patches: Patches): void {
    for (const patch of patches) {
      if (patch.path.length === 0) this.#guard?.reset(patch.value)
      else this.#guard?.watch(patch.value)
    }
    if (patches.length > 0 && this.#guard?.isWasteful) this.reset()
  }

  /** The state is another one. */
  reset(): void {
    this.#guard?.reset(this.#init.log.state)
  }

  /** A call came to nothing. */
  spoil(): void {
    this.#spoiled = this.#init.info.ownState
  }

  /** Rejects when the actor ends here before. */
  async renew(): Promise<void> {
    this.#instance = await this.#init.owner.renew()
    this.#spoiled = false
  }
}
