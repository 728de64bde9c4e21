// What an actor finds in `this.context`.

import { type ActorKey, nameOfActor, typeOfActor } from '../../mesh/ids.ts'
import { signalOf } from './instance.ts'
import type { KeyValueStore } from './kv-types.ts'
import type { ActorContext } from './types.ts'

/** What there is to know of an actor's home: plain data. */
export interface ContextData {
  readonly key: ActorKey
  readonly peer: string
  readonly boot: string
  readonly restarts: number
  readonly restored: boolean
  readonly epoch: number
}

/** One shape for all of them: a host may have very many. */
export class Context implements ActorContext, ContextData {
  readonly key: ActorKey
  readonly type: string
  readonly name: string
  readonly peer: string
  readonly boot: string
  readonly restarts: number
  readonly restored: boolean
  readonly epoch: number
  readonly actor: ActorContext['actor']
  readonly kv: KeyValueStore

  constructor(data: ContextData, { actor, kv }: Pick<ActorContext, 'actor' | 'kv'>) {
    this.key = data.key
    this.type = typeOfActor(data.key)
    this.name = nameOfActor(data.key)
    this.peer = data.peer
    this.boot = data.boot
    this.restarts = data.restarts
    this.restored = data.restored
    this.epoch = data.epoch
    this.actor = actor
    this.kv = kv
    Object.freeze(this)
  }

  get signal(): AbortSignal {
    return signalOf(this)
  }
}

/** For another object of the same life, made from what is written. */
export const asRestored = (context: Context): Context => new Context({ ...context, restored: true }, context)
