// The journals this boot writes: opened in the registry before their first record, one per class in use, rolled when a
// keeper is lost or the log is mostly history, closed when everything in them is acknowledged (PROTOCOL.md section 5).
//
// J1 nothing is appended to a journal before its `open` is committed and applied here.
// J2 `logSealed` from a keeper of any of them, or the end of this boot in the registry, deposes the whole boot.
// J3 after `close` named a length, nothing is appended: the owner heard of the roll before, and goes on in the next one.
// J4 a rolled journal is closed at what is acknowledged, in time: its tail is void, and its records go into the next one.
// J5 a keeper that does not know the journal any more is a reason to roll, and never one to end the boot: what keepers have lost
//    is still here. Whether others hold this boot to be over, `logSealed` and the registry say.

import type { Env } from './env.ts'
import type { LogKey, PeerId } from './ids.ts'
import { added, isMostlyHistory, NOTHING, type Size } from './journal-size.ts'
import type { LogClass } from './log-types.ts'
import { LogWriter } from './logs/writer.ts'
import type { LogMessage } from './messages.ts'
import { classKey } from './registry/class.ts'
import type { Follower } from './registry/follower.ts'
import type { Issuer } from './registry/issuer.ts'
import type { JournalClass } from './registry/types.ts'

interface Written {
  readonly writer: LogWriter
  readonly class: JournalClass
  /** Append tokens by block index, answered in order. */
  readonly waiting: { index: number; token: number }[]
  readonly lost: Set<string>
  /** At most this much of it is alive, and whether that is known, or only what its predecessors hold together. */
  alive: { readonly size: Size; readonly known: boolean }
  state: 'current' | 'draining' | 'closing'
  /** When it was rolled. */
  drainingSince: number
}

interface Opening {
  readonly class: JournalClass
  readonly tokens: number[]
  /** Its log, once it is made. */
  key?: LogKey
}

export interface JournalsOwner {
  deposed(): void
  /**
   * This store has the log; once that is on disk, `then`. Order -1: it is not open yet, and nothing is appended to it
   * before (J1).
   */
  holds(log: LogKey, logClass: LogClass, order: number, then?: () => void): void
  /** The log was made for nothing. */
  forgoes(log: LogKey): void
}

const logClassOf = ({ level }: JournalClass): LogClass => (level === 'synced' ? 'synced' : 'replicated')

export class Journals {
  readonly #env: Env
  readonly #follower: Follower
  readonly #issuer: Issuer
  readonly #owner: JournalsOwner
  readonly #written = new Map<LogKey, Written>()
  readonly #opening = new Map<string, Opening>()
  readonly #retryAt = new Map<string, number>()

  constructor(env: Env, follower: Follower, issuer: Issuer, owner: JournalsOwner) {
    this.#env = env
    this.#follower = follower
    this.#issuer = issuer
    this.#owner = owner
  }

  get keys(): readonly LogKey[] {
    return [...this.#written.keys()]
  }

  /** Gives the current journal of the class to `token`, opening one where there is none. */
  want(journalClass: JournalClass, token: number): void {
    const current = this.#current(journalClass)
    if (current)
      return this.#env.emit({ type: 'journalOpened', token, key: current.writer.key, class: current.class })
    const opening = this.#opening.get(classKey(journalClass))
    if (opening) opening.tokens.push(token)
    else this.#open(journalClass, [token])
  }

  append(key: LogKey, block: Uint8Array, token: number): void {
    const journal = this.#written.get(key)
    // J3 nothing is appended to a journal that is gone (its owner was told) or whose closing length is already named.
    if (!journal || journal.state === 'closing') return
    const slot = { index: -1, token }
    journal.waiting.push(slot)
    journal.writer.append(block, (index) => {
      slot.index = index
    })
    const mostlyHistory = isMostlyHistory(sizeOf(journal), journal.alive.size, this.#env.settings)
    if (mostlyHistory && journal.state === 'current') this.roll(key)
  }

  confirm(key: LogKey, token: number): void {
    this.#written.get(key)?.writer.confirm(() => this.#env.emit({ type: 'confirmed', token }))
  }

  /** Never settles for a journal that is closed: what is wanted of it lies in the next one, too, then. */
  sync(key: LogKey, index: number, token: number): void {
    this.#written.get(key)?.writer.sync(index + 1, () => this.#env.emit({ type: 'journalSynced', token }))
  }

  /** Peers that acknowledged the block; undefined where this boot does not write the journal, or not any more. */
  holders(key: LogKey, index: number): readonly PeerId[] | undefined {
    const journal = this.#written.get(key)
    if (journal?.state !== 'current') return undefined
    return journal.writer.holders(index + 1).map(({ peer }) => peer)
  }

  /** Goes on in a fresh journal; the old one is closed once everything in it is acknowledged. */
  roll(key: LogKey): void {
    const journal = this.#written.get(key)
    if (journal?.state !== 'current') return
    const name = classKey(journal.class)
    if (this.#opening.has(name) || this.#env.now < (this.#retryAt.get(name) ?? 0)) return
    this.#open(journal.class, [])
  }

  handle(message: LogMessage): void {
    this.#written.get(message.log)?.writer.handle(message)
  }

  tick(): void {
    for (const [key, journal] of this.#written) {
      journal.writer.tick()
      // J4: what a lost majority will not acknowledge is not waited for: it is written again into the next journal.
      const waited = this.#env.now - journal.drainingSince >= this.#env.settings.stepTimeoutMs
      if (journal.state === 'draining' && (journal.writer.drained || waited)) this.#close(key, journal)
      else if (journal.state === 'current' && journal.lost.size > 0) this.roll(key)
      if (journal.state === 'current' && !journal.alive.known) this.#measure(key, journal)
    }
  }

  reconnected(peer: PeerId): void {
    for (const { writer } of this.#written.values()) writer.reconnected(peer)
  }

  /** Closes every drained journal for good, because the peer leaves and has no actors any more. */
  closeAll(): void {
    for (const [key, journal] of this.#written)
      if (journal.state !== 'closing' && journal.writer.drained) this.#close(key, journal)
  }

  /** The boot ended: every writer stops at once, no token is answered. */
  reset(): void {
    for (const { writer } of this.#written.values()) writer.stop()
    this.#written.clear()
    // Even if such an `open` is committed yet, its log is empty for ever (J1).
    for (const { key } of this.#opening.values()) if (key) this.#owner.forgoes(key)
    this.#opening.clear()
  }

  #current(journalClass: JournalClass): Written | undefined {
    const name = classKey(journalClass)
    for (const journal of this.#written.values())
      if (journal.state === 'current' && classKey(journal.class) === name) return journal
    return undefined
  }

  #open(journalClass: JournalClass, tokens: number[]): void {
    const env = this.#env
    const { boot } = env
    const name = classKey(journalClass)
    const opening: Opening = { class: journalClass, tokens }
    this.#opening.set(name, opening)
    env.createLog((key) => {
      if (env.boot !== boot) return env.drop(key)
      opening.key = key
      this.#owner.holds(key, logClassOf(journalClass), -1)
      this.#issuer.issue({ kind: 'open', journal: key, boot, class: journalClass, keepers: [] }, (result) => {
        const isOver = () => env.boot !== boot || this.#opening.get(name) !== opening
        if (isOver()) return
        if (result.ok)
          return this.#owner.holds(key, logClassOf(journalClass), -1, () => {
            if (isOver()) return
            this.#opening.delete(name)
            this.#opened(key, opening)
          })
        this.#opening.delete(name)
        this.#retryAt.set(name, env.now + env.settings.resendMs * 4)
        this.#owner.forgoes(key)
        for (const token of opening.tokens) env.emit({ type: 'journalFailed', token, why: result.detail })
      })
    })
  }

  #opened(key: LogKey, opening: Opening): void {
    const env = this.#env
    // J1: the issuer answers only when the registry as applied here has the journal, unless it is retired already.
    const entry = this.#follower.state?.journals.get(key)
    if (entry?.status.kind !== 'open') return
    const logClass = logClassOf(entry.class)
    this.#owner.holds(key, logClass, entry.order)
    const old = this.#current(opening.class)
    const lost = new Set<string>()
    const writer: LogWriter = new LogWriter(
      env,
      {
        key,
        class: logClass,
        order: entry.order,
        keepers: entry.keepers,
        length: 0,
      },
      {
        committed: (length) => this.#committed(key, length),
        sealed: () => this.#owner.deposed(),
        // Be it all of them (J5).
        keeperLost: ({ store }) => void lost.add(store),
      },
    )
    this.#written.set(key, {
      writer,
      class: entry.class,
      waiting: [],
      lost,
      alive: old ? { size: heldBefore(old), known: false } : { size: NOTHING, known: true },
      state: 'current',
      drainingSince: 0,
    })
    if (old) {
      old.state = 'draining'
      old.drainingSince = env.now
      env.emit({ type: 'rolled', from: old.writer.key, to: key })
    }
    for (const token of opening.tokens) env.emit({ type: 'journalOpened', token, key, class: entry.class })
  }

  /** When all journals before it are retired, everything alive was copied into it: what it holds then bounds that. */
  #measure(key: LogKey, journal: Written): void {
    const { state } = this.#follower
    const own = state?.journals.get(key)
    if (!state || !own) return
    const name = classKey(own.class)
    for (const { boot, order, class: of } of state.journals.values())
      if (boot === own.boot && order < own.order && classKey(of) === name) return
    journal.alive = { size: sizeOf(journal), known: true }
  }

  #committed(key: LogKey, length: number): void {
    const waiting = this.#written.get(key)?.waiting
    if (!waiting) return
    while (waiting.length > 0) {
      const { index, token } = waiting[0]!
      if (index < 0 || index >= length) return
      waiting.shift()
      this.#env.emit({ type: 'appended', token, index })
    }
  }

  /** From the moment the length is named nothing more of this journal is acknowledged (J3). */
  #close(key: LogKey, journal: Written): void {
    journal.state = 'closing'
    journal.writer.stop()
    for (const { token } of journal.waiting.splice(0)) this.#env.emit({ type: 'abandoned', token })
    const { boot } = this.#env
    this.#issuer.issue({ kind: 'close', journal: key, length: journal.writer.committed }, () => {
      if (this.#env.boot === boot) this.#written.delete(key)
    })
  }
}

const sizeOf = ({ writer }: Written): Size => ({ blocks: writer.length, bytes: writer.bytes })

/** Everything alive is in a journal or in those before it that are still needed. */
const heldBefore = (journal: Written): Size =>
  journal.alive.known ? sizeOf(journal) : added(sizeOf(journal), journal.alive.size)
