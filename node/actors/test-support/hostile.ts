// Actors whose code does in its worker what the thread that started it has to bear.

import { isMainThread, parentPort } from 'node:worker_threads'
import { Actor } from '../../index.ts'
import type { ActorOptionsInput } from '../types.ts'

if (!isMainThread && process.env['HOSTILE_MODULE'] === 'broken') throw new RangeError('not today')

const isolation = { worker: import.meta.url }

export class Hostile extends Actor<{ n: number }> {
  static readonly options: ActorOptionsInput = { isolation }
  override state = { n: 0 }
  /** As libraries do that take every worker for one of theirs. */
  post(message: unknown): string {
    parentPort!.postMessage(message)
    return 'posted'
  }
  async throwOutside(value: unknown): Promise<void> {
    setTimeout(() => {
      throw value
    }, 0)
    await new Promise(() => {})
  }
  async reach(type: string): Promise<unknown> {
    return this.context.actor(type, '0').get!('x')
  }
  states(): readonly unknown[] {
    const { type, name } = this.context
    return [this.context.actor(type, name).status()?.status, this.context.actor(type, 'none').status()]
  }
}

export class Fragile extends Hostile {
  static override readonly options: ActorOptionsInput = { isolation, maxRestarts: 1 }
}

/** The very same in the peer's own thread. */
export class HostileHere extends Hostile {
  static override readonly options: ActorOptionsInput = {}
}
