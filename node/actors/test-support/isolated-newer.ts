// A later version of a class that runs in a worker.

import { Actor } from '../../index.ts'
import type { ActorOptionsInput } from '../types.ts'

export class Shape extends Actor<{ sizes: number[] }> {
  static readonly version = 1
  static readonly options: ActorOptionsInput = { isolation: { worker: import.meta.url } }
  static migrate(state: { readonly size: number }): { sizes: number[] } {
    return { sizes: [state.size] }
  }
  override state = { sizes: [0] }
  grow(by: number): readonly number[] {
    this.state.sizes.push(by)
    return [...this.state.sizes]
  }
}
