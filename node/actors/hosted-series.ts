// One run of a generator method at its host: its items go to the caller as the caller takes them.
//
//  S1 A generator reads the state as it was when it began, beside whatever else runs, and changes nothing: an item that
//     comes after a change never leaves.
//  S2 No item leaves before what that state depends on is acknowledged (G5), and the journal confirmed after the start.
//  S3 Items are numbered and kept until the caller has taken them, at most SERIES_ITEMS and SERIES_BYTES: then the
//     generator waits. What got lost with a link is sent again when the caller asks.
//  S4 A generator ends when its caller ends it, its caller falls silent, or the actor's life here is over.

import { decodeUser } from '../../checkpoint/codec.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import { StateError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { Cancellation } from './cancelling.ts'
import type { Draft } from './draft.ts'
import { explain, tooLarge } from './execution.ts'
import type { Answer, CallFrame } from './frames.ts'
import { toFrame } from './remote-error.ts'
import { CallScope } from './scope.ts'
import { SERIES_BYTES, SERIES_ITEMS, SERIES_SILENT_MS } from './series-limits.ts'
import type { TypeInfo } from './type-info.ts'
import type { AnyActor } from './types.ts'

type Reply = (answer: Answer) => void

export interface HostedSeriesInit {
  readonly info: TypeInfo
  readonly instance: AnyActor
  readonly frame: CallFrame
  readonly reply: Reply
  readonly base: object
  readonly draft: Draft
  readonly gate: Promise<void>
  /** Throws when a Date or typed array of the state was changed in place. */
  readonly check: () => void
  readonly maxBytes: number
  readonly makeRef: MakeRef
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
    const { frame, draft, info, check } = this.#init
    try {
      await this.#iterate()
      check()
      this.#finish({ kind: 'end', count: this.#produced })
    } catch (error) {
      const thrown = toFrame(explain(info, frame.method, error))
      this.#finish({ kind: 'end', count: this.#produced, error: thrown })
    } finally {
      draft.discard()
    }
  }

  get #produced(): number {
    return this.#taken + this.#kept.length
  }

  async #iterate(): Promise<void> {
    const { frame, instance, draft, gate, makeRef } = this.#init
    const scope = new CallScope({
      owner: instance,
      draft,
      // What it calls are calls of their own: it may be run again, with other results.
      id: undefined,
      floors: frame.floors,
      chain: [...frame.chain, frame.actor],
      deadline: Number.POSITIVE_INFINITY,
      cancellation: this.#cancellation,
      agenda: undefined,
      gate: () => gate,
    })
    try {
      const args = decodeUser(frame.args, makeRef) as unknown[]
      const method = (instance as unknown as Record<string, (...args: unknown[]) => AsyncGenerator>)[
        frame.method
      ]!
      const generator = scope.run(() => method.apply(instance, args))
      for (;;) {
        await this.#hasRoom()
        const step = this.#over ? undefined : await scope.run(() => generator.next())
        if (this.#over) {
          await scope.run(() => generator.return(undefined))
          return
        }
        this.#refuseChange()
        if (step?.done !== false) return
        const item = this.#encode(step.value)
        await gate // S2
        if (!this.#over) this.#send(item)
      }
    } finally {
      scope.open = false
    }
  }

  #send(item: Uint8Array): void {
    const first = this.#produced
    this.#kept.push(item)
    this.#bytes += item.length
    this.#init.reply({ kind: 'items', first, items: [item] })
  }

  #encode(value: unknown): Uint8Array {
    const { draft, maxBytes } = this.#init
    const item = draft.encodeResult(value)
    if (item.length > maxBytes) throw tooLarge('item', item.length, maxBytes)
    return item
  }

  #refuseChange(): void {
    const { info, frame, draft, base, check } = this.#init
    check()
    if (!draft.isChanged(base)) return
    throw new StateError(
      `${info.name}.${frame.method} is a generator and changed the state, which it may only read: change it in a method that returns`,
    ) // S1
  }

  async #hasRoom(): Promise<void> {
    while (!this.#over && (this.#kept.length >= SERIES_ITEMS || this.#bytes >= SERIES_BYTES)) {
      await new Promise<void>((resolve) => {
        this.#room = resolve
      }) // S3
    }
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
