// The seat in a worker thread of its own, one per actor: an endless loop, a crash or a full heap there stops that actor and
// nobody else. What methods call goes out from this thread, in the scope of the run it belongs to.

import { Worker } from 'node:worker_threads'
import type { Patches } from 'mutative'
import { encode } from '../../../checkpoint/codec.ts'
import type { Clock } from '../../ports.ts'
import { ACTIVATE_MS } from '../hooks.ts'
import type { Isolation } from '../isolation-options.ts'
import { fromFrame } from '../remote-error.ts'
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
import { type FromWorker, moved, own, type ToWorker, type WorkerStart } from './messages.ts'
import { beatEveryMs, Watchdog } from './watchdog.ts'

export interface WorkerSeats {
  readonly clock: Clock
  readonly maxBytes: number
  readonly outward: Outward
  /** By type, the methods that are generators. */
  readonly generators: () => WorkerStart['generators']
}

const BUILT = !import.meta.url.endsWith('.ts')
const MAIN = new URL(`./main.${BUILT ? 'js' : 'ts'}`, import.meta.url)

/** Rejects with what the constructor throws, with why the class can't be loaded, or with SeatLost. */
export async function openWorkerSeat(init: SeatInit, module: string, seats: WorkerSeats): Promise<Seat> {
  const seat = new WorkerSeat(init, module, seats)
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

class WorkerSeat implements Seat {
  readonly ready: Promise<void>
  readonly #init: SeatInit
  readonly #worker: Worker
  readonly #errands: Errands
  readonly #watchdog: Watchdog
  readonly #runs = new Map<number, Running>()
  readonly #series = new Map<number, WorkerSeries>()
  #initial: Uint8Array | undefined
  #started: PromiseWithResolvers<void> | undefined
  #next = 1
  #over: SeatLost | undefined

  constructor(init: SeatInit, module: string, { clock, maxBytes, outward, generators }: WorkerSeats) {
    this.#init = init
    const { info, context } = init
    const { unresponsiveMs, memoryMb } = info.isolation as Isolation
    const { port1, port2 } = new MessageChannel()
    const questions = { lock: new Int32Array(new SharedArrayBuffer(4)), answers: port2 }
    const beats = new Int32Array(new SharedArrayBuffer(4))
    const { key, peer, boot, restarts, restored, epoch } = context
    const start: WorkerStart = {
      module,
      type: info.name,
      context: { key, peer, boot, restarts, restored, epoch },
      init: own(init.init),
      maxBytes,
      generators: generators(),
      beats,
      beatMs: beatEveryMs(unresponsiveMs),
      questions,
    }
    this.#started = Promise.withResolvers()
    this.ready = this.#started.promise
    this.ready.catch(() => {}) // who opens it handles it
    this.#worker = new Worker(MAIN, {
      workerData: start,
      transferList: [port2],
      name: key,
      ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
    })
    this.#errands = new Errands({
      outward,
      questions: { lock: questions.lock, answers: port1 },
      scope: (run) => this.#runs.get(run)?.scope ?? this.#series.get(run)?.scope,
      post: (message, buffers) => this.#post(message, buffers),
    })
    this.#watchdog = new Watchdog({
      clock,
      beats,
      unresponsiveMs,
      hangs: () =>
        this.#lost(
          `its worker did not answer for ${unresponsiveMs} ms: what runs there never awaits anything, or needs a larger unresponsiveMs`,
        ),
    })
    this.#worker.on('message', (message: FromWorker) => this.#hear(message))
    this.#worker.on('error', (error) => this.#lost(causeOf(error, memoryMb)))
    this.#worker.on('exit', (code) =>
      this.#lost(`its worker ended with exit code ${code}: something there called process.exit`),
    )
  }

  get initial(): Uint8Array {
    return this.#initial!
  }

  begin({ sequence, state }: Version, isInitial: boolean): void {
    const bytes = isInitial ? undefined : own(encode(state))
    this.#post({ t: 'begin', sequence, state: bytes }, moved(bytes))
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
    const series = new WorkerSeries(this.#scope(work), {
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

  end(): void {
    if (this.#over === undefined) this.#close(new SeatLost('its object is over'))
  }

  #begin(run: number, { kind, method, args: values, base, scope }: Work): void {
    const args = own(values)
    const { sequence, durable } = base
    const { chain, agenda, cancellation } = scope
    const hasAgenda = agenda !== undefined
    this.#post({ t: 'run', run, chain, sequence, durable, hasAgenda, kind, method, args }, moved(args))
    cancellation.listen((isAbandoned) => {
      const running = this.#runs.get(run)
      if (isAbandoned && running !== undefined) running.scope.open = false
      this.#post({ t: 'cancel', run, isAbandoned })
    })
  }

  /** Of the calls that the run makes; its state and its own scope are in the worker. */
  #scope({ scope }: Work): CallScope {
    return new CallScope({ ...scope, owner: this, draft: { state: undefined } })
  }

  #post(message: ToWorker, buffers: ArrayBuffer[] = []): void {
    if (this.#over === undefined) this.#worker.postMessage(message, buffers)
  }

  #hear(message: FromWorker): void {
    if (this.#over !== undefined) return // I1
    switch (message.t) {
      case 'ready':
        this.#initial = message.initial
        this.#settleStart()?.resolve()
        return
      case 'broken':
        this.#settleStart()?.reject(fromFrame(message.error, () => undefined))
        return
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
    running.resolve(outcome)
  }

  #settleStart(): PromiseWithResolvers<void> | undefined {
    const started = this.#started
    this.#started = undefined
    return started
  }

  /** I3 */
  #lost(cause: string): void {
    if (this.#over !== undefined) return
    const isStarting = this.#started !== undefined
    const error = new SeatLost(cause)
    this.#over = error
    if (!isStarting) this.#init.lost(cause)
    this.#close(error)
  }

  #close(error: SeatLost): void {
    this.#over = error
    this.#watchdog.stop()
    this.#errands.end()
    this.#settleStart()?.reject(error)
    for (const { scope, reject } of this.#runs.values()) {
      scope.open = false
      reject(error)
    }
    for (const series of this.#series.values()) series.lost(error)
    this.#runs.clear()
    this.#series.clear()
    void this.#worker.terminate()
  }
}

/** One generator there, with at most one step under way. */
class WorkerSeries implements SeatSeries {
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

function causeOf(error: unknown, memoryMb: number | undefined): string {
  const { code, name, message } = error as Error & { readonly code?: unknown }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return `its worker ran out of memory${memoryMb === undefined ? '' : ` (${memoryMb} MB of heap)`}: give it a larger memoryMb, or keep less`
  return `its worker ended by an error outside of its calls: ${name}: ${message}`
}
