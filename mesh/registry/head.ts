// The head: the writer of the present registry log. It batches commands into blocks, answers them once they are
// committed, tells everybody what is committed, and keeps proving that it still has its majority.
//
// H1 (I11) nothing is applied, answered or told before a majority of the keepers acknowledged it, and nothing of a new
//    term before a majority of its keepers stored the pointer (the first `app` carries it).
// H2 a command is taken only from the boot that issued it: a late command of an older boot is dropped.
// H3 the head decides (keepers, homes) when it appends, never when it applies.

import type { Env } from '../env.ts'
import { type BootId, type LogKey, type PeerId, peerOfBoot } from '../ids.ts'
import type { Keeper, Pointer } from '../log-types.ts'
import { LogWriter } from '../logs/writer.ts'
import type { LogMessage } from '../messages.ts'
import type { Applied, Follower } from './follower.ts'
import type { Command, IssuedCommand } from './types.ts'

export interface HeadOwner {
  /** Fills in what only the head decides. */
  decide(commands: readonly Command[]): readonly Command[]
  /** Committed commands were applied. */
  applied(applied: readonly Applied[]): void
  /** The log was sealed by somebody: another term is coming. */
  sealed(): void
  keeperLost(keeper: Keeper): void
}

interface Term {
  readonly pointer: Pointer
  readonly writer: LogWriter
  /** Blocks appended and not yet committed, by index. */
  readonly blocks: Map<number, Uint8Array>
  /** Length of the snapshot at the log's beginning. */
  readonly snapshot: number
  readonly startedAt: number
  applied: number
  established: boolean
  confirming: boolean
  round: number
  heartbeatAt: number
  sealed: boolean
}

export class Head {
  readonly #env: Env
  readonly #follower: Follower
  readonly #owner: HeadOwner
  #term: Term | undefined
  #queue: IssuedCommand[] = []
  readonly #queued = new Set<string>()

  constructor(env: Env, follower: Follower, owner: HeadOwner) {
    this.#env = env
    this.#follower = follower
    this.#owner = owner
  }

  /** Writes the present registry log, established or not. */
  get writing(): boolean {
    return this.#term !== undefined
  }
  /** Holds the registry: its snapshot is committed and applied here. */
  get established(): boolean {
    return this.#term?.established === true && !this.#term.sealed
  }
  /** Another candidate sealed the log under it, and may have given up since: only a new term goes on. */
  get sealed(): boolean {
    return this.#term?.sealed === true
  }
  get startedAt(): number {
    return this.#term?.startedAt ?? 0
  }
  /** Everything that was submitted is committed. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#term?.blocks.size === 0 && this.#term.writer.appending === 0
  }
  get keepers(): readonly Keeper[] {
    return this.#term?.pointer.keepers ?? []
  }

  /** The successor this peer wrote was chosen: `snapshot` blocks of it are on all its keepers. */
  begin(pointer: Pointer, snapshot: number): void {
    this.resign()
    const env = this.#env
    const writer: LogWriter = new LogWriter(
      env,
      {
        key: pointer.key,
        class: 'registry',
        order: pointer.term,
        keepers: pointer.keepers,
        length: snapshot,
        pointer,
      },
      {
        committed: (length) => this.#committed(length),
        sealed: () => {
          if (this.#term?.writer !== writer) return
          this.#term.sealed = true
          this.#owner.sealed()
        },
        keeperLost: (keeper) => this.#owner.keeperLost(keeper),
      },
    )
    this.#term = {
      pointer,
      writer,
      blocks: new Map(),
      snapshot,
      startedAt: env.now,
      applied: 0,
      established: false,
      confirming: false,
      round: 0,
      heartbeatAt: Number.NEGATIVE_INFINITY,
      sealed: false,
    }
    const term = this.#term
    env.read(pointer.key, 0, snapshot, (blocks) => {
      if (this.#term !== term) return
      for (const [index, block] of blocks.entries()) term.blocks.set(index, block)
      this.#committed(writer.committed)
    })
  }

  /** Another term was chosen, or the boot ended. Commands not yet appended are repeated by their issuers. */
  resign(): void {
    this.#term?.writer.stop()
    this.#term = undefined
    this.#queue = []
    this.#queued.clear()
  }

  handle(message: LogMessage): void {
    if (this.#term && message.log === this.#term.pointer.key) this.#term.writer.handle(message)
  }

  /** The peer has stored the pointer to this log. */
  told(peer: PeerId, log: LogKey): void {
    this.#term?.writer.told(peer, log)
  }

  submit(from: PeerId, boot: BootId, issued: IssuedCommand): void {
    const term = this.#term
    if (!term || issued.boot !== boot || peerOfBoot(boot) !== from) return
    const known = this.#follower.state?.issued.get(issued.boot)?.results.get(issued.n)
    // H1: until then the table is the one of the term before, and there is no position in this log to name.
    if (known) return term.established ? this.#answer(issued, known, this.#follower.applied - 1) : undefined
    const name = `${issued.boot}#${issued.n}`
    if (this.#queued.has(name)) return
    this.#queued.add(name)
    this.#queue.push(issued)
  }

  tick(): void {
    const term = this.#term
    if (!term || term.sealed) return
    term.writer.tick()
    const { now, settings } = this.#env
    if (!term.established || term.confirming || now - term.heartbeatAt < settings.heartbeatMs) return
    term.heartbeatAt = now
    // One round at a time: while the majority is away none piles up.
    term.confirming = true
    term.writer.confirm(() => {
      term.confirming = false
      if (this.#term !== term) return
      term.round++
      this.#follower.confirmed()
      this.#tell([], term.applied)
    })
  }

  /** Appends what is queued: one block in flight, so that a batch fills while the one before is being written. */
  flush(): void {
    const term = this.#term
    if (!term?.established || term.sealed || this.#queue.length === 0 || term.blocks.size > 0) return
    if (term.writer.appending > 0) return
    const batch = this.#queue.splice(0, this.#env.settings.commandsPerBlock)
    const decided = this.#owner.decide(batch.map(({ command }) => command))
    const commands = batch.map((issued, index) => ({ ...issued, command: decided[index] ?? issued.command }))
    const block = this.#env.codec.encode({ kind: 'commands', commands })
    term.writer.append(block, (index) => {
      term.blocks.set(index, block)
      if (this.#term === term) this.#committed(term.writer.committed)
    })
  }

  reconnected(peer: PeerId): void {
    const term = this.#term
    if (!term) return
    term.writer.reconnected(peer)
    if (term.established)
      this.#env.send(peer, {
        kind: 'records',
        log: term.pointer.key,
        from: term.applied,
        blocks: [],
        commit: term.applied,
        round: term.round,
      })
  }

  #committed(length: number): void {
    const term = this.#term
    if (!term || length < term.snapshot) return
    const from = term.applied
    const blocks: Uint8Array[] = []
    const applied: Applied[] = []
    while (term.applied < length) {
      const block = term.blocks.get(term.applied)
      if (!block) break
      term.blocks.delete(term.applied)
      blocks.push(block)
      applied.push(...this.#follower.apply(block))
      term.applied++
    }
    if (blocks.length === 0) return
    term.established = term.applied >= term.snapshot
    this.#tell(blocks, from)
    for (const { issued, result } of applied) {
      this.#queued.delete(`${issued.boot}#${issued.n}`)
      this.#answer(issued, result, term.applied - 1)
    }
    this.#owner.applied(applied)
    this.flush()
  }

  #answer(issued: IssuedCommand, result: Applied['result'], position: number): void {
    const term = this.#term
    if (!term) return
    const { key: log, term: number } = term.pointer
    this.#env.send(peerOfBoot(issued.boot), {
      kind: 'done',
      n: issued.n,
      boot: issued.boot,
      result,
      log,
      term: number,
      position,
    })
  }

  /** Followers get committed blocks pushed: a look-up anywhere is then a local read. */
  #tell(blocks: readonly Uint8Array[], from: number): void {
    const term = this.#term
    if (!term) return
    const { key: log } = term.pointer
    for (const peer of this.#env.connected.keys())
      this.#env.send(peer, { kind: 'records', log, from, blocks, commit: term.applied, round: term.round })
  }
}
