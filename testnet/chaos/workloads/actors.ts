// The actors of the built-in workloads. Each answers with the number of the state that it saw or made, so that a history
// needs no search to be judged.

import { Actor } from '../../../node/index.ts'

/** A list that only grows: the strictest witness there is. */
export class ChaosList extends Actor<{ values: string[] }> {
  override state = { values: [] as string[] }

  append(value: string): number {
    this.state.values.push(value)
    return this.state.values.length
  }
  read(): readonly string[] {
    return [...this.state.values]
  }
}

export class ChaosCounter extends Actor<{ count: number }> {
  override state = { count: 0 }

  increment(): number {
    this.state.count += 1
    return this.state.count
  }
  read(): number {
    return this.state.count
  }
}

/** One key of a key-value store; `version` counts the writes. */
export class ChaosRegister extends Actor<{ version: number; value: string }> {
  static readonly options = { readOnly: ['get'] }
  override state = { version: 0, value: '' }

  get(): { readonly version: number; readonly value: string } {
    return { version: this.state.version, value: this.state.value }
  }
  put(value: string): number {
    this.state.value = value
    this.state.version += 1
    return this.state.version
  }
  /** Writes only over the version that the caller has seen. */
  compareAndSet(version: number, value: string): { readonly done: boolean; readonly version: number } {
    if (this.state.version !== version) return { done: false, version: this.state.version }
    return { done: true, version: this.put(value) }
  }
}
