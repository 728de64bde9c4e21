// An actor that the registry gives to this boot, from that moment to its end here: restored when first needed, made into
// an object, served, copied into the present journal, passivated, released. One per incarnation and epoch; a passivated
// one leaves its `Passive` and gets another of these when it is needed again.
//
//  H1 Its state comes from its sources or, when nothing was ever written, from its constructor; a source that can't be
//     read is waited for, never passed over.
//  H2 A fresh state is a change: its snapshot is acknowledged before anything is answered.
//  H3 After a release nothing is accepted or written under this epoch again, whatever this peer's registry still says.

import { ActorLog, type Position } from '../../checkpoint/actor-log.ts'
import { CallTable } from '../../checkpoint/call-table.ts'
import { decode } from '../../checkpoint/codec.ts'
import type { Restored } from '../../checkpoint/replay.ts'
import type { ActorEntry } from '../../mesh/registry/types.ts'
import { MailboxFullError, MeshUnavailableError } from '../errors.ts'
import { callerGone } from './call-errors.ts'
import type { Answer, CallFrame } from './frames.ts'
import type { HomeServices } from './home-services.ts'
import { makeInstance } from './instance.ts'
import { LiveActor, type Reply } from './live-actor.ts'
import { type Passive, passiveOf } from './passive.ts'
import { toFrame } from './remote-error.ts'
import { type RestoredFrom, readBack, restore } from './restorer.ts'
import { Backoff } from './timing.ts'
import type { TypeInfo } from './type-info.ts'

/** Pauses between attempts to read a source or to construct: a peer comes back in seconds, or not for a long time. */
const RETRY_FIRST_MS = 50
const RETRY_MOST_MS = 5000

export interface HomedActorInit {
  readonly info: TypeInfo | undefined
  readonly services: HomeServices
  /** What is left of it, when it was passivated here. */
  readonly passive: Passive | undefined
  /** It became passive: this object has nothing of it any more. */
  readonly rested: (passive: Passive) => void
}

export class HomedActor {
  readonly entry: ActorEntry
  readonly #services: HomeServices
  readonly #info: TypeInfo | undefined
  readonly #arrivals: { readonly frame: CallFrame; readonly reply: Reply; readonly deadline: number }[] = []
  /** What it was before, when it was passive. */
  readonly #passive: Passive | undefined
  readonly #rested: (passive: Passive) => void
  readonly #thrown: CallTable
  #restoring: Promise<(Restored & Partial<RestoredFrom>) | undefined> | undefined
  /** Where the state came from, until that is reported. */
  #recovered: Pick<RestoredFrom, 'sequence' | 'source'> | undefined
  #activating: Promise<LiveActor> | undefined
  #live: LiveActor | undefined
  #log: ActorLog | undefined
  #releasing = false
  /** Who uses its log at present, beside its object (P1). */
  #users = 0
  #ended: { readonly error: unknown } | undefined
  /** Why it does not serve yet; empty while nothing is wrong. */
  #problem = ''

  constructor(entry: ActorEntry, { info, services, passive, rested }: HomedActorInit) {
    this.entry = entry
    this.#info = info
    this.#services = services
    this.#passive = passive
    this.#rested = rested
    this.#thrown = passive?.thrown ?? new CallTable()
  }

  get problem(): string {
    return this.#problem
  }
  get position(): Position | undefined {
    return this.#log?.position ?? this.#passive
  }

  receive(frame: CallFrame, reply: Reply): void {
    if (this.#releasing || this.#ended !== undefined)
      reply({ kind: 'retry', why: 'the actor is moving' }) // H3
    else if (this.#live !== undefined) this.#live.receive(frame, reply)
    else this.#hold(frame, reply)
  }

  /** Makes it live, whatever that takes. Rejects when it ends before. */
  activate(): Promise<LiveActor> {
    this.#activating ??= this.#activate()
    this.#activating.catch(() => {}) // who waits for it handles it
    return this.#activating
  }

  /** Writes its whole state into the journal of the moment, unless that is where it is by now. A passive one stays so. */
  async copy(isOld: (position: Pick<Position, 'journal'>) => boolean): Promise<Position> {
    this.#users++
    try {
      return await this.#copy(isOld)
    } finally {
      this.#users--
      this.#rest()
    }
  }

  /**
   * Gives its object up when nobody has called it for its type's time, and all but its position when everything of it is
   * in one record. A call that arrives meanwhile makes another object.
   */
  passivate(): void {
    const idleMs = this.#info?.idleMs ?? this.#services.limits.idleMs
    const log = this.#log
    if (idleMs === 0 || log === undefined || this.#users > 0 || this.#ended !== undefined) return
    const isIdle =
      this.#live === undefined
        ? this.#activating === undefined
        : this.#live.isIdleSince(this.#services.now() - idleMs)
    if (!isIdle || this.#releasing || log.durable < log.sequence) return // P1
    void this.#passivate(log)
  }

  async #passivate(log: ActorLog): Promise<void> {
    this.#live = undefined
    this.#activating = undefined
    this.#users++
    try {
      if (log.whole === undefined) await log.writeSnapshot()
    } catch {
      // The log failed, so this actor is being ended.
    } finally {
      this.#users--
      this.#rest()
    }
  }

  /** The end of this object, unless anybody needs more of the actor than where it is written (P1). */
  #rest(): void {
    const log = this.#log
    const isNeeded = this.#users > 0 || this.#live !== undefined || this.#activating !== undefined
    if (isNeeded || this.#releasing || this.#ended !== undefined || log?.whole === undefined) return
    this.#ended = { error: new MeshUnavailableError(`${this.entry.key} is passive`) }
    const { sequence, whole } = log
    this.#rested(passiveOf(this.entry, sequence, whole, this.#thrown, this.#services.isGone))
  }

  async #copy(isOld: (position: Pick<Position, 'journal'>) => boolean): Promise<Position> {
    const log = (this.#passive && (await this.#load())) ?? (await this.activate()).log
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
    for (const { reply } of this.#arrivals.splice(0)) reply({ kind: 'retry', why: 'the actor is moving' })
    await this.#live?.drain()
    const log = keepState ? await this.#load() : this.#log
    if (log === undefined) return undefined
    await log.writeSnapshot('release')
    return log.position
  }

  /** It lives elsewhere, or nowhere; or this boot is over. */
  end(answer: Answer, error: unknown): void {
    if (this.#ended !== undefined) return
    this.#ended = { error }
    for (const { reply } of this.#arrivals.splice(0)) reply(answer)
    this.#live?.kill(answer, error)
    this.#log?.fail(error)
  }

  #hold(frame: CallFrame, reply: Reply): void {
    const { mailboxLimit } = this.#services.limits
    if (this.#arrivals.length >= mailboxLimit) {
      const message = `${this.entry.key} is not ready and has ${mailboxLimit} calls waiting, its limit: wait for answers`
      reply({ kind: 'error', error: toFrame(new MailboxFullError(message)) })
      return
    }
    this.#arrivals.push({ frame, reply, deadline: this.#services.now() + frame.leftMs })
    if (this.#problem !== '') reply({ kind: 'waiting', why: this.#problem })
    void this.activate()
  }

  async #activate(): Promise<LiveActor> {
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS)
    await this.#load()
    for (;;) {
      this.#check()
      if (this.#releasing) throw new MeshUnavailableError(`${this.entry.key} is moving`) // H3
      try {
        return this.#start()
      } catch (error) {
        const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        // A fresh actor that can't be made will never be; one with a state may be waiting for this peer to be repaired.
        if (this.#log === undefined)
          this.#services.reportFailed(this.entry, `its constructor failed: ${cause}`)
        this.#tell(`its constructor failed on ${this.#services.mesh.self}: ${cause}`)
      }
      await this.#services.sleep(backoff.next())
    }
  }

  #start(): LiveActor {
    const info = this.#info
    if (info === undefined) throw new Error(`this peer does not know the type of ${this.entry.key}`)
    const { actor, initial } = makeInstance(
      info,
      this.#services.context(this.entry, this.#log !== undefined),
      this.#initArguments(),
    )
    const isFresh = this.#log === undefined
    this.#log ??= this.#makeLog({ state: decode(initial) as object, calls: new CallTable(), sequence: 0 })
    const log = this.#log
    if (isFresh) void log.writeSnapshot().catch(() => {}) // H2: every base is at or after it
    const { journals, limits } = this.#services
    const wanted = this.entry.options.class
    const live = new LiveActor({
      info,
      instance: actor,
      log,
      thrown: this.#thrown,
      reads: { local: info.localReads },
      now: this.#services.now,
      mailboxLimit: limits.mailboxLimit,
      maxBytes: limits.maxBytes,
      congested: () => journals.congested(wanted),
      confirm: () => journals.confirm(wanted),
    })
    this.#live = live
    this.#problem = ''
    if (this.#recovered !== undefined) this.#services.reportRecovered(this.entry, this.#recovered)
    this.#recovered = undefined
    for (const { frame, reply, deadline } of this.#arrivals.splice(0)) {
      const leftMs = deadline - this.#services.now()
      // Its results went with it, so a call that waited here while its caller was given up may have been executed before.
      if (this.#services.isGone(frame.id.caller)) reply({ kind: 'error', error: toFrame(callerGone(frame)) })
      else if (leftMs > 0) live.receive({ ...frame, leftMs }, reply)
      else reply({ kind: 'retry', why: 'it waited for too long' })
    }
    return live
  }

  #initArguments(): readonly unknown[] {
    return this.entry.init.length === 0 ? [] : (decode(this.entry.init) as unknown[])
  }

  #makeLog({ state, calls, sequence }: Omit<Restored, 'kind'>): ActorLog {
    const { entry } = this
    const { journals, isGone } = this.#services
    calls.forget(isGone)
    const batcher = journals.batcher(entry.options.class)
    return new ActorLog({
      life: { actor: entry.key, incarnation: entry.incarnation, epoch: entry.epoch },
      state,
      calls,
      sequence,
      ...(this.#passive === undefined ? {} : { snapshot: this.#passive }),
      isGone,
      mark: (source) => batcher.mark(source),
    })
  }

  /** Its log, read back where it is not in memory; undefined when nothing was ever written. */
  async #load(): Promise<ActorLog | undefined> {
    if (this.#log !== undefined) return this.#log
    this.#restoring ??= this.#restore()
    const restored = await this.#restoring
    this.#check()
    if (restored === undefined || this.#log !== undefined) return this.#log
    this.#restoring = undefined
    const { sequence, source } = restored
    if (source !== undefined) this.#recovered = { sequence, source }
    this.#log = this.#makeLog(restored)
    return this.#log
  }

  async #restore(): Promise<(Restored & Partial<RestoredFrom>) | undefined> {
    const backoff = new Backoff(RETRY_FIRST_MS, RETRY_MOST_MS)
    const { reader } = this.#services
    for (;;) {
      this.#check()
      try {
        if (this.#passive !== undefined) return await readBack(reader, this.entry, this.#passive)
        return await restore(reader, this.#present())
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
