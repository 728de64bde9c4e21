// A journal of the fake mesh: the writer's store, the keepers' stores, acknowledgement by a majority, a seal. The keepers'
// code is as small as it can be; what matters to the runtime is when it hears what.

import type { LogStore } from '../../../checkpoint/port.ts'
import type { BootId, LogKey, PeerId } from '../../../mesh/ids.ts'
import type { JournalClass } from '../../../mesh/registry/types.ts'
import { Deposed, type OpenJournal } from '../../mesh-handle.ts'

export interface FakeKeeper {
  readonly peer: PeerId
  readonly store: () => LogStore | undefined
}

export interface FakeNet {
  /** Calls back after a while, unless the two can't reach each other then. */
  deliver(from: PeerId, to: PeerId, action: () => void): void
  later(ms: number, action: () => void): void
}

const RESEND_MS = 40
const MAX_RESENDS = 500

interface Waiting {
  readonly index: number
  readonly resolve: (index: number) => void
  readonly reject: (error: unknown) => void
}

export class FakeLog implements OpenJournal {
  readonly key: LogKey
  readonly class: JournalClass
  readonly boot: BootId
  readonly keepers: readonly FakeKeeper[]
  rolled = false
  /** Keepers that answer nothing for the moment. */
  readonly mute = new Set<PeerId>()
  /** Keepers that confirm, and are slow to acknowledge blocks. */
  readonly slow = new Set<PeerId>()
  readonly #writer: PeerId
  readonly #net: FakeNet
  readonly #deposed: () => void
  readonly #sealedBy = new Set<PeerId>()
  readonly #held = new Map<PeerId, number>()
  readonly #waiting: Waiting[] = []
  readonly #confirms = new Set<{
    readonly yes: Set<PeerId>
    readonly resolve: () => void
    readonly reject: (error: unknown) => void
  }>()
  #length = 0
  #failed = false
  #appending: Promise<unknown> = Promise.resolve()
  acknowledged = 0

  constructor(init: {
    key: LogKey
    class: JournalClass
    boot: BootId
    writer: PeerId
    keepers: readonly FakeKeeper[]
    net: FakeNet
    deposed: () => void
  }) {
    this.key = init.key
    this.class = init.class
    this.boot = init.boot
    this.keepers = init.keepers
    this.#writer = init.writer
    this.#net = init.net
    this.#deposed = init.deposed
  }

  get #majority(): number {
    return Math.floor(this.keepers.length / 2) + 1
  }

  /** Everything appended is acknowledged. */
  get drained(): boolean {
    return this.#waiting.length === 0
  }

  append(block: Uint8Array): Promise<number> {
    const index = this.#length++
    const done = new Promise<number>((resolve, reject) => this.#waiting.push({ index, resolve, reject }))
    this.#appending = this.#appending.then(() => this.#write(block)).catch(() => {})
    return done
  }

  confirm(): Promise<void> {
    return new Promise((resolve, reject) => {
      const round = { yes: new Set<PeerId>(), resolve, reject }
      this.#confirms.add(round)
      for (const keeper of this.keepers) this.#ask(keeper, round)
    })
  }

  sync(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const round = { yes: new Set<PeerId>(), resolve, reject }
      this.#confirms.add(round)
      for (const keeper of this.keepers) this.#askSync(keeper, index, round)
    })
  }
  holders(index: number): readonly PeerId[] | undefined {
    if (this.rolled) return undefined
    return this.keepers.flatMap(({ peer }) => ((this.#held.get(peer) ?? 0) > index ? [peer] : []))
  }

  /** Answers for a keeper, as at a recovery; blocks that reach it later are refused. */
  async seal(keeper: FakeKeeper): Promise<number> {
    this.#sealedBy.add(keeper.peer)
    return (await keeper.store()?.length(this.key)) ?? 0
  }

  /** Every promise of this journal ends: its boot was deposed. */
  fail(): void {
    this.#failed = true
    const error = new Deposed(this.boot)
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
    for (const round of this.#confirms) round.reject(error)
    this.#confirms.clear()
  }

  async #write(block: Uint8Array): Promise<void> {
    const store = this.keepers.find((keeper) => keeper.peer === this.#writer)?.store()
    const { length, proof } = await store!.append(this.key, block)
    for (const keeper of this.keepers) this.#send(keeper, length, proof)
  }

  #send(keeper: FakeKeeper, length: number, proof: Uint8Array, attempts = 0): void {
    if (this.#failed || (this.#held.get(keeper.peer) ?? 0) >= length || attempts > MAX_RESENDS) return
    this.#net.later(RESEND_MS, () => this.#send(keeper, length, proof, attempts + 1))
    this.#net.deliver(this.#writer, keeper.peer, () => {
      if (this.mute.has(keeper.peer) || this.slow.has(keeper.peer)) return
      if (this.#sealedBy.has(keeper.peer)) return this.#refused(keeper)
      keeper
        .store()
        ?.ingest(this.key, [proof])
        .then(
          (held) => {
            if (this.#sealedBy.has(keeper.peer)) return this.#refused(keeper)
            this.#net.deliver(keeper.peer, this.#writer, () => this.#heldBy(keeper, held))
          },
          () => {},
        )
    })
  }

  #ask(
    keeper: FakeKeeper,
    round: { readonly yes: Set<PeerId>; readonly resolve: () => void },
    attempts = 0,
  ): void {
    if (this.#failed || round.yes.has(keeper.peer) || attempts > MAX_RESENDS) return
    if (round.yes.size < this.#majority) {
      this.#net.later(RESEND_MS, () => this.#ask(keeper, round, attempts + 1))
    }
    this.#net.deliver(this.#writer, keeper.peer, () => {
      if (this.mute.has(keeper.peer) || keeper.store() === undefined) return
      if (this.#sealedBy.has(keeper.peer)) return this.#refused(keeper)
      this.#net.deliver(keeper.peer, this.#writer, () => {
        round.yes.add(keeper.peer)
        if (round.yes.size >= this.#majority) round.resolve()
      })
    })
  }

  #askSync(
    keeper: FakeKeeper,
    index: number,
    round: { readonly yes: Set<PeerId>; readonly resolve: () => void },
    attempts = 0,
  ): void {
    if (this.#failed || round.yes.has(keeper.peer) || attempts > MAX_RESENDS) return
    if (round.yes.size < this.#majority)
      this.#net.later(RESEND_MS, () => this.#askSync(keeper, index, round, attempts + 1))
    this.#net.deliver(this.#writer, keeper.peer, () => {
      const store = keeper.store()
      if (this.mute.has(keeper.peer) || this.slow.has(keeper.peer) || store === undefined) return
      void store.sync().then(() =>
        this.#net.deliver(keeper.peer, this.#writer, () => {
          if ((this.#held.get(keeper.peer) ?? 0) > index) round.yes.add(keeper.peer)
          if (round.yes.size >= this.#majority) round.resolve()
        }),
      )
    })
  }

  #refused(keeper: FakeKeeper): void {
    this.#net.deliver(keeper.peer, this.#writer, () => this.#deposed())
  }

  #heldBy(keeper: FakeKeeper, length: number): void {
    this.#held.set(keeper.peer, Math.max(length, this.#held.get(keeper.peer) ?? 0))
    const lengths = this.keepers.map(({ peer }) => this.#held.get(peer) ?? 0).sort((a, b) => b - a)
    const committed = lengths[this.#majority - 1] ?? 0
    this.acknowledged = Math.max(this.acknowledged, committed)
    while (this.#waiting.length > 0 && this.#waiting[0]!.index < committed) {
      const { index, resolve } = this.#waiting.shift()!
      resolve(index)
    }
  }
}
