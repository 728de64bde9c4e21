// The actors that are measured.

import { Actor, type ActorOptionsInput } from '../../node/index.ts'

/** A remote call and nothing else: no change, and nobody is asked whether the host is still the host. */
export class Echo extends Actor {
  static readonly options: ActorOptionsInput = { readOnly: ['echo'], reads: 'local' }
  echo(data: Uint8Array): Uint8Array {
    return data
  }
}

/** The same, answered after the keepers confirmed the host. */
export class CertainEcho extends Actor {
  static readonly options: ActorOptionsInput = { readOnly: ['echo'] }
  echo(data: Uint8Array): Uint8Array {
    return data
  }
}

/** A call that changes the state by its argument. */
export class Cell extends Actor<{ count: number; data: Uint8Array<ArrayBufferLike> }> {
  override state: { count: number; data: Uint8Array<ArrayBufferLike> } = { count: 0, data: new Uint8Array() }
  set(data: Uint8Array): number {
    this.state.data = data
    this.state.count += 1
    return this.state.count
  }
}

export class SyncedCell extends Cell {
  static readonly options: ActorOptionsInput = { durability: 'synced' }
}

/** Leaves memory soon after each call. */
export class Sleeper extends Cell {
  static readonly options: ActorOptionsInput = { idleMs: 1000 }
}
