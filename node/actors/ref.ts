// References: objects that look like the actor's class, whose every method is a call. They are values: in a state, an
// argument or a result they are kept as the actor they mean, without the options of `with`.

import { Reference, type Referent } from '../../checkpoint/reference.ts'
import { actorKey } from '../../mesh/ids.ts'
import type {
  ActorHistory,
  ActorStatus,
  CallOptions,
  ForkOptions,
  HistoryOptions,
  RestoreOptions,
} from '../api.ts'
import type { AnyRef } from './types.ts'

/** What a reference does. */
export interface Invoke {
  /** A promise of the result or, of a generator method, its items. */
  call(method: string, args: readonly unknown[], options: CallOptions): unknown
  send(method: string, args: readonly unknown[], options: CallOptions): Promise<void>
  status(): ActorStatus | undefined
  history(options?: HistoryOptions): Promise<ActorHistory>
  restore(from: RestoreOptions, options: CallOptions): Promise<number>
  fork(name: string, from: ForkOptions | undefined, options: CallOptions): Promise<void>
}

/**
 * Names that JavaScript itself asks objects for: awaiting a reference, or printing it, must not be a call. A method of
 * such a name can't be called through a reference.
 */
const NOT_METHODS: ReadonlySet<string> = new Set(['then', 'toJSON', 'constructor', 'prototype', '__proto__'])

export function makeRef(referent: Referent, invoke: Invoke, options: CallOptions = {}): AnyRef {
  const key = actorKey(referent.type, referent.name)
  const methods = new Map<string, unknown>([
    ['with', (more: CallOptions) => makeRef(referent, invoke, { ...options, ...more })],
    ['status', () => invoke.status()],
    ['history', (more?: HistoryOptions) => invoke.history(more)],
    ['restore', (from: RestoreOptions) => invoke.restore(from, options)],
    ['fork', (name: string, from?: ForkOptions) => invoke.fork(name, from, options)],
    ['toString', () => `[actor ${key}]`],
    ['send', makeSends(invoke, options)],
  ])
  return new Proxy(new Reference(referent), {
    get(target, name) {
      if (name === Symbol.toStringTag) return `actor ${key}`
      if (name === Symbol.toPrimitive) return () => `[actor ${key}]`
      if (typeof name === 'symbol') return Reflect.get(target, name)
      if (NOT_METHODS.has(name)) return undefined
      let method = methods.get(name)
      if (method === undefined) {
        method = (...args: unknown[]) => invoke.call(name, args, options)
        methods.set(name, method)
      }
      return method
    },
    set(_target, name) {
      throw new TypeError(`${String(name)} can't be set on a reference to ${key}: call a method that sets it`)
    },
  }) as unknown as AnyRef
}

/** Every name a one-way call. Called itself it is the call of a method `send`, for actors that have one. */
function makeSends(invoke: Invoke, options: CallOptions): unknown {
  return new Proxy((...args: unknown[]) => invoke.call('send', args, options), {
    get(_target, name) {
      if (typeof name === 'symbol' || NOT_METHODS.has(name)) return undefined
      return (...args: unknown[]) => invoke.send(name, args, options)
    },
  })
}
