// What is in the middle of something when its host is killed: a generator that has no end, and actors that are at rest.

import { setTimeout as sleep } from 'node:timers/promises'
import { Actor, ActorUnavailableError } from 'actor-mesh'

/** So many lines were there when its generator began. */
export interface Item {
  readonly at: number
  readonly lines: number
}

export class Source extends Actor<{ lines: string[] }> {
  static readonly options = { labels: { side: 'source' } }
  override state = { lines: [] as string[] }
  append(line: string): readonly string[] {
    this.state.lines.push(line)
    return this.state.lines
  }
  async *from(first: number, end = Number.POSITIVE_INFINITY): AsyncGenerator<Item> {
    for (let at = first; at < end; at++) yield { at, lines: this.state.lines.length }
  }
}

/** What came, and how it ended. */
export interface Reading {
  readonly items: readonly Item[]
  readonly end: 'complete' | 'unavailable' | 'other'
  /** What the error says of how many came. */
  readonly told?: unknown
  readonly code?: unknown
}

export class Reader extends Actor {
  static readonly options = { labels: { side: 'reader' }, readOnly: ['seen'] }
  #items: Item[] = []
  /** Items of the reading that runs. */
  seen(): number {
    return this.#items.length
  }
  /** Takes its time, so that more has been produced than it took. */
  async read(name: string, first: number, end?: number): Promise<Reading> {
    const items: Item[] = []
    this.#items = items
    try {
      for await (const item of this.context.actor(Source, name).from(first, end)) {
        items.push(item)
        await sleep(1)
      }
      return { items, end: 'complete' }
    } catch (error) {
      const { items: told, code } = error as { readonly items?: unknown; readonly code?: unknown }
      return { items, end: error instanceof ActorUnavailableError ? 'unavailable' : 'other', told, code }
    }
  }
}

/** What an object of {@link Sleeper} knows. */
export interface Slept {
  readonly notes: ReadonlyMap<string, Date>
  readonly peer: string
  readonly restored: boolean
}

export class Sleeper extends Actor<{ notes: Map<string, Date> }> {
  static readonly options = { idleMs: 300, readOnly: ['look'] }
  override state = { notes: new Map<string, Date>() }
  /** In a record of its own: what was noted before is written first. */
  async note(text: string, at: number): Promise<void> {
    await this.checkpoint()
    this.state.notes.set(text, new Date(at))
  }
  look(): Slept {
    const { peer, restored } = this.context
    return { notes: this.state.notes, peer, restored }
  }
}
