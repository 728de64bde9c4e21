// The actor of basket.test.ts: what an app would have, and nothing for tests.

// In an app: from 'actor-mesh'
import { Actor, type ActorOptionsInput } from '../node/index.ts'

export class Basket extends Actor<{ items: string[] }> {
  static readonly options: ActorOptionsInput = { readOnly: ['items'] }
  override state = { items: [] as string[] }

  /** Answers with how many items there are now. */
  add(item: string): number {
    this.state.items.push(item)
    return this.state.items.length
  }

  items(): readonly string[] {
    return [...this.state.items]
  }
}
