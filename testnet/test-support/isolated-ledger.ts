// Actors in workers, loaded from their own file by peer and worker alike; and one in the peer's own thread.

import { existsSync, writeFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { Actor } from 'actor-mesh'

/** Where an object of an actor is. */
export interface Where {
  readonly peer: string
  readonly boot: string
  /** 0: the peer's own. */
  readonly thread: number
  readonly restored: boolean
}

class Ledger extends Actor<{ tokens: string[] }> {
  override state = { tokens: [] as string[] }
  add(token: string): number {
    this.state.tokens.push(token)
    return this.state.tokens.length
  }
  tokens(): readonly string[] {
    return this.state.tokens
  }
  where(): Where {
    const { peer, boot, restored } = this.context
    return { peer, boot, thread: threadId, restored }
  }
  /** The first object of the actor never returns from this, or ends its thread. */
  fail(how: 'loop' | 'exit' | 'throw' | 'memory', token: string): number {
    if (!this.context.restored) failBy(how)
    return this.add(token)
  }
}

export class IsolatedLedger extends Ledger {
  static readonly options = { isolation: 'worker' } as const
}
/** Is taken to hang sooner, and has less memory. */
export class FragileLedger extends Ledger {
  static readonly options = {
    isolation: { worker: import.meta.url, unresponsiveMs: 1000, memoryMb: 64 },
  } as const
}

/** Is waited for, however long it awaits nothing. */
export class PatientLedger extends Ledger {
  static readonly options = { isolation: { worker: import.meta.url, unresponsiveMs: 600_000 } } as const
  /** Makes one file and keeps its thread busy until there is another. */
  busyUntil(begun: string, enough: string, token: string): number {
    writeFileSync(begun, '')
    while (!existsSync(enough));
    return this.add(token)
  }
}

export class Neighbour extends Actor<{ count: number }> {
  override state = { count: 0 }
  add(): number {
    return ++this.state.count
  }
}

function failBy(how: 'loop' | 'exit' | 'throw' | 'memory'): void {
  if (how === 'exit') process.exit(9)
  if (how === 'throw') {
    setTimeout(() => {
      throw new TypeError('outside of any call')
    }, 0)
    return
  }
  const hoard: unknown[] = []
  for (;;) if (how === 'memory') hoard.push(new Array(10_000).fill({ a: 1 }))
}
