// A ledger in a worker, loaded from its own file by peer and worker alike.

import { isMainThread } from 'node:worker_threads'
import { Actor } from 'actor-mesh'

export class IsolatedLedger extends Actor<{ tokens: string[] }> {
  static readonly options = { isolation: 'worker' } as const
  override state = { tokens: [] as string[] }
  add(token: string): number {
    this.state.tokens.push(token)
    return this.state.tokens.length
  }
  tokens(): readonly string[] {
    return this.state.tokens
  }
  where(): { isMainThread: boolean; restored: boolean } {
    return { isMainThread, restored: this.context.restored }
  }
}
