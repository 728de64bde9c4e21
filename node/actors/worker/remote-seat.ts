// The seat in a worker thread of its own, one per actor: an endless loop, a crash or a full heap there stops that actor and
// nobody else. This is its side in the peer's thread. What methods call goes out from here, in the scope of their run.

import type { Patches } from 'mutative'
import { encodePieces } from '../../../checkpoint/pieces.ts'
import type { Clock } from '../../ports.ts'
import { ACTIVATE_MS } from '../hooks.ts'
import type { Isolation } from '../isolation-options.ts'
import { UnfitState } from '../migration.ts'
import { type ErrorFrame, fromFrame, textOf } from '../remote-error.ts'
import { CallScope } from '../scope.ts'
import {
  type Outcome,
  type Seat,
  type SeatInit,
  SeatLost,
  type SeatSeries,
  type Step,
  type Version,
  type Work,
} from '../seat.ts'
import { within } from '../timing.ts'
import { Errands, type Outward } from './errands.ts'
import { type FromWorker, moved, own, type ToWorker } from './messages.ts'
import type { GuestStart, StartThread, Thread, ThreadInit } from './thread.ts'

export interface RemoteSeats {
  readonly clock: Clock
  readonly startThread: StartThread
  /** Between two pieces of a state. */
  readonly pause: () => Promise<void>
  readonly maxBytes: number
  readonly outward: Outward
  /** By type, the methods that are generators. */
  readonly generators: GuestStart['generators']
}

/** Rejects with what the constructor throws, with why the class can't be loaded, or with SeatLost. */
export async function openRemoteSeat(
  init: SeatInit,
  isolation: Isolation,
  seats: RemoteSeats,
): Promise<Seat> {
  const seat = new RemoteSeat(init, isolation, seats)
  init.signal?.addEventListener('abort', () => seat.end(), { once: true })
  try {
    const late = new SeatLost(`its worker was not ready within ${ACTIVATE_MS} ms`)
    if ((await within(seats.clock, seat.ready, ACTIVATE_MS, late)) === late) throw late
    return seat
  } catch (error) {
    seat.end()
    throw error
  }
}

interface Running {
  readonly scope: CallScope
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: SeatLost) => void
}

class RemoteSeat implements Seat {
  readonly ready: Promise<void>
  readonly #init: SeatInit
  readonly #thread: Thread
  readonly #errands: Errands
  readonly #pause: () => Promise<void>
  readonly #runs = new Map<number, Running>()
  readonly #series = new Map<number, RemoteSeries>()
  #initial: Uint8Array = new Uint8Array()
  /** That its object is made, or has taken a state. */
  #taking: PromiseWithResolvers<void> | undefined
  #isOpen = false
  #next = 1
  #over: SeatLost | undefined

  constructor(init: SeatInit, isolation: Isolation, seats: RemoteSeats) {
    this.#init = init
    const { info, context } = init
    const { maxBytes, generators, outward, startThread, pause } = seats
    this.#pause = pause
    const { key, peer, boot, restarts, restored, epoch } = context
    this.ready = this.#take()
    this.ready.catch(() => {}) // who opens it handles it
    this.#errands = new Errands({
      outward,
      scope: (run) => this.#runs.get(run)?.scope ?? this.#series.get(run)?.scope,
      post: (message, buffers) => this.#post(message, buffers),
    })
    this.#thread = started(startThread, {
      isolation,
      start: {
        type: info.name,
        context: { key, peer, boot, restarts, restored, epoch },
        init: own(init.init),
        isFresh: init.isFresh,
        maxBytes,
        generators,
      },
      hear: (message) => this.#hear(message),
      answer: (question) => this.#errands.answer(question),
      lost: (cause) => this.#lost(cause),
    })
  }

  get initial(): Uint8Array {
    return this.#initial
  }

  async begin({ sequence, state }: Version, isInitial: boolean): Promise<void> {
    const pieces = isInitial ? undefined : encodePieces(state)
    for (let piece = pieces?.next(); piece !== undefined && piece.done !== true; ) {
      const bytes = own(piece.value)
      this.#post({ t: 'piece', bytes }, moved(bytes))
      piece = pieces?.next()
      if (piece?.done !== true) await this.#pause()
    }
    this.check()
    const taken = this.#take()
    this.#post({ t: 'begin', sequence, isInitial })
    await taken
  }

  async renew(): Promise<void> {
    this.check()
    const taken = this.#take()
    this.#post({ t: 'renew' })
    await taken
  }

  run(work: Work): Promise<Outcome> {
    if (this.#over !== undefined) return Promise.reject(this.#over)
    const run = this.#next++
    return new Promise((resolve, reject) => {
      this.#runs.set(run, { scope: this.#scope(work), resolve, reject })
      this.#begin(run, work)
    })
  }

  series(work: Work): SeatSeries {
    const run = this.#next++
    const series = new RemoteSeries(this.#scope(work), {
      next: () => this.#post({ t: 'next', run }),
      end: () => this.#post({ t: 'end', run }),
    })
    if (this.#over !== undefined) {
      series.lost(this.#over)
      return series
    }
    this.#series.set(run, series)
    this.#begin(run, work)
    return series
  }

  changed({ sequence, durable }: Version, bytes: Uint8Array, _applied: Patches): void {
    const patches = own(bytes)
    this.#post({ t: 'changed', sequence, durable, patches }, moved(patches))
  }

  /** No class of users hears it. */
  tell(): void {}

  check(): void {
    if (this.#over !== undefined) throw this.#over
  }

  end(): void {
    if (this.#over === undefined) this.#close(new SeatLost('its object is over'))
  }

  #begin(run: number, { kind, method, args: values, base, scope }: Work): void {
    const args = own(values)
    const { sequence, durable } = base
    const { chain, agenda, cancellation } = scope
    const hasAgenda = agenda !== undefined
    this.#post({ t: 'run', run, chain, sequence, durable, hasAgenda, kind, method, args }, moved(args))
    cancellation.listen(() => this.#post({ t: 'cancel', run }))
  }

  /** Of the calls that the run makes; its state and its own scope are in the worker. */
  #scope({ scope }: Work): CallScope {
    return new CallScope({ ...scope, owner: this, draft: undefined })
  }

  #post(message: ToWorker, buffers: ArrayBuffer[] = []): void {
    if (this.#over === undefined) this.#thread.post(message, buffers)
  }

  #hear(message: FromWorker): void {
    if (this.#over !== undefined) return // I1
    switch (message.t) {
      case 'ready':
        this.#initial = message.initial
        this.#isOpen = true
        return this.#taken()?.resolve()
      case 'begun':
        return this.#taken()?.resolve()
      case 'broken':
        return this.#taken()?.reject(thrownBy(message.error))
      case 'done':
        return this.#done(message.run, message.outcome)
      case 'step':
        return this.#series.get(message.run)?.step(message.step)
      case 'ended': {
        this.#series.get(message.run)?.ended()
        this.#series.delete(message.run)
        return
      }
      default:
        this.#errands.hear(message)
    }
  }

  #done(run: number, outcome: Outcome): void {
    const running = this.#runs.get(run)
    this.#runs.delete(run)
    if (running === undefined) return
    running.scope.open = false
    running.resolve('error' in outcome ? outcome : { ...outcome, left: running.scope.left })
  }

  #take(): Promise<void> {
    this.#taking = Promise.withResolvers()
    return this.#taking.promise
  }

  #taken(): PromiseWithResolvers<void> | undefined {
    const taking = this.#taking
    this.#taking = undefined
    return taking
  }

  /** I3 */
  #lost(cause: string): void {
    if (this.#over !== undefined) return
    const error = new SeatLost(cause)
    this.#over = error
    if (this.#isOpen) this.#init.lost(this, cause)
    this.#close(error)
  }

  #close(error: SeatLost): void {
    this.#over = error
    this.#errands.end()
    this.#taken()?.reject(error)
    for (const { scope, reject } of this.#runs.values()) {
      scope.open = false
      reject(error)
    }
    for (const series of this.#series.values()) series.lost(error)
    this.#runs.clear()
    this.#series.clear()
    this.#thread.end()
  }
}

/** A host that has no room for another thread is no fault of the class. */
function started(startThread: StartThread, init: ThreadInit): Thread {
  try {
    return startThread(init)
  } catch (error) {
    throw new SeatLost(`its worker could not be started: ${textOf(error)}`)
  }
}

/** What the class threw there, as it would have been thrown here. */
function thrownBy(frame: ErrorFrame): Error {
  if (frame.name === UNFIT) return new UnfitState(frame.message)
  const { kind, name, message, stack } = frame
  return kind === 'mesh'
    ? fromFrame(frame, () => undefined)
    : Object.assign(new Error(message), { name, stack })
}

const { name: UNFIT } = new UnfitState('')

/** One generator there, with at most one step under way. */
class RemoteSeries implements SeatSeries {
  readonly scope: CallScope
  readonly #ask: { readonly next: () => void; readonly end: () => void }
  #next: PromiseWithResolvers<Step> | undefined
  #end: PromiseWithResolvers<void> | undefined
  #lost: SeatLost | undefined

  constructor(scope: CallScope, ask: { readonly next: () => void; readonly end: () => void }) {
    this.scope = scope
    this.#ask = ask
  }

  next(): Promise<Step> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    this.#next = Promise.withResolvers()
    this.#ask.next()
    return this.#next.promise
  }

  async end(): Promise<void> {
    if (this.#lost !== undefined) return
    if (this.#end === undefined) {
      this.#end = Promise.withResolvers()
      this.#ask.end()
    }
    await this.#end.promise
  }

  step(step: Step): void {
    this.#next?.resolve(step)
    this.#next = undefined
    if (step.item === undefined) void this.end()
  }

  ended(): void {
    this.scope.open = false
    this.#end?.resolve()
  }

  lost(error: SeatLost): void {
    this.scope.open = false
    this.#lost = error
    this.#next?.reject(error)
    this.#end?.resolve()
  }
}
