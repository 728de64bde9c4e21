// Gathers items by key for a moment, and while what was gathered before is on its way, so that one registry command carries
// many: more of them the slower the registry is.

import type { Clock } from '../ports.ts'

const GATHER_MS = 20
/** Keeps one command far below a registry block. */
const MAX_ITEMS = 500

interface Batch<Item> {
  readonly items: Item[]
  readonly sent: Promise<void>
  readonly send: () => void
  /** It was gathered for long enough. */
  isDue: boolean
}

export class Batches<Key, Item> {
  readonly #clock: Clock
  readonly #send: (key: Key, items: readonly Item[]) => Promise<void>
  readonly #open = new Map<Key, Batch<Item>>()
  readonly #sending = new Set<Key>()
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
      batch.isDue = true
      const isFull = items.length >= MAX_ITEMS
      if (this.#open.get(key) !== batch || (this.#sending.has(key) && !isFull)) return
      this.#open.delete(key)
      this.#sending.add(key)
      const sent = (): void => {
        this.#sending.delete(key)
        const next = this.#open.get(key)
        if (next?.isDue) next.send()
      }
      this.#send(key, items).then(resolve, reject).finally(sent)
    }
    const timer = this.#clock.setTimer(GATHER_MS, send)
    this.#timers.add(timer)
    const batch: Batch<Item> = { items, sent: promise, send, isDue: false }
    this.#open.set(key, batch)
    return batch
  }
}
