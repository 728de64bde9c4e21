// What a worker asks this thread to do for it: calls, sends, items, and questions to the agenda of a run. Each is done in
// the scope of the run that asks, which gives calls their ids, gates and limits as if the method ran here.

import { decodeUser, encodeUser } from '../../../checkpoint/codec.ts'
import { type MakeRef, Reference, type Referent } from '../../../checkpoint/reference.ts'
import type { ActorStatus, CallOptions, Receipt } from '../../api.ts'
import { StateError } from '../../errors.ts'
import type { Result } from '../outgoing-call.ts'
import type { Invoke } from '../ref.ts'
import { toFrame } from '../remote-error.ts'
import { type AgendaView, type CallScope, outside } from '../scope.ts'
import {
  type AnswerTo,
  type Calling,
  type FromWorker,
  type Member,
  moved,
  own,
  type Question,
  type ToWorker,
} from './messages.ts'

/** This peer's calls, encoded; made in the scope of the moment. */
export interface Outward {
  call(target: Referent, method: string, args: Uint8Array, options: CallOptions): Promise<Result>
  send(target: Referent, method: string, args: Uint8Array, options: CallOptions): Promise<void>
  items(
    target: Referent,
    method: string,
    args: Uint8Array,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined>
  members(target: Referent): Pick<Invoke, Member>
  status(target: Referent): ActorStatus | undefined
}

export interface ErrandsInit {
  readonly outward: Outward
  /** Undefined when the run is over. */
  readonly scope: (run: number) => CallScope | undefined
  readonly post: (message: ToWorker, buffers?: ArrayBuffer[]) => void
}

type AnyMember = (...args: unknown[]) => Promise<unknown>

const nothing = (): undefined => undefined

const overText = (what: string): StateError =>
  new StateError(`${what} was used after the method returned: use it before`)

/** References only pass through here. */
const asReference: MakeRef = (referent) => new Reference(referent)

export class Errands {
  readonly #init: ErrandsInit
  readonly #aborts = new Map<number, AbortController>()
  readonly #items = new Map<number, AsyncGenerator<Uint8Array, void, undefined>>()

  constructor(init: ErrandsInit) {
    this.#init = init
  }

  hear(message: FromWorker): void {
    switch (message.t) {
      case 'call':
        return this.#call(message)
      case 'send':
        return this.#send(message)
      case 'items':
        return this.#open(message)
      case 'member':
        return this.#member(message)
      case 'pass':
        return this.#pass(message.call, message.run)
      case 'pull':
        return void this.#pull(message.call)
      case 'close': {
        const items = this.#items.get(message.call)
        this.#forget(message.call)
        return void outside(() => items?.return(undefined).catch(() => {}))
      }
      case 'abort':
        return this.#aborts.get(message.call)?.abort()
      default:
    }
  }

  /** Nobody is there any more to take what comes. What was called goes on, as calls of a lost host do. */
  end(): void {
    for (const items of this.#items.values()) void outside(() => items.return(undefined).catch(() => {}))
    this.#items.clear()
    this.#aborts.clear()
  }

  #call(calling: Calling): void {
    const { target, method, args } = calling
    const options = this.#options(calling)
    this.#settle(
      calling.call,
      this.#inScope(calling.run, () => this.#init.outward.call(target, method, args, options)),
    )
  }

  #send(calling: Calling): void {
    const { target, method, args } = calling
    const options = this.#options(calling)
    this.#settle(
      calling.call,
      this.#inScope(calling.run, () => this.#init.outward.send(target, method, args, options)).then(nothing),
    )
  }

  #member(calling: Calling & { readonly method: Member }): void {
    const { target, method, args } = calling
    const options = this.#options(calling)
    const work = async (): Promise<Pick<Result, 'result'>> => {
      const values = decodeUser(args, asReference) as readonly unknown[]
      const members = this.#init.outward.members(target) as Readonly<Record<Member, AnyMember>>
      // Its arguments are as many as it has before its options.
      const result = await members[method](...values, ...(method === 'history' ? [] : [options]))
      return { result: encodeUser(result, 'result') }
    }
    this.#settle(calling.call, this.#inScope(calling.run, work))
  }

  #pass(call: number, run: number): void {
    const scope = this.#init.scope(run)
    const passed = scope?.open === true ? scope.pass() : Promise.reject(overText('this.checkpoint'))
    this.#settle(call, passed.then(nothing))
  }

  #open(calling: Calling): void {
    const { call, run, target, method, args } = calling
    const options = this.#options(calling)
    this.#items.set(
      call,
      this.#scoped(run, () => this.#init.outward.items(target, method, args, options)),
    )
  }

  async #pull(call: number): Promise<void> {
    const items = this.#items.get(call)
    if (items === undefined) return
    try {
      const { done, value } = await outside(() => items.next())
      this.#give(call, done === true ? undefined : value)
    } catch (error) {
      this.#init.post({ t: 'failed', call, error: toFrame(error) })
    }
  }

  #settle(call: number, work: Promise<Pick<Result, 'result' | 'receipt'> | undefined>): void {
    work
      .then(
        (done) => this.#give(call, done?.result, done?.receipt),
        (error: unknown) => this.#init.post({ t: 'failed', call, error: toFrame(error) }),
      )
      .finally(() => this.#aborts.delete(call))
  }

  #give(call: number, bytes: Uint8Array | undefined, receipt?: Receipt): void {
    const value = bytes && own(bytes)
    this.#init.post({ t: 'answer', call, value, receipt }, moved(value))
  }

  #options({ call, options }: Calling): CallOptions {
    const controller = new AbortController()
    this.#aborts.set(call, controller)
    return { ...options, signal: controller.signal }
  }

  #forget(call: number): void {
    this.#items.delete(call)
    this.#aborts.delete(call)
  }

  async #inScope<T>(run: number | undefined, work: () => Promise<T>): Promise<T> {
    return this.#scoped(run, work)
  }

  /** A run that is over makes no calls any more: what its method left behind calls in nobody's name, as in this thread. */
  #scoped<T>(run: number | undefined, work: () => T): T {
    const scope = run === undefined ? undefined : this.#init.scope(run)
    return scope === undefined ? outside(work) : scope.run(work)
  }

  answer(question: Question): AnswerTo {
    try {
      return { value: this.#valueOf(question) }
    } catch (error) {
      return { error: toFrame(error) }
    }
  }

  #valueOf(question: Question): string | boolean | Uint8Array | ActorStatus | undefined {
    if (question.t === 'status') return this.#init.outward.status(question.target)
    const agenda = this.#agenda(question.run)
    if (question.t === 'unset') return agenda.cancel(question.id)
    if (question.t === 'list') return own(encodeUser(agenda.list(), 'list'))
    const { id, at, every, method, args } = question
    return agenda.set(id, at, every, method, decodeUser(args, asReference) as unknown[])
  }

  #agenda(run: number): AgendaView {
    const scope = this.#init.scope(run)
    if (scope?.open !== true) throw overText('this.schedule')
    return scope.changing('use this.schedule')
  }
}
