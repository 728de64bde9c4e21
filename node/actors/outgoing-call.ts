// One call from this peer, from its first look at the registry to its answer, over as many hosts as it takes.
//
//  C1 Its id never changes once it was sent, so its effect happens once, whoever executes it.
//  C2 Only the answer to the latest attempt counts, except for a result: a result is durable wherever it comes from, but
//     an error of a host that was replaced says nothing about what its successor does.
//  C3 Once sent, it belongs to one incarnation of the actor; another one is another actor.
//  C4 "Stopped" and "dead" in this peer's copy of the registry are believed only after catching up with the head.
//  C5 Refused because this peer was given up, and executed by nobody, it begins anew under this peer's next boot with another
//     id. That nobody executed it takes both sides: it was sent to no other host, and the one that refused it had not had it.

import type { CallFloors, CallId } from '../../checkpoint/call-table.ts'
import { type ActorKey, type BootId, type CallerId, type PeerId, peerOfBoot } from '../../mesh/ids.ts'
import { nextLife } from '../../mesh/registry/life-numbers.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import type { Durability } from '../api.ts'
import { ActorDiedError, CallExpiredError, type Executed, MeshUnavailableError } from '../errors.ts'
import { cancelled, recreated, retriesUsedUp, timedOut, unavailable } from './call-errors.ts'
import type { CallServices } from './call-services.ts'
import { unlessAborted } from './cancelling.ts'
import type { Target } from './creation.ts'
import type { Answer, CallFrame } from './frames.ts'
import { diedError } from './host.ts'
import { confirmOver, locate } from './locate.ts'
import { fromFrame } from './remote-error.ts'
import { Backoff, Signal } from './timing.ts'

/** A frame is sent again after this long without any answer, in case it or its answer got lost with a stream. */
const RESEND_MS = 5000
/** …and large arguments after as long as the slowest link takes for them: each copy would only make the queue longer. */
const SLOWEST_BYTES_PER_MS = 1024
const PAUSE_FIRST_MS = 10
const PAUSE_MOST_MS = 500

export interface OutgoingCallInit {
  readonly target: Target
  /** The only life of the target that it is meant for; 0: the first, yet to begin; -1, the second, and so on, where earlier ones were deleted; undefined: whichever it meets. */
  readonly incarnation?: number
  readonly method: string
  readonly args: Uint8Array
  readonly chain: readonly ActorKey[]
  /** Made when the call is first sent; a nested call has it from its root. */
  readonly identify: () => Identity
  /** It is a call of this peer's own: `identify` makes another id each time. */
  readonly isOwn?: true
  readonly timeoutMs: number
  /** -1: as many as the time allows. */
  readonly retries: number
  /** Aborted, the call is over at once and never sent again. */
  readonly signal: AbortSignal | undefined
  readonly durability?: Durability | undefined
  readonly receipt?: true | undefined
}

interface Identity {
  readonly id: CallId
  readonly floors: () => CallFloors
}

/** What a call was answered with. */
export type Result = Extract<Answer, { readonly kind: 'result' }>

interface Sent {
  readonly boot: BootId
  readonly epoch: number
  readonly incarnation: number
  readonly token: string
  readonly unlisten: () => void
  /** When the frame was last put on a stream; -∞: send it now. */
  at: number
  delivered: boolean
}

export class OutgoingCall {
  readonly #services: CallServices
  readonly #init: OutgoingCallInit
  readonly #signal: Signal
  readonly #deadline: number
  readonly #pause = new Backoff(PAUSE_FIRST_MS, PAUSE_MOST_MS)
  #identity: Identity | undefined
  /** Where frames with this id were sent to. */
  readonly #hosts = new Set<BootId>()
  /** The boot of this peer that was given up before the call could be made. */
  #expired: CallerId | undefined
  #asking: Promise<void> | undefined
  #sent: Sent | undefined
  #attempts = 0
  #answer: Answer | undefined
  #cancelled: Error | undefined
  #why = 'it has not been tried yet'
  #isUnavailable = false
  #isFinal = false
  #unavailableSince: number | undefined

  constructor(services: CallServices, init: OutgoingCallInit) {
    this.#services = services
    this.#init = init
    this.#signal = new Signal(services.clock)
    this.#deadline = services.clock.now() + init.timeoutMs
  }

  /** It ended with the actor's own answer, or with the end of the actor: asking again would change nothing. */
  get isFinal(): boolean {
    return this.#isFinal
  }

  /** The node closes, or this peer has a new boot: look again. */
  wake(): void {
    this.#signal.raise()
  }

  /** The registry changed: nothing to do while the call is where the actor is. */
  registryChanged(): void {
    const sent = this.#sent
    const entry = this.#services.mesh.registry?.actors.get(this.#init.target.key)
    const isThere = sent?.delivered && entry?.home === sent.boot && entry.epoch === sent.epoch
    if (!isThere || entry.status.kind !== 'running' || this.#isUnavailable) this.#signal.raise()
  }

  /** A stream to that peer opened: what was sent on the one before may be lost. */
  connected(peer: PeerId): void {
    if (this.#sent !== undefined && peerOfBoot(this.#sent.boot) === peer)
      this.#sent.at = Number.NEGATIVE_INFINITY
    this.#signal.raise()
  }

  async run(): Promise<Result> {
    const { signal } = this.#init
    if (signal?.aborted) throw this.#cancel()
    return unlessAborted(signal, this.#run(), () => this.#cancel())
  }

  async #run(): Promise<Result> {
    try {
      for (;;) {
        const result = await this.#step()
        if (result !== undefined) return result
      }
    } finally {
      this.#sent?.unlisten()
    }
  }

  async #step(): Promise<Result | undefined> {
    const answer = this.#answer
    this.#answer = undefined
    if (this.#cancelled !== undefined) throw this.#cancelled
    if (answer !== undefined) return this.#take(answer)
    if (this.#services.closed())
      throw new MeshUnavailableError('this node was closed during the call', { executed: this.#executed })
    if (this.#services.clock.now() >= this.#deadline) throw this.#timedOut()
    if (this.#expired === this.#services.mesh.boot) return this.#awaitBoot()
    const located = locate(this.#services.mesh, this.#init.target.key)
    if (located.kind === 'missing') return this.#create()
    if (located.kind === 'over') return this.#believe(located.entry)
    const { entry } = located
    const meant = this.#sent?.incarnation ?? meantLife(this.#init.incarnation)
    if (meant !== undefined && (entry?.incarnation ?? 0) > meant) throw this.#recreated() // C3
    if (located.kind === 'nowhere') return this.#unavailable(located.why)
    await this.#deliver(located.entry, located.home)
    return undefined
  }

  async #deliver(entry: ActorEntry, home: BootId): Promise<void> {
    const sent = this.#sent
    const now = this.#services.clock.now()
    const isNew = sent === undefined || sent.boot !== home || sent.epoch !== entry.epoch
    if (isNew && sent?.delivered) this.#countRetry('its host was lost')
    const resendMs = Math.max(RESEND_MS, this.#init.args.length / SLOWEST_BYTES_PER_MS)
    const due = isNew || now - sent.at >= resendMs
    if (due && !this.#send(entry, home, isNew))
      return this.#unavailable(`its host ${peerOfBoot(home)} is not connected`)
    if (this.#answer === undefined) await this.#signal.wait(Math.min(this.#deadline - now, resendMs))
  }

  #send(entry: ActorEntry, home: BootId, isNew: boolean): boolean {
    const { exchange, clock } = this.#services
    this.#identity ??= this.#init.identify()
    const token = isNew || this.#sent === undefined ? exchange.token() : this.#sent.token
    const { target, method, args, chain, durability, receipt } = this.#init
    const { epoch, incarnation } = entry
    const leftMs = Math.max(0, this.#deadline - clock.now())
    const { id, floors } = this.#identity
    const frame: CallFrame = {
      t: 'call',
      token,
      id,
      floors: floors(),
      chain,
      actor: target.key,
      incarnation,
      epoch,
      method,
      args,
      leftMs,
      ...(durability && { durability }),
      ...(receipt && { receipt }),
    }
    const unlisten = exchange.listen(token, (answer) => this.#hear(token, answer))
    // An old attempt goes on listening: its result would be good news.
    const before = this.#sent
    const sent: Sent = {
      boot: home,
      epoch,
      incarnation,
      token,
      at: clock.now(),
      delivered: !isNew && before?.delivered === true,
      // Sent again under the same token, the listener is still the one that `before` ends.
      unlisten: isNew ? () => this.#endListening(unlisten, before) : (before?.unlisten ?? unlisten),
    }
    this.#sent = sent
    if (!exchange.send(peerOfBoot(home), frame)) {
      sent.at = Number.NEGATIVE_INFINITY
      return false
    }
    this.#hosts.add(home)
    if (!sent.delivered) this.#attempts++
    sent.delivered = true
    this.#isUnavailable = false
    return true
  }

  /** The host of the latest attempt is told; those before it were replaced. */
  #cancel(): Error {
    const { target, method, signal } = this.#init
    this.#cancelled = cancelled(target, method, signal, this.#executed)
    if (this.#sent !== undefined && this.#identity !== undefined) {
      const { boot, token } = this.#sent
      const { id } = this.#identity
      this.#services.exchange.cancel(peerOfBoot(boot), { t: 'cancel', token, id, actor: target.key })
    }
    this.#signal.raise()
    return this.#cancelled
  }

  #endListening(unlisten: () => void, before: Sent | undefined): void {
    unlisten()
    before?.unlisten()
  }

  #hear(token: string, answer: Answer): void {
    const isLatest = this.#sent?.token === token
    if (!isLatest && answer.kind !== 'result') return // C2
    if (this.#answer?.kind === 'result') return
    if (answer.kind === 'waiting') {
      this.#note(answer.why)
      return
    }
    this.#answer = answer
    this.#signal.raise()
  }

  async #take(answer: Answer): Promise<Result | undefined> {
    if (answer.kind === 'result') return answer
    if (answer.kind === 'error') {
      this.#isFinal = true
      throw fromFrame(answer.error, this.#services.makeRef)
    }
    if (answer.kind === 'expired') return this.#expire(answer.why, answer.executed)
    if (answer.kind === 'lost') this.#tryAgain(answer.why)
    // Not executed by this attempt: the next look at the registry sends it again, to whoever is home then.
    if (this.#sent !== undefined) this.#sent.at = Number.NEGATIVE_INFINITY
    if (answer.kind === 'moved') this.#note('it is moving to another host')
    else if (answer.kind === 'retry' || answer.kind === 'lost') this.#note(answer.why)
    await this.#signal.wait(this.#pause.next())
    return undefined
  }

  /** C5 */
  #expire(why: string, executed: Executed): undefined {
    if (executed === 'unknown' || this.#hosts.size > 1 || this.#init.isOwn !== true) {
      this.#isFinal = true
      throw new CallExpiredError(why, { executed: 'unknown' })
    }
    this.#expired = this.#identity?.id.caller
    this.#sent?.unlisten()
    this.#sent = undefined
    this.#identity = undefined
    this.#hosts.clear()
    this.#attempts = 0
    this.#pause.reset()
    return undefined
  }

  /** The registry has it already, so whoever keeps that can tell this peer at once. */
  async #awaitBoot(): Promise<undefined> {
    const { mesh, clock } = this.#services
    this.#asking ??= mesh
      .catchUp(this.#deadline - clock.now())
      .catch(() => {}) // its boot is over, which is what was asked for; or nobody told it, and it is asked again
      .finally(() => {
        this.#asking = undefined
      })
    return this.#unavailable('this peer was given up while it was cut off, and comes back as a new boot')
  }

  async #create(): Promise<undefined> {
    const { incarnation = 0, target } = this.#init
    if (this.#sent !== undefined || incarnation > 0 || this.#isLateFor(target.key)) throw this.#recreated()
    const why = await this.#services.creation.create(target)
    if (why !== '') await this.#unavailable(why)
    return undefined
  }

  /** The life that it is meant for is over and forgotten: what it would make now is another one (C3). */
  #isLateFor(key: ActorKey): boolean {
    const meant = meantLife(this.#init.incarnation)
    const { registry } = this.#services.mesh
    return meant !== undefined && registry !== undefined && nextLife(registry, key).incarnation > meant
  }

  async #believe(entry: ActorEntry): Promise<undefined> {
    const left = Math.max(1, this.#deadline - this.#services.clock.now())
    const over = await confirmOver(this.#services.mesh, entry, left)
    if (over === 'unknown')
      return this.#unavailable('this peer believes that it ended, and no head is there to confirm it')
    if (over === undefined) return undefined
    this.#isFinal = true
    throw new ActorDiedError(diedError(over).message, { executed: this.#executed }) // C4
  }

  /** Waits for something to change, and remembers why. */
  async #unavailable(why: string): Promise<undefined> {
    this.#note(why)
    await this.#signal.wait(Math.min(this.#pause.next(), this.#deadline - this.#services.clock.now()))
    return undefined
  }

  #note(why: string): void {
    this.#why = why
    this.#isUnavailable = true
    this.#unavailableSince ??= this.#services.clock.now()
  }

  /** The attempt is over, as if its host had been lost; the next one may go to the very same. */
  #tryAgain(why: string): void {
    this.#countRetry(why)
    if (this.#sent !== undefined) this.#sent.delivered = false
  }

  #countRetry(why: string): void {
    this.#unavailableSince = undefined
    this.#pause.reset()
    const { retries, target } = this.#init
    if (retries < 0 || this.#attempts <= retries) return
    throw retriesUsedUp(target, retries, why)
  }

  get #executed(): Executed {
    return this.#attempts > 0 ? 'unknown' : 'no'
  }

  #recreated(): Error {
    this.#isFinal = true
    return recreated(this.#init.target)
  }

  #timedOut(): Error {
    const { target, method, timeoutMs } = this.#init
    const executed = this.#executed
    if (!this.#isUnavailable || this.#unavailableSince === undefined)
      return timedOut(target, method, timeoutMs, executed)
    return unavailable(target, this.#why, this.#services.clock.now() - this.#unavailableSince, executed)
  }
}

/** The life that a number names; see {@link OutgoingCallInit.incarnation}. */
const meantLife = (incarnation: number | undefined): number | undefined =>
  incarnation === undefined || incarnation > 0 ? incarnation : 1 - incarnation
