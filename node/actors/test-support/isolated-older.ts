// The first version of a class that runs in a worker.

import { Actor } from '../../index.ts'
import type { ActorOptionsInput } from '../types.ts'

export class Shape extends Actor<{ size: number }> {
  static readonly options: ActorOptionsInput = { isolation: { worker: import.meta.url } }
  override state = { size: 0 }
  grow(by: number): number {
    this.state.size += by
    return this.state.size
  }
  crash(text: string): void {
    setTimeout(() => {
      throw new Error(text)
    }, 0)
  }
}
