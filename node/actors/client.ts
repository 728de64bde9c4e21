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
import { OutgoingCall, type OutgoingCallInit, type Result } from './outgoing-call.ts'
import { OutgoingSeries } from './outgoing-series.ts'
import { type CallScope, currentScope, outside } from './scope.ts'
import { MAX_TIMEOUT_MS } from './timing.ts'
import { checkMethod } from './type-info.ts'

export const DEFAULT_TIMEOUT_MS = 30_000

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

  async call(
    target: Target,
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const { result, receipt } = await this.callBytes(target, method, args, options)
    const value = decodeUser(result, this.#services.makeRef)
    return options.receipt === true ? { value, receipt } : value
  }

  /** The result encoded. Throws what makes the call hopeless. */
  callBytes(target: Target, method: string, args: Arguments, options: CallOptions): Promise<Result> {
    const scope = currentScope()
    const common = this.#prepare(scope, 'call', target, method, args, options)
    const nests = scope?.id !== undefined
    return nests ? this.#nested(scope, scope.id, common) : this.#root(scope, common)
  }

  /** The items of a generator. It is opened when the first one is asked for, as part of the call that asked for it here. */
  iterate(
    target: Target,
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    const decoded = (bytes: Uint8Array): unknown => decodeUser(bytes, this.#services.makeRef)
    return this.#iterate(currentScope(), target, method, args, options, decoded)
  }

  /** The items encoded. */
  iterateBytes(
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#iterate(currentScope(), target, method, args, options, (bytes) => bytes)
  }

  async *#iterate<Item>(
    scope: CallScope | undefined,
    target: Target,
    method: string,
    args: Arguments,
    options: CallOptions,
    itemOf: (bytes: Uint8Array) => Item,
  ): AsyncGenerator<Item, void, undefined> {
    refuseProof(options, `${target.key}.${method} is a generator`)
    const common = this.#prepare(scope, 'series', target, method, args, options)
    await this.#pass(scope, common)
    const series = new OutgoingSeries(this.#services, { ...common, chain: scope?.chain ?? [] })
    this.#calls.add(series)
    try {
      for await (const bytes of series.items()) yield itemOf(bytes)
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
    checkDurability(options)
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
      ...(options.durability && { durability: options.durability }),
      ...(options.receipt && { receipt: true as const }),
    }
  }

  /**
   * A one-way call: into the agenda of the actor whose method is running, or off at once, with nobody to wait for it.
   * Resolves when it is there.
   */
  async send(target: Target, method: string, args: Arguments, options: CallOptions = {}): Promise<void> {
    const scope = currentScope()
    refuseProof(options, `nobody hears of a send, of ${target.key}.${method} neither`)
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

  async #root(scope: CallScope | undefined, common: Prepared): Promise<Result> {
    const { key } = common.target
    let number: number | undefined
    if (scope !== undefined) await this.#pass(scope, common)
    try {
      return await this.#run({
        ...common,
        chain: scope?.chain ?? [],
        isOwn: true,
        identify: () => {
          if (number !== undefined) this.#numbers.settle(number)
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

  async #nested(scope: CallScope, root: CallId, common: Prepared): Promise<Result> {
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

  async #run(init: OutgoingCallInit): Promise<Result> {
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

function checkDurability({ durability }: CallOptions): void {
  if (durability === undefined || durability === 'replicated' || durability === 'synced') return
  throw new BadInputError(
    `durability is ${JSON.stringify(durability)}: 'replicated' or 'synced', or left out`,
  )
}

function refuseProof({ durability, receipt }: CallOptions, why: string): void {
  if (durability === undefined && receipt !== true) return
  throw new BadInputError(`${why}: call it without ${receipt === true ? 'receipt' : 'durability'}`)
}

function timeoutOf({ timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions): number {
  if (timeoutMs > 0 && !Number.isNaN(timeoutMs)) return Math.min(timeoutMs, MAX_TIMEOUT_MS)
  throw new BadInputError(`timeoutMs is ${timeoutMs}: a number of milliseconds above 0`)
}
