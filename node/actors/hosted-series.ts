// One run of a generator method at its host: its items go to the caller as the caller takes them.
//
//  S1 A generator reads the state as it was when it began, beside whatever else runs, and changes nothing: an item that
//     comes after a change never leaves.
//  S2 No item leaves before what that state depends on is acknowledged (G5), and the journal confirmed after the start.
//  S3 Items are numbered and kept until the caller has taken them, at most SERIES_ITEMS and SERIES_BYTES: then the
//     generator waits. What got lost with a link is sent again when the caller asks.
//  S4 A generator ends when its caller ends it, its caller falls silent, or the actor's life here is over.

import type { Clock } from '../ports.ts'
import { Cancellation } from './cancelling.ts'
import type { Answer, CallFrame } from './frames.ts'
import { type ErrorFrame, toFrame } from './remote-error.ts'
import { type Seat, SeatLost, type SeatSeries, type Version } from './seat.ts'
import { SERIES_BYTES, SERIES_ITEMS, SERIES_SILENT_MS } from './series-limits.ts'

type Reply = (answer: Answer) => void

export interface HostedSeriesInit {
  readonly seat: Seat
  readonly frame: CallFrame
  readonly reply: Reply
  readonly base: Version
  readonly gate: Promise<void>
  readonly clock: Clock
  /** Nothing of it is needed any more. */
  readonly ended: () => void
}

export class HostedSeries {
  readonly #init: HostedSeriesInit
  readonly #cancellation = new Cancellation()
  /** Items that the caller has not taken, the first of them its item number `#taken`. */
  readonly #kept: Uint8Array[] = []
  #bytes = 0
  #taken = 0
  #end: Answer | undefined
  #over = false
  #lastHeard: number
  #timer: { cancel(): void } | undefined
  #room: () => void = () => {}

  constructor(init: HostedSeriesInit) {
    this.#init = init
    this.#lastHeard = init.clock.now()
    this.#watch()
  }

  /** The caller has taken so many of its items; `again`: and wants to have the rest sent once more. */
  more(taken: number, again: boolean): void {
    this.#lastHeard = this.#init.clock.now()
    while (this.#taken < taken && this.#kept.length > 0) {
      this.#taken++
      this.#bytes -= this.#kept.shift()!.length
    }
    if (again) {
      // Each in a frame of its own: together with a large one they may not fit into any.
      for (const [index, item] of this.#kept.entries())
        this.#init.reply({ kind: 'items', first: this.#taken + index, items: [item] })
      if (this.#end !== undefined) this.#init.reply(this.#end)
    }
    this.#room()
  }

  /** Ends it (S4); `answer` says why to a caller that still waits. */
  close(answer?: Answer): void {
    if (this.#over) return
    this.#over = true
    this.#timer?.cancel()
    this.#kept.length = 0
    if (answer !== undefined) this.#init.reply(answer)
    this.#cancellation.cancel()
    this.#room()
    this.#init.ended()
  }

  async run(): Promise<void> {
    let error: ErrorFrame | undefined
    try {
      error = await this.#iterate()
    } catch (caught) {
      if (caught instanceof SeatLost) return // who waits hears of it from there
      error = toFrame(caught)
    }
    this.#finish({ kind: 'end', count: this.#produced, ...(error && { error }) })
  }

  get #produced(): number {
    return this.#taken + this.#kept.length
  }

  /** What the generator threw. */
  async #iterate(): Promise<ErrorFrame | undefined> {
    const { gate } = this.#init
    const items = this.#begin()
    for (;;) {
      while (this.#isFull) await this.#nextRoom()
      const step = this.#over ? undefined : await items.next()
      if (step === undefined || this.#over) {
        await items.end()
        return undefined
      }
      if (step.item === undefined) return step.error
      await gate // S2
      if (!this.#over) this.#send(step.item)
    }
  }

  #begin(): SeatSeries {
    const { frame, seat, base, gate } = this.#init
    const { chain, actor, method, args, floors } = frame
    return seat.series({
      kind: 'series',
      method,
      args,
      base,
      scope: {
        // What it calls are calls of their own: it may be run again, with other results.
        id: undefined,
        floors,
        chain: [...chain, actor],
        deadline: Number.POSITIVE_INFINITY,
        cancellation: this.#cancellation,
        agenda: undefined,
        gate: () => gate,
      },
    })
  }

  #send(item: Uint8Array): void {
    const first = this.#produced
    this.#kept.push(item)
    this.#bytes += item.length
    this.#init.reply({ kind: 'items', first, items: [item] })
  }

  /** S3 */
  get #isFull(): boolean {
    return !this.#over && (this.#kept.length >= SERIES_ITEMS || this.#bytes >= SERIES_BYTES)
  }

  #nextRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  #finish(end: Answer): void {
    if (this.#over) return
    this.#end = end
    void this.#init.gate.then(
      () => {
        if (!this.#over) this.#init.reply(end)
      },
      () => {}, // killed, or about to be: the caller hears of it there
    )
  }

  #watch(): void {
    const { clock } = this.#init
    this.#timer = clock.setTimer(SERIES_SILENT_MS, () => {
      if (clock.now() - this.#lastHeard >= SERIES_SILENT_MS) this.close()
      else this.#watch()
    })
  }
}
