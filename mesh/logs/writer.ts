// The writer of one log: appends blocks, has the keepers acknowledge them, and asks them to confirm that it still may.
//
// W1 (R5) committed = acknowledged by a majority of the keepers, the writer's own store counted only as a keeper.
// W2 a confirmation round counts only answers to that very round, started after it was asked for.
// W3 `logSealed` from any keeper ends the writer: it acknowledges nothing more.
// W4 with a pointer to spread, a keeper's acknowledgement counts only once it told that pointer back: it is on its disk.
//    An acknowledgement alone may be a late one of an `app` that the candidate sent, before there was a pointer.
// W5 synced = on the disks of a majority, each of which said so, up to that length.

import type { Env } from '../env.ts'
import type { LogKey, StoreId } from '../ids.ts'
import type { Keeper, LogClass, Pointer } from '../log-types.ts'
import type { LogMessage } from '../messages.ts'
import { majority, majorityLength } from '../quorum.ts'

export interface WriterOwner {
  /** A majority holds everything below `length`. */
  committed(length: number): void
  /** A keeper sealed the log: this writer is done. */
  sealed(): void
  /** A keeper does not know the log any more: it will never acknowledge again. */
  keeperLost(keeper: Keeper): void
}

interface Replica {
  readonly keeper: Keeper
  /** Length acknowledged; -1 before the first answer. */
  acknowledged: number
  /** Length that it said is on its disk (W5); what is there stays there. */
  synced: number
  /** Length sent so far; blocks beyond it are fetched from the store when it catches up. */
  sent: number
  /** When something was last sent that needs an answer. */
  askedAt: number
  proving: boolean
  confirmedRound: number
  lost: boolean
  /** True when there is no pointer to spread, or the keeper has stored it (W4). */
  informed: boolean
}

export class LogWriter {
  readonly key: LogKey
  readonly class: LogClass
  readonly order: number
  readonly #env: Env
  readonly #owner: WriterOwner
  readonly #pointer: Pointer | undefined
  readonly #replicas: Replica[]
  #length: number
  #appending = 0
  #bytes = 0
  #committed = 0
  #done = false
  #round = 0
  #roundStartedAt = 0
  #roundWaiting: (() => void)[] = []
  #nextRoundWaiting: (() => void)[] = []
  #syncsWaiting: { readonly length: number; readonly then: () => void }[] = []

  constructor(
    env: Env,
    init: {
      key: LogKey
      class: LogClass
      order: number
      keepers: readonly Keeper[]
      length: number
      pointer?: Pointer
    },
    owner: WriterOwner,
  ) {
    this.#env = env
    this.key = init.key
    this.class = init.class
    this.order = init.order
    this.#length = init.length
    this.#pointer = init.pointer
    this.#owner = owner
    this.#replicas = init.keepers.map((keeper) => ({
      keeper,
      acknowledged: -1,
      synced: 0,
      sent: init.length,
      askedAt: 0,
      proving: false,
      confirmedRound: 0,
      lost: false,
      informed: init.pointer === undefined || keeper.store === env.store,
    }))
    for (const replica of this.#replicas) this.#ask(replica)
  }

  /** Blocks appended here, acknowledged or not. */
  get length(): number {
    return this.#length
  }
  get appending(): number {
    return this.#appending
  }
  get bytes(): number {
    return this.#bytes
  }
  get committed(): number {
    return this.#committed
  }
  get done(): boolean {
    return this.#done
  }
  get keepers(): readonly Keeper[] {
    return this.#replicas.map((replica) => replica.keeper)
  }

  /** Appends one block; `then` gets its index once it is written here, before it is acknowledged. */
  append(block: Uint8Array, then: (index: number) => void): void {
    this.#appending++
    this.#bytes += block.byteLength
    this.#env.append(this.key, block, ({ length, proof }) => {
      this.#appending--
      if (this.#done) return
      this.#length = length
      then(length - 1)
      for (const replica of this.#replicas) {
        const own = replica.keeper.store === this.#env.store
        if (own || (replica.sent === length - 1 && this.#env.reaches(replica.keeper.peer)))
          this.#send(replica, length - 1, own ? [] : [proof])
      }
    })
  }

  /** `then` runs when a majority answered a round that started after this call. */
  confirm(then: () => void): void {
    if (this.#roundWaiting.length > 0) {
      this.#nextRoundWaiting.push(then)
      return
    }
    this.#roundWaiting.push(then)
    this.#startRound()
  }

  /** `then` runs when a majority has everything below `length` on its disk, whatever the class of the log asks for. */
  sync(length: number, then: () => void): void {
    this.#syncsWaiting.push({ length, then })
    for (const replica of this.#replicas) if (replica.synced < length) this.#ask(replica)
    this.#countSynced()
  }

  /** Keepers that acknowledged everything below `length`. */
  holders(length: number): readonly Keeper[] {
    return this.#replicas.filter((each) => each.acknowledged >= length).map(({ keeper }) => keeper)
  }

  /** True when everything appended is acknowledged. */
  get drained(): boolean {
    return this.#appending === 0 && this.#committed >= this.#length
  }

  stop(): void {
    this.#done = true
  }

  handle(message: LogMessage): void {
    if (this.#done || !('store' in message)) return
    const replica = this.#replica(message.store)
    if (!replica) return
    if (message.kind === 'ack') this.#acknowledged(replica, message.length, message.synced)
    else if (message.kind === 'confirmed') this.#confirmed(replica, message.round)
    else if (message.kind === 'logSealed') {
      this.#done = true
      this.#owner.sealed()
    } else if (message.kind === 'unknown' && !replica.lost) {
      replica.lost = true
      this.#owner.keeperLost(replica.keeper)
    }
  }

  /**
   * A stream to that peer opened: what was sent over the old one may be gone, and so may what the keeper had written
   * without a sync. It is asked anew what it holds.
   */
  reconnected(peer: string): void {
    for (const replica of this.#replicas)
      if (replica.keeper.peer === peer && replica.keeper.store !== this.#env.store) {
        replica.acknowledged = -1
        replica.sent = this.#length
        this.#ask(replica)
      }
  }

  /** The peer told which log its pointer names: it is on its disk (W4). */
  told(peer: string, log: LogKey): void {
    if (this.#done || log !== this.key) return
    for (const replica of this.#replicas)
      if (replica.keeper.peer === peer && !replica.informed) {
        replica.informed = true
        this.#count()
      }
  }

  tick(): void {
    if (this.#done) return
    const { now, settings } = this.#env
    for (const replica of this.#replicas) {
      const behind = replica.acknowledged < this.#length || !replica.informed || this.#wantsSync(replica)
      if (!behind || replica.lost || now - replica.askedAt < settings.resendMs) continue
      replica.sent = Math.max(0, replica.acknowledged)
      this.#ask(replica)
    }
    if (this.#roundWaiting.length > 0 && now - this.#roundStartedAt >= settings.resendMs) this.#sendRound()
  }

  /** Keepers that have not acknowledged everything appended. */
  missing(): readonly Keeper[] {
    return this.#replicas
      .filter((replica) => replica.acknowledged < this.#length)
      .map((replica) => replica.keeper)
  }

  /** Sends the replica what it lacks, or asks for its length where nothing is known to be lacking. */
  #ask(replica: Replica): void {
    if (this.#done || replica.lost || !this.#env.reaches(replica.keeper.peer)) return
    const own = replica.keeper.store === this.#env.store
    if (own || replica.acknowledged < 0 || replica.sent >= this.#length)
      return this.#send(replica, this.#length, [])
    if (replica.proving) return
    replica.proving = true
    replica.askedAt = this.#env.now
    const from = replica.sent
    this.#env.prove(this.key, from, this.#length, (proofs) => {
      replica.proving = false
      if (this.#done || replica.sent !== from || proofs.length === 0) return
      this.#send(replica, from, proofs)
    })
  }

  #send(replica: Replica, from: number, proofs: readonly Uint8Array[]): void {
    replica.askedAt = this.#env.now
    replica.sent = Math.max(replica.sent, from + proofs.length)
    const pointer = this.#pointer && !replica.informed ? { pointer: this.#pointer } : {}
    const sync = this.#wantsSync(replica) ? { sync: true as const } : {}
    this.#env.send(replica.keeper.peer, {
      kind: 'app',
      log: this.key,
      store: replica.keeper.store,
      class: this.class,
      order: this.order,
      from,
      proofs,
      length: this.#length,
      commit: this.#committed,
      ...pointer,
      ...sync,
    })
  }

  #acknowledged(replica: Replica, length: number, synced: number): void {
    replica.synced = Math.max(replica.synced, Math.min(synced, this.#length))

    // A keeper cannot hold more than was appended; a late answer about less changes nothing.
    replica.acknowledged = Math.max(replica.acknowledged, Math.min(length, this.#length))
    if (replica.acknowledged >= replica.sent && replica.sent < this.#length) {
      replica.sent = replica.acknowledged
      this.#ask(replica)
    }
    this.#count()
    this.#countSynced()
  }

  #wantsSync({ synced }: Replica): boolean {
    return this.#syncsWaiting.some(({ length }) => length > synced)
  }

  /** W5 */
  #countSynced(): void {
    if (this.#syncsWaiting.length === 0) return
    const synced = majorityLength(this.#replicas.map((replica) => replica.synced))
    const done = this.#syncsWaiting.filter(({ length }) => length <= synced)
    this.#syncsWaiting = this.#syncsWaiting.filter(({ length }) => length > synced)
    for (const { then } of done) then()
  }

  #count(): void {
    const committed = majorityLength(
      this.#replicas.map(({ acknowledged, informed }) => (informed ? acknowledged : -1)),
    )
    if (committed > this.#committed) {
      this.#committed = committed
      this.#owner.committed(committed)
    }
  }

  #startRound(): void {
    this.#round++
    this.#sendRound()
  }

  #sendRound(): void {
    this.#roundStartedAt = this.#env.now
    for (const { keeper, confirmedRound, lost } of this.#replicas)
      if (confirmedRound < this.#round && !lost)
        this.#env.send(keeper.peer, {
          kind: 'confirm',
          log: this.key,
          store: keeper.store,
          round: this.#round,
        })
  }

  #confirmed(replica: Replica, round: number): void {
    replica.confirmedRound = Math.max(replica.confirmedRound, round)
    if (this.#roundWaiting.length === 0) return
    const answers = this.#replicas.filter((each) => each.confirmedRound >= this.#round).length
    if (answers < majority(this.#replicas.length)) return
    const waiting = this.#roundWaiting
    this.#roundWaiting = this.#nextRoundWaiting
    this.#nextRoundWaiting = []
    if (this.#roundWaiting.length > 0) this.#startRound()
    for (const then of waiting) then()
  }

  #replica(store: StoreId): Replica | undefined {
    return this.#replicas.find((replica) => replica.keeper.store === store)
  }
}
