// The seat in this very thread: an object of the class, each run of a method on a draft of the state it is given.

import type { Patches } from 'mutative'
import { decodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { StateError } from '../errors.ts'
import { type BuiltInActor, CHANGED } from './built-in.ts'
import { asRestored, type Context } from './context.ts'
import { type CallState, Draft } from './draft.ts'
import { explain, refuseChange, tooLarge } from './execution.ts'
import { type Instance, makeInstance } from './instance.ts'
import { OpaqueGuard } from './opaque-guard.ts'
import { loadOwn, OwnCallState } from './own-state.ts'
import { type ErrorFrame, toFrame } from './remote-error.ts'
import { CallScope } from './scope.ts'
import type { Outcome, Seat, SeatInit, SeatSeries, Step, Version, Work } from './seat.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor } from './types.ts'

/** The same for all seats of a peer. */
export interface SeatLimits {
  readonly maxBytes: number
  readonly makeRef: MakeRef
}

export interface LocalSeatInit extends Omit<SeatInit, 'lost' | 'signal'> {
  readonly limits: SeatLimits
}

type Methods = Readonly<Record<string, ((...args: unknown[]) => unknown) | undefined>>

export class LocalSeat implements Seat {
  #initial: Uint8Array
  readonly #info: TypeInfo
  readonly #context: Context
  /** Encoded arguments of the constructor; empty for none. */
  readonly #args: Uint8Array
  readonly #limits: SeatLimits
  /** Undefined where nothing of the state is handed out (O1). */
  readonly #guard: OpaqueGuard | undefined
  #instance: AnyActor

  /** Throws what the constructor throws, or UnserialisableValue when the initial state can't be stored. */
  constructor(init: LocalSeatInit) {
    this.#info = init.info
    this.#context = init.context
    this.#args = init.init
    this.#limits = init.limits
    this.#guard = init.info.ownState ? undefined : new OpaqueGuard()
    const { actor, initial } = this.#make(this.#context)
    this.#instance = actor
    this.#initial = init.isFresh ? initial() : NOTHING
  }

  get initial(): Uint8Array {
    return this.#initial
  }

  async begin({ state }: Version, isInitial: boolean): Promise<void> {
    if (this.#info.ownState && !isInitial)
      loadOwn(this.#info.name, this.#instance, state, this.#limits.makeRef)
    this.#guard?.reset(state)
    this.#initial = NOTHING // it is in the log by now
  }

  async renew({ state }: Version): Promise<void> {
    const { actor } = this.#make(asRestored(this.#context))
    loadOwn(this.#info.name, actor, state, this.#limits.makeRef)
    this.#instance = actor
  }

  async run(work: Work): Promise<Outcome> {
    const { base, method, kind } = work
    const { maxBytes } = this.#limits
    const draft = this.#draft(base.state)
    const scope = new CallScope({ ...work.scope, owner: this.#instance, draft })
    try {
      const returned = await scope.run(() => this.#call(work))
      const result = kind === 'hook' ? NOTHING : draft.encodeResult(returned)
      if (result.length > maxBytes) throw tooLarge('result', result.length, maxBytes)
      scope.open = false
      const patches = draft.finish(base.state)
      if (kind === 'read') refuseChange(this.#info, method, patches)
      this.#guard?.check()
      if (patches !== undefined && patches.length > maxBytes)
        throw tooLarge('change of state', patches.length, maxBytes)
      return { result, patches, left: scope.left }
    } catch (error) {
      draft.discard()
      return { error: this.#thrown(method, error) }
    } finally {
      scope.open = false
    }
  }

  series(work: Work): SeatSeries {
    const draft = new Draft(work.base.state)
    const { maxBytes } = this.#limits
    return new LocalSeries({
      draft,
      scope: new CallScope({ ...work.scope, owner: this.#instance, draft }),
      begin: () => this.#call(work) as AsyncGenerator,
      encode: (value) => {
        this.#refuseChange(work, draft)
        const item = draft.encodeResult(value)
        if (item.length > maxBytes) throw tooLarge('item', item.length, maxBytes)
        return item
      },
      finish: () => this.#refuseChange(work, draft),
      thrown: (error) => this.#thrown(work.method, error),
    })
  }

  changed({ state }: Version, _bytes: Uint8Array, applied: Patches): void {
    for (const patch of applied) {
      if (patch.path.length === 0) this.#guard?.reset(patch.value)
      else this.#guard?.watch(patch.value)
    }
    if (this.#guard?.isWasteful) this.#guard.reset(state)
  }

  tell(isEnding: boolean): void {
    ;(this.#instance as BuiltInActor)[CHANGED]?.(isEnding)
  }

  check(): void {}
  end(): void {}

  #make(context: Context): Instance {
    const args = this.#args.length === 0 ? [] : (decodeUser(this.#args, this.#limits.makeRef) as unknown[])
    return makeInstance(this.#info, context, args)
  }

  #draft(state: object): CallState {
    return this.#info.ownState ? new OwnCallState(this.#info.name, this.#instance) : new Draft(state)
  }

  /** Async where the method is not: a throw becomes a rejection. */
  async #callLater(call: () => unknown): Promise<unknown> {
    return call()
  }

  #call({ kind, method, args }: Work): unknown {
    const call = (this.#instance as unknown as Methods)[method]
    const values = decodeUser(args, this.#limits.makeRef) as unknown[]
    if (kind === 'hook') return this.#callLater(() => call?.apply(this.#instance, values))
    return call!.apply(this.#instance, values)
  }

  #refuseChange({ method, base }: Work, draft: Draft): void {
    this.#guard?.check()
    if (!draft.isChanged(base.state)) return
    throw new StateError(
      `${this.#info.name}.${method} is a generator and changed the state, which it may only read: change it in a method that returns`,
    ) // S1
  }

  /** A change in place is undone, and is the error, whatever else was thrown. */
  #thrown(method: string, thrown: unknown): ErrorFrame {
    let error = thrown
    try {
      this.#guard?.check()
    } catch (caught) {
      error = caught
    }
    return toFrame(explain(this.#info, method, error))
  }
}

const NOTHING = new Uint8Array()

interface LocalSeriesInit {
  readonly draft: Draft
  readonly scope: CallScope
  readonly begin: () => AsyncGenerator
  readonly encode: (value: unknown) => Uint8Array
  /** Throws what there is against its end. */
  readonly finish: () => void
  readonly thrown: (error: unknown) => ErrorFrame
}

class LocalSeries implements SeatSeries {
  readonly #init: LocalSeriesInit
  #generator: AsyncGenerator | undefined

  constructor(init: LocalSeriesInit) {
    this.#init = init
  }

  async next(): Promise<Step> {
    const { scope, begin, encode, finish, thrown } = this.#init
    try {
      this.#generator ??= scope.run(begin)
      const generator = this.#generator
      const step = await scope.run(() => generator.next())
      if (step.done !== true) return { item: encode(step.value) }
      finish()
      this.#close()
      return { item: undefined, error: undefined }
    } catch (error) {
      const frame = thrown(error)
      this.#close()
      return { item: undefined, error: frame }
    }
  }

  async end(): Promise<void> {
    const { scope } = this.#init
    const generator = this.#generator
    try {
      if (generator !== undefined && scope.open) await scope.run(() => generator.return(undefined))
    } catch {
      // What it throws at its end is nobody's.
    }
    this.#close()
  }

  #close(): void {
    this.#init.scope.open = false
    this.#init.draft.discard()
  }
}
