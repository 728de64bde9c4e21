// An actor that the registry gives to this boot, from that moment to its end here: restored when first needed, made into
// an object, served, copied into the present journal, released. One per incarnation and epoch.
//
//  H1 Its state comes from its sources or, when nothing was ever written, from its constructor; a source that can't be
//     read is waited for, never passed over.
//  H2 A fresh state is a change: its snapshot is acknowledged before anything is answered.
//  H3 After a release nothing is accepted or written under this epoch again, whatever this peer's registry still says.

import { ActorLog, type Position } from '../../checkpoint/actor-log.ts'
import { CallTable } from '../../checkpoint/call-table.ts'
import { decodeUser } from '../../checkpoint/codec.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { MailboxFullError, MeshUnavailableError } from '../errors.ts'
import { callerGone } from './call-errors.ts'
import type { Answer, CallFrame, CancelFrame, MoreFrame } from './frames.ts'
import type { HomeServices } from './home-services.ts'
import { makeInstance } from './instance.ts'
import { LiveActor, type Reply } from './live-actor.ts'
import { Mailbox } from './mailbox.ts'
import { toFrame } from './remote-error.ts'
import { type RestoredFrom, restore } from './restorer.ts'
import { Backoff } from './timing.ts'
import type { TypeInfo } from './type-info.ts'

/** Pauses between attempts to read a source or to construct: a peer comes back in seconds, or not for a long time. */
const RETRY_FIRST_MS = 50
const RETRY_MOST_MS = 5000

interface Arrival {
  readonly frame: CallFrame
  readonly reply: Reply
  readonly deadline: number
}

export class HomedActor {
  readonly entry: ActorEntry
  readonly #services: HomeServices
  readonly #info: TypeInfo | undefined
  readonly #arrivals = new Mailbox<Arrival>()
  #restoring: Promise<RestoredFrom | undefined> | undefined
  #activating: Promise<LiveActor> | undefined
  #live: LiveActor | undefined
  #log: ActorLog | undefined
  #releasing = false
  #ended: { readonly error: unknown } | undefined
  /** Why it does not serve yet; empty while nothing is wrong. */
  #problem = ''

  constructor(entry: ActorEntry, info: TypeInfo | undefined, services: HomeServices) {
    this.entry = entry
    this.#info = info
    this.#services = services
  }

  get problem(): string {
    return this.#problem
  }
  get position(): Position | undefined {
    return this.#log?.position
  }

  receive(frame: CallFrame, reply: Reply): void {
    if (this.#releasing || this.#ended !== undefined)
      reply({ kind: 'retry', why: 'the actor is moving' }) // H3
    else if (this.#live !== undefined) this.#live.receive(frame, reply)
    else this.#hold(frame, reply)
  }

  cancel(frame: CancelFrame): void {
    for (const arrival of [...this.#arrivals])
      if (arrival.frame.token === frame.token) this.#arrivals.remove(frame.id.caller, arrival)
    this.#live?.cancel(frame)
  }

  /** False when no such series runs or waits here. */
  more(frame: MoreFrame): boolean {
    return (
      this.#live?.more(frame) ?? [...this.#arrivals].some((arrival) => arrival.frame.token === frame.token)
    )
  }

  /** Makes it live, whatever that takes. Rejects when it ends before. */
  activate(): Promise<LiveActor> {
    this.#activating ??= this.#activate()
    this.#activating.catch(() => {}) // who waits for it handles it
    return this.#activating
  }

  /** Writes its whole state into the journal of the moment, unless that is where it is by now. */
  async copy(isOld: (position: Pick<Position, 'journal'>) => boolean): Promise<Position> {
    const { log } = await this.activate()
    // What went into a journal that was closed without it will never be acknowledged there.
    if (log.writtenTo !== undefined && isOld({ journal: log.writtenTo })) await log.writeSnapshot()
    await log.whenDurable(log.sequence)
    if (log.position === undefined || isOld(log.position)) await log.writeSnapshot()
    return log.position!
  }

  /**
   * Writes it again if it waits for what an old journal was closed without. A running actor is copied for that; of one
   * that is on its way out neither the last calls nor the release would ever be acknowledged.
   */
  writeAgain(isOld: (position: Pick<Position, 'journal'>) => boolean): void {
    const log = this.#log
    if (log?.writtenTo === undefined || log.durable === log.sequence) return
    if (isOld({ journal: log.writtenTo })) log.rewrite()
  }

  /**
   * Ends it here with its state in an acknowledged release record; undefined when there was never anything to write, or
   * nothing of it is needed (`keepState` false) and nothing was written under this epoch.
   */
  async release(keepState: boolean): Promise<Position | undefined> {
    this.#releasing = true // H3
    for (const { reply } of this.#arrivals.takeAll()) reply({ kind: 'retry', why: 'the actor is moving' })
    await this.#live?.drain()
    if (this.#log === undefined) {
      if (!keepState) return undefined
      const restored = await this.#restored()
      if (restored === undefined) return undefined
      this.#log = this.#makeLog(restored.state, restored.calls, restored.sequence)
    }
    await this.#log.writeSnapshot('release')
    return this.#log.position
  }

  /** It lives elsewhere, or nowhere; or this boot is over. */
  end(answer: Answer, error: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = { error }
    for (const { reply } of this.#arrivals.takeAll()) reply(answer)
    this.#live?.kill(answer, error)
    this.#log?.fail(error)
  }

  #hold(frame: CallFrame, reply: Reply): void {
    const { mailboxLimit } = this.#services.limits
    const { caller } = frame.id
    if (this.#arrivals.size >= mailboxLimit) {
      const message = `${this.entry.key} is not ready and has ${mailboxLimit} calls waiting, its limit: wait for answers`
      const giving = this.#arrivals.giveWay(caller)
      const refuse = giving?.reply ?? reply
      refuse({ kind: 'error', error: toFrame(new MailboxFullError(message)) })
      if (giving === undefined) return
    }
    this.#arrivals.push(caller, { frame, reply, deadline: this.#services.now() + frame.leftMs })
    if (this.#problem !== '') reply({ kind: 'waiting', why: this.#problem })
    void this.activate()
  }

  async #activate(): Promise<LiveActor> {
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS)
    const restored = await this.#restored()
    for (;;) {
      this.#check()
      if (this.#releasing) throw new MeshUnavailableError(`${this.entry.key} is moving`) // H3
      try {
        return this.#start(restored)
      } catch (error) {
        const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        // A fresh actor that can't be made will never be; one with a state may be waiting for this peer to be repaired.
        if (restored === undefined)
          this.#services.reportFailed(this.entry, `its constructor failed: ${cause}`)
        this.#tell(`its constructor failed on ${this.#services.mesh.self}: ${cause}`)
      }
      await this.#services.sleep(backoff.next())
    }
  }

  #start(restored: RestoredFrom | undefined): LiveActor {
    const info = this.#info
    if (info === undefined) throw new Error(`this peer does not know the type of ${this.entry.key}`)
    const { actor, initial } = makeInstance(
      info,
      this.#services.context(this.entry, restored !== undefined),
      this.#initArguments(),
    )
    const log =
      restored === undefined
        ? this.#makeLog(decodeUser(initial, this.#services.makeRef) as object, new CallTable(), 0)
        : this.#makeLog(restored.state, restored.calls, restored.sequence)
    this.#log = log
    if (restored === undefined) void log.writeSnapshot().catch(() => {}) // H2: every base is at or after it
    const { journals, limits, makeRef } = this.#services
    const wanted = this.entry.options.class
    const live = new LiveActor({
      info,
      instance: actor,
      log,
      reads: { local: info.localReads },
      isGone: this.#services.isGone,
      now: this.#services.now,
      clock: this.#services.clock,
      mailboxLimit: limits.mailboxLimit,
      maxBytes: limits.maxBytes,
      makeRef,
      congested: () => journals.congested(wanted),
      confirm: () => journals.confirm(wanted),
    })
    this.#live = live
    this.#problem = ''
    if (restored !== undefined) this.#services.reportRecovered(this.entry, restored)
    for (const { frame, reply, deadline } of this.#arrivals.takeAll()) {
      const leftMs = deadline - this.#services.now()
      // Its results went with it, so a call that waited here while its caller was given up may have been executed before.
      if (this.#services.isGone(frame.id.caller)) reply({ kind: 'error', error: toFrame(callerGone(frame)) })
      else if (leftMs > 0) live.receive({ ...frame, leftMs }, reply)
      else reply({ kind: 'retry', why: 'it waited for too long' })
    }
    return live
  }

  #initArguments(): readonly unknown[] {
    const { init } = this.entry
    return init.length === 0 ? [] : (decodeUser(init, this.#services.makeRef) as unknown[])
  }

  #makeLog(state: object, calls: CallTable, sequence: number): ActorLog {
    const { entry } = this
    const { journals, isGone, makeRef } = this.#services
    calls.forget(isGone)
    const batcher = journals.batcher(entry.options.class)
    return new ActorLog({
      life: { actor: entry.key, incarnation: entry.incarnation, epoch: entry.epoch },
      state,
      calls,
      sequence,
      isGone,
      makeRef,
      mark: (source) => batcher.mark(source),
    })
  }

  #restored(): Promise<RestoredFrom | undefined> {
    this.#restoring ??= this.#restore()
    return this.#restoring
  }

  async #restore(): Promise<RestoredFrom | undefined> {
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS)
    for (;;) {
      this.#check()
      try {
        return await restore(this.#services.reader, this.#present(), this.#services.makeRef)
      } catch (error) {
        this.#tell(error instanceof Error ? error.message : String(error)) // H1
      }
      await this.#services.sleep(backoff.next())
    }
  }

  /** Its entry as it is now: sources whose loss was accepted meanwhile are shorter, or gone. */
  #present(): ActorEntry {
    const { key, epoch, incarnation } = this.entry
    const now = this.#services.mesh.registry?.actors.get(key)
    return now?.epoch === epoch && now.incarnation === incarnation ? now : this.entry
  }

  #check(): void {
    if (this.#ended !== undefined) throw this.#ended.error
  }

  #tell(problem: string): void {
    if (problem === this.#problem) return
    this.#problem = problem
    for (const { reply } of this.#arrivals) reply({ kind: 'waiting', why: problem })
  }
}
