// Calls to actors from this peer: by its app (root calls), or from inside an actor that runs here (nested calls, which
// belong to the root call they serve).

import { decode } from '../../checkpoint/codec.ts'
import type { PeerId } from '../../mesh/ids.ts'
import type { CallOptions } from '../api.ts'
import { BadInputError, ReentrantCallError, TooLargeError } from '../errors.ts'
import type { CallServices } from './call-services.ts'
import { encodeArguments, type Target } from './creation.ts'
import type { RuntimeLimits } from './home-services.ts'
import { CallNumbers } from './numbers.ts'
import { OutgoingCall, type OutgoingCallInit } from './outgoing-call.ts'
import { type CallScope, currentScope, outside } from './scope.ts'
import { checkMethod } from './type-info.ts'

const DEFAULT_TIMEOUT_MS = 30_000
/** A longer time cannot be set on a timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export class Client {
  readonly #services: CallServices
  readonly #limits: RuntimeLimits
  readonly #numbers = new CallNumbers()
  readonly #calls = new Set<OutgoingCall>()
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
    const encoded = this.#encode(target, method, args)
    const scope = currentScope()
    if (scope?.chain.includes(target.key)) {
      const chain = [...scope.chain, target.key].join(' → ')
      throw new ReentrantCallError(
        `${chain}: ${target.key} waits for this very call, so it could never answer. Pass what it needs as an argument, or do the work inside it`,
      )
    }
    const timeoutMs = timeoutOf(options)
    const common = {
      target,
      method,
      args: encoded,
      // A nested call has no more time than the call it serves: nobody waits for its answer longer than that.
      timeoutMs:
        scope === undefined ? timeoutMs : Math.min(timeoutMs, scope.deadline - this.#services.clock.now()),
      retries: options.retries ?? target.info?.maxTaskRetries ?? -1,
    }
    const bytes = await (scope === undefined ? this.#root(common) : this.#nested(scope, common))
    return decode(bytes)
  }

  /**
   * A one-way call: into the agenda of the actor whose method is running, or off at once, with nobody to wait for it.
   * Resolves when it is there.
   */
  async send(
    target: Target,
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<void> {
    const encoded = this.#encode(target, method, args)
    const scope = currentScope()
    if (scope !== undefined) return scope.changing('send').send(target, method, encoded)
    const timeoutMs = timeoutOf(options)
    const retries = options.retries ?? target.info?.maxTaskRetries ?? -1
    const { type, name } = target
    this.#root({ target, method, args: encoded, timeoutMs, retries }).catch((error: unknown) =>
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

  *#all(): Iterable<OutgoingCall> {
    yield* this.#calls
    yield* this.#deliveries
  }

  #encode(target: Target, method: string, args: readonly unknown[]): Uint8Array {
    if (target.info !== undefined) checkMethod(target.info, method)
    const encoded = encodeArguments(args, `${target.key}.${method}`)
    if (encoded.length <= this.#limits.maxBytes) return encoded
    throw new TooLargeError(
      `the arguments of ${target.key}.${method} take ${encoded.length} bytes, beyond the limit of ${this.#limits.maxBytes}: send them in several calls`,
    )
  }

  async #root(common: Omit<OutgoingCallInit, 'chain' | 'identify'>): Promise<Uint8Array> {
    const { key } = common.target
    let number: number | undefined
    try {
      return await this.#run({
        ...common,
        chain: [],
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

  async #nested(scope: CallScope, common: Omit<OutgoingCallInit, 'chain' | 'identify'>): Promise<Uint8Array> {
    const id = scope.nestedId(common.target.key, common.method, common.args)
    await scope.pass() // G5
    const floors = { own: 0, all: scope.floors.all }
    return this.#run({ ...common, chain: scope.chain, identify: () => ({ id, floors: () => floors }) })
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
