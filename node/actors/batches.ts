// Gathers items by key for a moment, so that one registry command carries many.

import type { Clock } from '../ports.ts'

const GATHER_MS = 20
/** Keeps one command far below a registry block. */
const MAX_ITEMS = 500

interface Batch<Item> {
  readonly items: Item[]
  readonly sent: Promise<void>
  readonly send: () => void
}

export class Batches<Key, Item> {
  readonly #clock: Clock
  readonly #send: (key: Key, items: readonly Item[]) => Promise<void>
  readonly #open = new Map<Key, Batch<Item>>()
  readonly #timers = new Set<{ cancel(): void }>()

  constructor(clock: Clock, send: (key: Key, items: readonly Item[]) => Promise<void>) {
    this.#clock = clock
    this.#send = send
  }

  /** Resolves or rejects as the sending of its batch does. */
  add(key: Key, item: Item): Promise<void> {
    const batch = this.#open.get(key) ?? this.#start(key)
    batch.items.push(item)
    if (batch.items.length >= MAX_ITEMS) batch.send()
    return batch.sent
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#open.clear()
  }

  #start(key: Key): Batch<Item> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const items: Item[] = []
    const send = (): void => {
      timer.cancel()
      this.#timers.delete(timer)
      if (this.#open.get(key) === batch) this.#open.delete(key)
      this.#send(key, items).then(resolve, reject)
    }
    const timer = this.#clock.setTimer(GATHER_MS, send)
    this.#timers.add(timer)
    const batch = { items, sent: promise, send }
    this.#open.set(key, batch)
    return batch
  }
}
