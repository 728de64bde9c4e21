// The seat in this very thread: an object of the class, each run of a method on a draft of the state it is given.

import type { Patches } from 'mutative'
import { decodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { StateError } from '../errors.ts'
import { Draft } from './draft.ts'
import { explain, refuseChange, tooLarge } from './execution.ts'
import { makeInstance } from './instance.ts'
import { OpaqueGuard } from './opaque-guard.ts'
import { type ErrorFrame, toFrame } from './remote-error.ts'
import { CallScope } from './scope.ts'
import type { Outcome, Seat, SeatInit, SeatSeries, Step, Version, Work } from './seat.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor } from './types.ts'

export interface LocalSeatInit extends Pick<SeatInit, 'info' | 'context' | 'init'> {
  readonly maxBytes: number
  readonly makeRef: MakeRef
}

type Methods = Readonly<Record<string, ((...args: unknown[]) => unknown) | undefined>>

export class LocalSeat implements Seat {
  readonly initial: Uint8Array
  readonly #info: TypeInfo
  readonly #instance: AnyActor
  readonly #maxBytes: number
  readonly #makeRef: MakeRef
  readonly #guard = new OpaqueGuard()

  /** Throws what the constructor throws, or UnserialisableValue when the initial state can't be stored. */
  constructor({ info, context, init, maxBytes, makeRef }: LocalSeatInit) {
    const args = init.length === 0 ? [] : (decodeUser(init, makeRef) as unknown[])
    const { actor, initial } = makeInstance(info, context, args)
    this.initial = initial
    this.#info = info
    this.#instance = actor
    this.#maxBytes = maxBytes
    this.#makeRef = makeRef
  }

  async begin({ state }: Version): Promise<void> {
    this.#guard.reset(state)
  }

  async run(work: Work): Promise<Outcome> {
    const { base, method, kind, scope: about } = work
    const draft = new Draft(base.state, this.#guard.touch)
    const scope = this.#scope(work, draft)
    about.cancellation.listen((isAbandoned) => {
      if (!isAbandoned) return
      scope.open = false
      draft.discard()
    })
    try {
      const returned = await scope.run(() => this.#call(work))
      const result = kind === 'hook' ? NOTHING : draft.encodeResult(returned)
      if (result.length > this.#maxBytes) throw tooLarge('result', result.length, this.#maxBytes)
      scope.open = false
      const patches = draft.finish(base.state)
      if (kind === 'read') refuseChange(this.#info, method, patches)
      this.#guard.check()
      if (patches !== undefined && patches.length > this.#maxBytes)
        throw tooLarge('change of state', patches.length, this.#maxBytes)
      return { result, patches }
    } catch (error) {
      draft.discard()
      return { error: this.#thrown(method, error) }
    } finally {
      scope.open = false
    }
  }

  series(work: Work): SeatSeries {
    const draft = new Draft(work.base.state, this.#guard.touch)
    return new LocalSeries({
      draft,
      scope: this.#scope(work, draft),
      begin: () => this.#call(work) as AsyncGenerator,
      encode: (value) => {
        this.#refuseChange(work, draft)
        const item = draft.encodeResult(value)
        if (item.length > this.#maxBytes) throw tooLarge('item', item.length, this.#maxBytes)
        return item
      },
      finish: () => this.#refuseChange(work, draft),
      thrown: (error) => this.#thrown(work.method, error),
    })
  }

  changed(_version: Version, _bytes: Uint8Array, applied: Patches): void {
    for (const patch of applied) {
      if (patch.path.length === 0) this.#guard.reset(patch.value)
      else this.#guard.watch(patch.value)
    }
  }

  check(): void {}
  end(): void {}

  #scope({ scope }: Work, draft: Draft): CallScope {
    return new CallScope({ ...scope, owner: this.#instance, draft })
  }

  /** Async where the method is not: a throw becomes a rejection. */
  async #callLater(call: () => unknown): Promise<unknown> {
    return call()
  }

  #call({ kind, method, args }: Work): unknown {
    const call = (this.#instance as unknown as Methods)[method]
    const values = decodeUser(args, this.#makeRef) as unknown[]
    if (kind === 'hook') return this.#callLater(() => call?.apply(this.#instance, values))
    return call!.apply(this.#instance, values)
  }

  #refuseChange({ method, base }: Work, draft: Draft): void {
    this.#guard.check()
    if (!draft.isChanged(base.state)) return
    throw new StateError(
      `${this.#info.name}.${method} is a generator and changed the state, which it may only read: change it in a method that returns`,
    ) // S1
  }

  /** A change in place is undone, and is the error, whatever else was thrown. */
  #thrown(method: string, thrown: unknown): ErrorFrame {
    let error = thrown
    try {
      this.#guard.check()
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
