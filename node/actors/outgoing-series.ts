// The items of a generator, at its caller.
//
//  I1 Items are handed over in order, each once, and all of them before the end or the error that follows them.
//  I2 From its first item on it belongs to one life of the actor: when that is over it fails and says how many items were
//     handed over. Before that it starts again wherever the actor is: nobody has seen anything of it. An actor that was
//     deleted since it was opened it does not make again.
//  I3 The host is told what was taken, so that it goes on; that its caller is still there; and when it is over.

import type { CallId } from '../../checkpoint/call-table.ts'
import type { ActorKey, BootId, PeerId } from '../../mesh/ids.ts'
import { peerOfBoot } from '../../mesh/ids.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { ActorDiedError, MeshUnavailableError } from '../errors.ts'
import { cancelled, deleted, lostInSeries, timedOut, unavailable } from './call-errors.ts'
import type { CallServices } from './call-services.ts'
import { unlessAborted } from './cancelling.ts'
import type { Target } from './creation.ts'
import type { Answer } from './frames.ts'
import { diedError } from './host.ts'
import { confirmOver, locate } from './locate.ts'
import { type ErrorFrame, fromFrame } from './remote-error.ts'
import { outside } from './scope.ts'
import { SERIES_ALIVE_MS, SERIES_BYTES, SERIES_ITEMS } from './series-limits.ts'
import { Backoff, Signal } from './timing.ts'

const PAUSE_FIRST_MS = 10
const PAUSE_MOST_MS = 500

export interface OutgoingSeriesInit {
  readonly target: Target
  readonly method: string
  readonly args: Uint8Array
  readonly chain: readonly ActorKey[]
  /** Longest wait for one item. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

interface Opened {
  readonly token: string
  readonly id: CallId
  readonly boot: BootId
  readonly epoch: number
  readonly incarnation: number
  readonly unlisten: () => void
  delivered: boolean
}

export class OutgoingSeries {
  readonly #services: CallServices
  readonly #init: OutgoingSeriesInit
  readonly #signal: Signal
  readonly #pause = new Backoff(PAUSE_FIRST_MS, PAUSE_MOST_MS)
  #opened: Opened | undefined
  #arrived: Uint8Array[] = []
  /** Items received, taken and handed over, and told as taken; of this life. */
  #received = 0
  #taken = 0
  #told = 0
  #untoldBytes = 0
  #end: { readonly count: number; readonly error: ErrorFrame | undefined } | undefined
  #failure: Error | undefined
  #askedAt = -1
  #waitingSince: number
  #why = 'it has not been tried yet'
  #unavailableSince: number | undefined
  #timer: { cancel(): void } | undefined
  /** There was an actor to open it at. */
  #wasOpened = false
  /** Its host did not take it: a moment passes before it is asked, or another one is. */
  #refused = false

  constructor(services: CallServices, init: OutgoingSeriesInit) {
    this.#services = services
    this.#init = init
    this.#signal = new Signal(services.clock)
    this.#waitingSince = services.clock.now()
  }

  wake(): void {
    this.#signal.raise()
  }
  registryChanged(): void {
    this.#signal.raise()
  }
  /** What was sent on the stream before may be lost. */
  connected(peer: PeerId): void {
    if (this.#opened !== undefined && peerOfBoot(this.#opened.boot) === peer) this.#tell(true)
    this.#signal.raise()
  }

  async *items(): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal } = this.#init
    const abort = (): void => {
      this.#failure = this.#cancelled()
      this.#close()
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure
        const item = this.#arrived.shift()
        if (item !== undefined) {
          this.#take(item)
          yield item
          this.#waitingSince = this.#services.clock.now()
        } else if (this.#isOver()) return
        else
          await unlessAborted(
            signal,
            outside(() => this.#step()),
            () => this.#cancelled(),
          )
      }
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#close()
    }
  }

  #take(item: Uint8Array): void {
    this.#taken++
    this.#untoldBytes += item.length
    const untold = this.#taken - this.#told
    if (untold >= SERIES_ITEMS / 2 || this.#untoldBytes >= SERIES_BYTES / 2) this.#tell(false) // I3
  }

  #isOver(): boolean {
    if (this.#end === undefined || this.#end.count > this.#received) return false // I1
    if (this.#end.error !== undefined) throw fromFrame(this.#end.error, this.#services.makeRef)
    return true
  }

  async #step(): Promise<void> {
    const { mesh, clock, closed } = this.#services
    const { target, timeoutMs } = this.#init
    if (closed())
      throw new MeshUnavailableError('this node was closed during the call', { executed: 'unknown' })
    const left = this.#waitingSince + timeoutMs - clock.now()
    if (left <= 0) throw this.#timedOut()
    const located = locate(mesh, target.key)
    if (located.kind === 'missing') {
      if (this.#wasOpened) throw this.#deleted()
      const why = await this.#services.creation.create(target)
      if (why !== '') await this.#unavailable(why, left)
    } else if (located.kind === 'over') await this.#believe(located.entry, left)
    else if (located.kind === 'nowhere') {
      if (this.#opened !== undefined) this.#lost(located.why)
      await this.#unavailable(located.why, left)
    } else {
      const { entry, home } = located
      const at = this.#opened
      if (at !== undefined && !isSame(at, entry, home)) this.#lost('its host was lost, or it moved')
      if (this.#refused) {
        this.#refused = false
        await this.#signal.wait(Math.min(this.#pause.next(), left))
      } else if (this.#opened?.delivered !== true && !this.#open(entry, home))
        await this.#unavailable(`its host ${peerOfBoot(home)} is not connected`, left)
      else if (!this.#hasNews()) await this.#signal.wait(left)
    }
  }

  /** A frame answered at once, by this very peer, raises nothing that anybody waits for. */
  #hasNews(): boolean {
    return (
      this.#arrived.length > 0 ||
      this.#failure !== undefined ||
      this.#opened === undefined ||
      (this.#end !== undefined && this.#end.count <= this.#received)
    )
  }

  #open({ epoch, incarnation }: ActorEntry, home: BootId): boolean {
    const { exchange, mesh } = this.#services
    const { target, method, args, chain, timeoutMs } = this.#init
    const token = this.#opened?.token ?? exchange.token()
    const unlisten = exchange.listen(token, (answer) => this.#hear(token, answer))
    const id = this.#opened?.id ?? { caller: mesh.boot, n: 0, path: token }
    this.#opened = { token, id, boot: home, epoch, incarnation, unlisten, delivered: true }
    this.#wasOpened = true
    const floors = { own: 0, all: 0 }
    const about = { actor: target.key, incarnation, epoch, method, args }
    const opened = this.#opened
    opened.delivered = exchange.send(peerOfBoot(home), {
      t: 'call',
      series: true,
      token,
      id,
      floors,
      chain,
      leftMs: timeoutMs,
      ...about,
    })
    this.#keepAlive()
    return opened.delivered
  }

  #hear(token: string, answer: Answer): void {
    if (this.#opened?.token !== token) return
    if (answer.kind === 'items') this.#hearItems(answer.first, answer.items)
    else if (answer.kind === 'end') {
      this.#end = { count: answer.count, error: answer.error }
      if (answer.count > this.#received) this.#askAgain()
    } else if (answer.kind === 'error') this.#failure ??= fromFrame(answer.error, this.#services.makeRef)
    else if (answer.kind === 'waiting') this.#note(answer.why)
    else if (answer.kind !== 'result') {
      const why = answer.kind === 'moved' ? 'it is moving to another host' : answer.why
      this.#refused = true
      try {
        this.#lost(why)
      } catch (error) {
        this.#failure ??= error as Error
      }
    }
    this.#signal.raise()
  }

  #hearItems(first: number, items: readonly Uint8Array[]): void {
    if (first > this.#received) return this.#askAgain()
    this.#unavailableSince = undefined
    for (const [index, item] of items.entries()) {
      if (first + index !== this.#received) continue // I1: here already
      this.#received++
      this.#arrived.push(item)
    }
  }

  /** Once for each gap: what follows it arrives as well, and is no further news of it. */
  #askAgain(): void {
    if (this.#askedAt === this.#received) return
    this.#askedAt = this.#received
    this.#tell(true)
  }

  #tell(again: boolean): void {
    if (this.#opened === undefined) return
    const { token, boot } = this.#opened
    this.#told = this.#taken
    this.#untoldBytes = 0
    const { exchange } = this.#services
    const { key } = this.#init.target
    exchange.more(peerOfBoot(boot), { t: 'more', token, actor: key, taken: this.#taken, again })
  }

  #keepAlive(): void {
    this.#timer?.cancel()
    this.#timer = this.#services.clock.setTimer(SERIES_ALIVE_MS, () => {
      this.#tell(this.#arrived.length === 0)
      this.#keepAlive()
    })
  }

  /** The life that it read from is over. Throws, unless nobody has seen anything of it (I2). */
  #lost(why: string): void {
    const taken = this.#taken
    this.#close()
    if (taken > 0) throw lostInSeries(this.#init.target, this.#init.method, why, taken)
    this.#arrived = []
    this.#received = 0
    this.#askedAt = -1
    this.#end = undefined
    this.#note(why)
  }

  /** I2 */
  #deleted(): Error {
    this.#lost('it was deleted')
    return deleted(this.#init.target)
  }

  #close(): void {
    this.#timer?.cancel()
    const { exchange } = this.#services
    if (this.#opened !== undefined) {
      const { token, id, boot, unlisten } = this.#opened
      this.#opened = undefined
      unlisten()
      exchange.cancel(peerOfBoot(boot), { t: 'cancel', token, id, actor: this.#init.target.key }) // I3
    }
    this.#signal.raise()
  }

  async #believe(entry: ActorEntry, left: number): Promise<void> {
    const over = await confirmOver(this.#services.mesh, entry, left)
    if (over === 'unknown')
      await this.#unavailable('this peer believes that it ended, and no head is there to confirm it', left)
    else if (over !== undefined) throw new ActorDiedError(diedError(over).message, { executed: 'unknown' })
  }

  async #unavailable(why: string, left: number): Promise<void> {
    this.#note(why)
    await this.#signal.wait(Math.min(this.#pause.next(), left))
  }

  #note(why: string): void {
    this.#why = why
    this.#unavailableSince ??= this.#services.clock.now()
  }

  #cancelled(): Error {
    const { target, method, signal } = this.#init
    return cancelled(
      target,
      method,
      signal,
      this.#opened === undefined && this.#taken === 0 ? 'no' : 'unknown',
    )
  }

  #timedOut(): Error {
    const { target, method, timeoutMs } = this.#init
    if (this.#unavailableSince === undefined) return timedOut(target, method, timeoutMs, 'unknown')
    const since = this.#services.clock.now() - this.#unavailableSince
    return unavailable(target, this.#why, since, 'unknown')
  }
}

const isSame = (at: Opened, entry: ActorEntry, home: BootId): boolean =>
  at.boot === home && at.epoch === entry.epoch && at.incarnation === entry.incarnation
