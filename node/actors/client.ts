// Calls to actors from this peer: by its app (root calls), or from inside an actor that runs here (nested calls, which
// belong to the root call they serve).

import type { CallId } from '../../checkpoint/call-table.ts'
import { decodeUser } from '../../checkpoint/codec.ts'
import type { PeerId } from '../../mesh/ids.ts'
import type { CallOptions } from '../api.ts'
import { BadInputError, ReentrantCallError, TooLargeError } from '../errors.ts'
import { cancelled } from './call-errors.ts'
import type { CallServices } from './call-services.ts'
import { anySignal, unlessAborted } from './cancelling.ts'
import { encodeArguments, type Target } from './creation.ts'
import type { RuntimeLimits } from './home-services.ts'
import { CallNumbers } from './numbers.ts'
import { OutgoingCall, type OutgoingCallInit } from './outgoing-call.ts'
import { OutgoingSeries } from './outgoing-series.ts'
import { type CallScope, currentScope, outside } from './scope.ts'
import { MAX_TIMEOUT_MS } from './timing.ts'
import { checkMethod } from './type-info.ts'

const DEFAULT_TIMEOUT_MS = 30_000

/** As values, or encoded. */
type Arguments = readonly unknown[] | Uint8Array

type Prepared = Omit<OutgoingCallInit, 'chain' | 'identify'>

export class Client {
  readonly #services: CallServices
  readonly #limits: RuntimeLimits
  readonly #numbers = new CallNumbers()
  readonly #calls = new Set<OutgoingCall | OutgoingSeries>()
  /** Those of agendas: their actors wait for them, and nobody here. */
  readonly #deliveries = new Set<OutgoingCall>()

  constructor(services: CallServices, limits: RuntimeLimits) {
    this.#services = services
    this.#limits = limits
  }

  /** Calls from here without an answer yet. */
  get pending(): number {
    return this.#calls.size
  }

  /** The node closes, or has a new boot. */
  wake(): void {
    for (const call of this.#all()) call.wake()
  }
  registryChanged(): void {
    for (const call of this.#all()) call.registryChanged()
  }
  connected(peer: PeerId): void {
    for (const call of this.#all()) call.connected(peer)
  }

  async call(target: Target, method: string, args: Arguments, options: CallOptions = {}): Promise<unknown> {
    return decodeUser(await this.callBytes(target, method, args, options), this.#services.makeRef)
  }

  /** The result encoded. */
  async callBytes(
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions,
  ): Promise<Uint8Array> {
    const scope = currentScope()
    const common = this.#prepare(scope, 'call', target, method, args, options)
    const nests = scope?.id !== undefined
    return nests ? this.#nested(scope, scope.id, common) : this.#root(scope, common)
  }

  /** The items of a generator. It is opened when the first one is asked for, as part of the call that asked for it here. */
  iterate(
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    return this.#decoded(this.iterateBytes(target, method, args, options))
  }

  async *#decoded(items: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
    for await (const bytes of items) yield decodeUser(bytes, this.#services.makeRef)
  }

  /** The items encoded. */
  iterateBytes(
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#iterate(currentScope(), target, method, args, options)
  }

  async *#iterate(
    scope: CallScope | undefined,
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const common = this.#prepare(scope, 'series', target, method, args, options)
    await this.#pass(scope, common)
    const series = new OutgoingSeries(this.#services, { ...common, chain: scope?.chain ?? [] })
    this.#calls.add(series)
    try {
      yield* series.items()
    } finally {
      this.#calls.delete(series)
    }
  }

  /** Everything that can be said of a call before it leaves. Throws what makes it hopeless. */
  #prepare(
    scope: CallScope | undefined,
    how: 'call' | 'series',
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions,
  ): Prepared {
    if (target.info !== undefined) checkMethod(target.info, method, how)
    if (scope?.chain.includes(target.key)) {
      const chain = [...scope.chain, target.key].join(' → ')
      throw new ReentrantCallError(
        `${chain}: ${target.key} waits for this very call, so it could never answer. Pass what it needs as an argument, or do the work inside it`,
      )
    }
    const signal = anySignal(options.signal, scope?.signal)
    if (signal?.aborted) throw cancelled(target, method, signal, 'no')
    const encoded = this.#encode(target, method, args)
    const timeoutMs = timeoutOf(options)
    return {
      target,
      method,
      args: encoded,
      // A nested call has no more time than the call it serves: nobody waits for its answer longer than that.
      timeoutMs:
        scope === undefined ? timeoutMs : Math.min(timeoutMs, scope.deadline - this.#services.clock.now()),
      retries: options.retries ?? target.info?.maxTaskRetries ?? -1,
      signal,
    }
  }

  /**
   * A one-way call: into the agenda of the actor whose method is running, or off at once, with nobody to wait for it.
   * Resolves when it is there.
   */
  async send(target: Target, method: string, args: Arguments, options: CallOptions = {}): Promise<void> {
    const scope = currentScope()
    if (scope !== undefined) {
      if (target.info !== undefined) checkMethod(target.info, method, 'call')
      return scope.changing('send').send(target, method, this.#encode(target, method, args))
    }
    const { type, name } = target
    const common = this.#prepare(undefined, 'call', target, method, args, options)
    this.#root(undefined, common).catch((error: unknown) =>
      this.#services.sendFailed({ from: undefined, type, name, method, error }),
    )
  }

  /** One attempt to have an entry of an agenda answered. Rejects when nobody answered, or it is `over`. */
  async deliver(init: OutgoingCallInit, over: () => boolean): Promise<Delivered> {
    const closed = (): boolean => over() || this.#services.closed()
    const call = new OutgoingCall({ ...this.#services, closed }, init)
    this.#deliveries.add(call)
    try {
      await outside(() => call.run())
      return { error: undefined }
    } catch (error) {
      if (call.isFinal) return { error }
      throw error
    } finally {
      this.#deliveries.delete(call)
    }
  }

  *#all(): Iterable<OutgoingCall | OutgoingSeries> {
    yield* this.#calls
    yield* this.#deliveries
  }

  #encode(target: Target, method: string, args: Arguments): Uint8Array {
    const encoded = args instanceof Uint8Array ? args : encodeArguments(args, `${target.key}.${method}`)
    if (encoded.length <= this.#limits.maxBytes) return encoded
    throw new TooLargeError(
      `the arguments of ${target.key}.${method} take ${encoded.length} bytes, beyond the limit of ${this.#limits.maxBytes}: send them in several calls`,
    )
  }

  async #root(scope: CallScope | undefined, common: Prepared): Promise<Uint8Array> {
    const { key } = common.target
    let number: number | undefined
    if (scope !== undefined) await this.#pass(scope, common)
    try {
      return await this.#run({
        ...common,
        chain: scope?.chain ?? [],
        identify: () => {
          const n = this.#numbers.take(key)
          number = n
          return {
            id: { caller: this.#services.mesh.boot, n, path: '' },
            floors: () => this.#numbers.floors(key),
          }
        },
      })
    } finally {
      if (number !== undefined) this.#numbers.settle(number)
    }
  }

  async #nested(scope: CallScope, root: CallId, common: Prepared): Promise<Uint8Array> {
    const id = scope.nestedId(root, common.target.key, common.method, common.args)
    await this.#pass(scope, common)
    const floors = { own: 0, all: scope.floors.all }
    return this.#run({ ...common, chain: scope.chain, identify: () => ({ id, floors: () => floors }) })
  }

  /** What is made from inside an actor leaves when what its method has seen may be seen (G5). */
  async #pass(scope: CallScope | undefined, { target, method, signal }: Prepared): Promise<void> {
    if (scope === undefined) return
    await unlessAborted(signal, scope.pass(), () => cancelled(target, method, signal, 'no'))
  }

  async #run(init: OutgoingCallInit): Promise<Uint8Array> {
    const call = new OutgoingCall(this.#services, init)
    this.#calls.add(call)
    try {
      return await outside(() => call.run())
    } finally {
      this.#calls.delete(call)
    }
  }
}

/** What a call of an agenda was answered with; undefined: a result. */
export interface Delivered {
  readonly error: unknown
}

function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions): number {
  if (timeoutMs > 0 && !Number.isNaN(timeoutMs)) return Math.min(timeoutMs, MAX_TIMEOUT_MS)
  throw new BadInputError(`timeoutMs is ${timeoutMs}: a number of milliseconds above 0`)
}
