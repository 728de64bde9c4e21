// What an object in a worker has of the world: references, its agenda. Every use of them is a message to the thread that
// started the worker, in the name of the run that makes it; there it is done as if the method ran there.

import { decodeUser } from '../../../checkpoint/codec.ts'
import type { MakeRef, Referent } from '../../../checkpoint/reference.ts'
import type { ActorKey } from '../../../mesh/ids.ts'
import type { ActorHistory, ActorStatus, CallOptions, Receipt } from '../../api.ts'
import { CallCancelledError } from '../../errors.ts'
import { refuseReserved } from '../built-in.ts'
import { encodeArguments, makeTarget } from '../creation.ts'
import { KeyValue } from '../kv.ts'
import { KV_TYPE } from '../kv-shard.ts'
import type { KeyValueStore } from '../kv-types.ts'
import { makeRef } from '../ref.ts'
import { fromFrame } from '../remote-error.ts'
import { type AgendaView, currentScope, outside } from '../scope.ts'
import { describeType, type TypeInfo } from '../type-info.ts'
import type { ActorClass, AnyRef, ScheduledCall } from '../types.ts'
import type { GuestInit } from './guest.ts'
import { type Calling, type FromWorker, type Member, own, type Question, type ToWorker } from './messages.ts'
import type { GuestStart } from './thread.ts'

export interface OutsideInit extends Pick<GuestInit, 'post' | 'ask' | 'clock'> {
  readonly generators: GuestStart['generators']
  readonly info: TypeInfo
}

interface Answered {
  readonly value: Uint8Array | undefined
  readonly receipt?: Receipt | undefined
}

interface Waiting {
  readonly resolve: (answered: Answered) => void
  readonly reject: (error: Error) => void
}

const NONE = new Uint8Array()

export class Outside {
  readonly #init: OutsideInit
  readonly #waiting = new Map<number, Waiting>()
  /** Which run a scope is of, by the one thing in it that is the run's own. */
  readonly #runs = new WeakMap<readonly ActorKey[], number>()
  readonly kv: KeyValueStore
  #next = 1

  constructor(init: OutsideInit) {
    this.#init = init
    this.kv = new KeyValue({
      call: (name, method, args, options) =>
        this.#call({ type: KV_TYPE, name, init: NONE }, method, args, options),
      makeRef: this.makeRef,
      clock: init.clock,
      closed: () => false,
    })
  }

  begin(run: number, chain: readonly ActorKey[]): void {
    this.#runs.set(chain, run)
  }

  hear(message: ToWorker): void {
    if (message.t !== 'answer' && message.t !== 'failed') return
    const waiting = this.#waiting.get(message.call)
    this.#waiting.delete(message.call)
    if (message.t === 'answer') waiting?.resolve(message)
    else waiting?.reject(fromFrame(message.error, this.makeRef))
  }

  readonly actor = (type: string | ActorClass, name: string, ...init: unknown[]): AnyRef => {
    const info = typeof type === 'string' ? undefined : describeType(type)
    const target = makeTarget(info?.name ?? String(type), name, info, init)
    refuseReserved(target.type)
    return this.#refTo(target, info)
  }

  readonly makeRef: MakeRef = (referent) => this.#refTo(referent, undefined)

  /** Resolves when everything before that run is durable. */
  async pass(run: number): Promise<void> {
    const call = this.#next++
    const answer = this.#answerOf(call)
    this.#init.post({ t: 'pass', call, run }, [])
    await answer
  }

  agenda(run: number): AgendaView {
    const { info } = this.#init
    const ask = (question: Question): unknown => this.#ask(question)
    return {
      info,
      wall: () => this.#init.clock.wall(),
      // One-way calls come from references, which send them off.
      send: () => {},
      set: (id, at, every, method, values) => {
        const args = own(encodeArguments(values, `${info.name}.${method}`))
        return ask({ t: 'set', run, id, at, every, method, args }) as string
      },
      cancel: (id) => ask({ t: 'unset', run, id }) as boolean,
      list: () => decodeUser(ask({ t: 'list', run }) as Uint8Array, this.makeRef) as readonly ScheduledCall[],
    }
  }

  #refTo({ type, name, init }: Referent, info: TypeInfo | undefined): AnyRef {
    const generators = info?.generators ?? this.#init.generators.get(type)
    const target: Referent = { type, name, init }
    return makeRef(target, {
      call: (method, args, options) =>
        generators?.has(method) === true
          ? this.#iterate(target, method, args, options)
          : this.#call(target, method, args, options),
      send: async (method, args, options) => {
        currentScope()?.changing('send')
        await this.#await('send', target, method, args, options)
      },
      history: async (options) => (await this.#member(target, 'history', [options])) as ActorHistory,
      restore: async (from, options) => (await this.#member(target, 'restore', [from], options)) as number,
      fork: async (copy, from, options) => {
        await this.#member(target, 'fork', [copy, from], options)
      },
      status: () => this.#ask({ t: 'status', target }) as ActorStatus | undefined,
    })
  }

  async #call(
    target: Referent,
    method: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<unknown> {
    const { value: bytes, receipt } = await this.#await('call', target, method, args, options)
    const value = decodeUser(bytes!, this.makeRef)
    return options.receipt === true ? { value, receipt } : value
  }

  async #member(
    target: Referent,
    member: Member,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const { value } = await this.#await('member', target, member, args, options)
    return decodeUser(value!, this.makeRef)
  }

  /** Nobody aborts what is over: the listener goes with the call. */
  async #await(
    t: 'call' | 'send' | 'member',
    target: Referent,
    method: string,
    args: readonly unknown[],
    { signal, ...options }: CallOptions,
  ): Promise<Answered> {
    const calling = this.#calling(target, method, args, options)
    const abort = (): void => this.#init.post({ t: 'abort', call: calling.call }, [])
    const answer = this.#answerOf(calling.call)
    this.#init.post({ t, ...calling } as FromWorker, [])
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await answer
    } catch (error) {
      if (error instanceof CallCancelledError && signal?.aborted) error.cause = signal.reason
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  #iterate(target: Referent, method: string, args: readonly unknown[], options: CallOptions): AsyncGenerator {
    return this.#items(this.#runOfNow(), target, method, args, options)
  }

  async *#items(
    run: number | undefined,
    target: Referent,
    method: string,
    args: readonly unknown[],
    { signal, ...options }: CallOptions,
  ): AsyncGenerator {
    const calling = { ...this.#calling(target, method, args, options), run }
    const { call } = calling
    const abort = (): void => this.#init.post({ t: 'abort', call }, [])
    this.#init.post({ t: 'items', ...calling }, [])
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      for (;;) {
        const answer = this.#answerOf(call)
        this.#init.post({ t: 'pull', call }, [])
        const { value: item } = await answer
        if (item === undefined) return
        yield decodeUser(item, this.makeRef)
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#init.post({ t: 'close', call }, [])
    }
  }

  #calling(target: Referent, method: string, args: readonly unknown[], options: CallOptions): Calling {
    const { timeoutMs, retries, durability, receipt } = options
    return {
      call: this.#next++,
      run: this.#runOfNow(),
      target,
      method,
      args: own(encodeArguments(args, `${target.type}/${target.name}.${method}`)),
      options: {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(retries === undefined ? {} : { retries }),
        ...(durability === undefined ? {} : { durability }),
        ...(receipt === undefined ? {} : { receipt }),
      },
    }
  }

  #runOfNow(): number | undefined {
    const scope = currentScope()
    return scope && this.#runs.get(scope.chain)
  }

  #answerOf(call: number): Promise<Answered> {
    return new Promise((resolve, reject) => this.#waiting.set(call, { resolve, reject }))
  }

  /** Answered in place: an agenda is asked in the middle of a statement. */
  #ask(question: Question): unknown {
    const answer = outside(() => this.#init.ask(question))
    if ('error' in answer) throw fromFrame(answer.error, this.makeRef)
    return answer.value
  }
}
