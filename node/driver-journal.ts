// One journal of this boot as the actor runtime holds it.

import type { LogKey, PeerId } from '../mesh/ids.ts'
import type { JournalClass } from '../mesh/registry/types.ts'
import type { OpenJournal } from './mesh-handle.ts'

export interface JournalActions {
  append(block: Uint8Array): Promise<number>
  confirm(): Promise<void>
  sync(index: number): Promise<void>
  holders(index: number): readonly PeerId[] | undefined
}

export class DriverJournal implements OpenJournal {
  readonly key: LogKey
  readonly class: JournalClass
  readonly #actions: JournalActions
  #rolled = false

  constructor(key: LogKey, journalClass: JournalClass, actions: JournalActions) {
    this.key = key
    this.class = journalClass
    this.#actions = actions
  }

  get rolled(): boolean {
    return this.#rolled
  }
  markRolled(): void {
    this.#rolled = true
  }
  append(block: Uint8Array): Promise<number> {
    return this.#actions.append(block)
  }
  confirm(): Promise<void> {
    return this.#actions.confirm()
  }
  sync(index: number): Promise<void> {
    return this.#actions.sync(index)
  }
  holders(index: number): readonly PeerId[] | undefined {
    return this.#actions.holders(index)
  }
}
