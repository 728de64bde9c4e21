// The invariants I1–I13 of the protocol and the rules R1–R11 of docs/guarantees.md as far as they can be seen from outside:
// every message a peer sends is checked, as it is sent, against what the disks hold at that moment.
//
//   here: I2 (blocks, as they are told), I3 and R3, I4 and R1 (acknowledged is on the disk and not sealed), I5, I6 and R2, I7
//     and R5 (as far as a length is told), I9, I11 and R9 (told as committed is held by a majority), I12, R7 (no disk
//     answers for a store that it is not); leaks
//   assignments.ts: I8 and R4 (one home per epoch, none on a dead boot), G6
//   history.ts: I1, I10, R6 (nothing late has an effect), R10 (a loss, or something beyond a seal, would be seen)
//   oracle.ts: I7 for single blocks, and with `acknowledged` R5
//   swarm/run-seed.ts: I13
//   nowhere: R8 (test/structure.test.ts: the core has no clock; here wall clocks jump), R11 (no command changes keepers)

import type { MemoryDisk } from '../../checkpoint/memory-disk.ts'
import type { LogKey, PeerId, StoreId } from '../../mesh/ids.ts'
import type { Ballot, Keeper, LogFacts, Pointer } from '../../mesh/log-types.ts'
import { compareBallots } from '../../mesh/logs/ballot.ts'
import type { MeshMessage } from '../../mesh/messages.ts'
import { comparePointers } from '../../mesh/pointer.ts'
import { majority } from '../../mesh/quorum.ts'
import type { JournalClass, RegistryState } from '../../mesh/registry/types.ts'
import { Assignments } from './assignments.ts'
import type { SimMesh, SimPeer } from './mesh.ts'

export class Invariants {
  readonly broken: string[] = []
  readonly #mesh: SimMesh
  readonly #successors = new Map<LogKey, LogKey>()
  readonly #blocks = new Map<LogKey, Uint8Array[]>()
  readonly #committed = new Map<LogKey, number>()
  readonly #pointers = new Map<StoreId, Pointer>()
  readonly #ended = new Set<LogKey>()
  readonly #assignments = new Assignments((text) => this.#fail(text))
  /** Acknowledged lengths by store and log: what they were when the log was given up in good order. */
  readonly #acknowledged = new Map<StoreId, Map<LogKey, number>>()
  readonly #lost = new Map<
    StoreId,
    { readonly lengths: ReadonlyMap<LogKey, number>; readonly pointer: Pointer | undefined }
  >()

  constructor(mesh: SimMesh) {
    this.#mesh = mesh
    mesh.network.trace = (from, to, message) => this.sent(from, to, message)
  }

  watch(peer: SimPeer): void {
    const watch = this.#assignments.watcher(peer.id)
    peer.driver.onRegistry((state) => {
      this.#registry(peer, state)
      watch(state)
    })
  }

  /** R5: a majority holds what its writer says is acknowledged. */
  acknowledged({ id, driver }: SimPeer, journal: LogKey, length: number): void {
    const entry = driver.registry?.journals.get(journal)
    if (!entry) return
    const { keepers, class: of } = entry
    const holding = keepers.filter((keeper) => this.#holds(keeper, entry, length, of.level))
    if (holding.length < majority(keepers.length))
      this.#fail(`${id}: R5 ${length} of ${journal.slice(0, 6)} acknowledged, held by ${holding.length}`)
  }

  /** As many blocks of that registry log were told to be committed. */
  committed(log: LogKey): number {
    return this.#committed.get(log) ?? 0
  }

  /** This disk is about to lose something: what it held until now was no lie. */
  remember(disk: MemoryDisk): void {
    if (!disk.storeId) return
    const lengths = new Map(this.#lost.get(disk.storeId)?.lengths)
    for (const [log, blocks] of disk.writtenLogs)
      lengths.set(log, Math.max(blocks.length, lengths.get(log) ?? 0))
    this.#lost.set(disk.storeId, { lengths, pointer: disk.durablePointer })
  }

  /** Somebody put an older state of that disk back: what it holds is older on purpose. */
  wentBack(store: StoreId): void {
    this.#pointers.delete(store)
  }

  sent(from: PeerId, to: PeerId, message: MeshMessage): void {
    // Checked where it comes from; whoever passes it on answers for nothing in it.
    if (message.kind === 'relay') return this.sent(from, to, message.message)
    const disk = this.#mesh.disks.get(from)
    const store = disk?.storeId
    if (!disk || !store || !this.#mesh.peers.has(from)) return
    const pointer = disk.durablePointer
    this.#pointerOnDisk(from, store, pointer)
    if (message.kind === 'pointer') this.#pointer(from, message.pointer, pointer)
    else if (message.kind === 'records') this.#records(from, message, pointer)
    else if ('store' in message && 'log' in message && message.store === store)
      this.#answer(from, disk, message, disk.durableLog(message.log))
  }

  #fail(text: string): void {
    if (this.broken.length < 20) this.broken.push(`${this.#mesh.clock.now.toFixed(1)} ${text}`)
  }

  #answer(
    from: PeerId,
    disk: MemoryDisk,
    message: MeshMessage & { log: LogKey },
    facts: LogFacts | undefined,
  ): void {
    const written = disk.writtenLogs.get(message.log)?.length ?? 0
    const held = facts?.class === 'replicated' ? written : disk.durableLength(message.log)
    const fail = (text: string) =>
      this.#fail(`${from}: ${message.kind} of ${message.log.slice(0, 6)}: ${text}`)
    if (message.kind === 'ack') {
      if (!facts) fail('I4 its class is not on disk')
      if (facts?.seal) fail('I4 it is sealed')
      if (held < message.length) fail(`I4 ${message.length} acknowledged, ${held} on disk`)
      const synced = disk.durableLength(message.log)
      if (synced < message.synced) fail(`W5 ${message.synced} said to be synced, ${synced} are`)
      const lengths = this.#acknowledged.get(message.store) ?? new Map<LogKey, number>()
      this.#acknowledged.set(message.store, lengths)
      lengths.set(message.log, Math.max(message.length, lengths.get(message.log) ?? 0))
    } else if (message.kind === 'confirmed') {
      if (facts?.seal) fail('I4 it is sealed')
    } else if (message.kind === 'held') {
      if (held < message.length) fail(`I7 ${message.length} claimed, ${held} on disk`)
    } else if (message.kind === 'sealed') {
      if (facts?.seal?.length !== message.length) fail('I6 the seal is not on disk')
      if (!atLeast(facts?.promised, message.ballot)) fail('I6 the promise is not on disk')
      if (message.accepted && !atLeast(facts?.accepted?.ballot, message.accepted.ballot))
        fail('I6 the acceptance it tells of is not on disk')
      if (written < message.length) fail(`I7 sealed at ${message.length}, ${written} on disk`)
      const filled = message.filled?.length ?? 0
      if (disk.durableLength(message.log) < filled) fail(`K4 repaired to ${filled}, which is not on disk`)
    } else if (message.kind === 'accepted') {
      if (!atLeast(facts?.accepted?.ballot, message.ballot)) fail('I6 the acceptance is not on disk')
    }
  }

  #pointerOnDisk(from: PeerId, store: StoreId, pointer: Pointer | undefined): void {
    if (!pointer) return
    const before = this.#pointers.get(store)
    if (before && comparePointers(pointer, before) < 0) this.#fail(`${from}: I12 its pointer moved back`)
    this.#pointers.set(store, pointer)
  }

  #pointer(from: PeerId, pointer: Pointer, stored: Pointer | undefined): void {
    this.#assignments.pointer(from, pointer)
    if (comparePointers(pointer, stored) > 0) this.#fail(`${from}: R2 it told a pointer it has not stored`)
    if (!pointer.parent) return
    const known = this.#successors.get(pointer.parent.key)
    if (known === undefined) {
      this.#successors.set(pointer.parent.key, pointer.key)
      for (const keeper of pointer.keepers)
        if (
          this.#diskOf(keeper) &&
          !this.#holds(keeper, { key: pointer.key, order: pointer.term }, 1, 'synced')
        )
          this.#fail(`I5 keeper ${keeper.peer} of term ${pointer.term} has no snapshot`)
    } else if (known !== pointer.key) this.#fail(`I3 two successors of ${pointer.parent.key}`)
  }

  #records(from: PeerId, message: MeshMessage & { kind: 'records' }, pointer: Pointer | undefined): void {
    const known = this.#blocks.get(message.log) ?? []
    if (message.blocks.length > 0) this.#blocks.set(message.log, known)
    for (const [offset, block] of message.blocks.entries()) {
      const place = message.from + offset
      const before = known[place]
      if (before === block) continue
      if (before && Buffer.compare(before, block) !== 0)
        this.#fail(`${from}: I2 two blocks at ${message.log}#${place}`)
      known[place] = block
    }
    if (message.commit <= (this.#committed.get(message.log) ?? 0) || pointer?.key !== message.log) return
    this.#committed.set(message.log, message.commit)
    const of = { key: message.log, order: pointer.term }
    const holding = pointer.keepers.filter(
      (keeper) => this.#knows(keeper, pointer) && this.#holds(keeper, of, message.commit, 'synced'),
    )
    if (holding.length < majority(pointer.keepers.length))
      this.#fail(
        `${from}: I11, H1 ${message.commit} blocks of term ${pointer.term} told as committed, ${holding.length} of ${pointer.keepers.length} keepers have them and the pointer`,
      )
  }

  #registry(peer: SimPeer, state: RegistryState): void {
    for (const { key, keepers, order, status, class: of } of state.journals.values()) {
      if (status.kind === 'open' || this.#ended.has(key)) continue
      this.#ended.add(key)
      if (this.#isRetired(key, order)) continue
      const holding = keepers.filter((keeper) => this.#holds(keeper, { key, order }, status.length, of.level))
      if (holding.length < majority(keepers.length))
        this.#fail(
          `${peer.id}: I7 journal ${key.slice(0, 6)} ended at ${status.length}, held by ${holding.length} of ${keepers.length}`,
        )
    }
    for (const actor of state.actors.values())
      for (const source of actor.sources)
        if (!state.journals.has(source.journal))
          this.#fail(`${peer.id}: I9 a source of ${actor.key} was retired`)
  }

  #holds(
    keeper: Keeper,
    { key: log, order }: { readonly key: LogKey; readonly order: number },
    length: number,
    level: JournalClass['level'],
  ): boolean {
    const disk = this.#diskOf(keeper)
    const held = level === 'synced' ? disk?.durableLength(log) : disk?.writtenLogs.get(log)?.length
    const lost = this.#lost.get(keeper.store)?.lengths.get(log)
    const facts = disk?.durableLog(log)
    const gone = facts ? facts.retired : order < (disk?.durableJournalFloor ?? 0)
    const retired = gone && this.#acknowledged.get(keeper.store)?.get(log)
    return Math.max(held ?? 0, lost ?? 0, retired || 0) >= length
  }

  #knows(keeper: Keeper, pointer: Pointer): boolean {
    const stored = [this.#diskOf(keeper)?.durablePointer, this.#lost.get(keeper.store)?.pointer]
    return stored.some((each) => each !== undefined && comparePointers(each, pointer) >= 0)
  }

  /** Some peers are behind, and see a journal end that is gone by now. */
  #isRetired(key: LogKey, order: number): boolean {
    return [...this.#mesh.peers.values()].some(
      ({ driver: { registry } }) => registry && registry.nextOrder > order && !registry.journals.has(key),
    )
  }

  #diskOf({ peer, store }: Keeper): MemoryDisk | undefined {
    const disk = this.#mesh.disks.get(peer)
    return disk?.storeId === store ? disk : undefined
  }

  /** Logs on disks that neither the registry nor its chain needs any more, by peer. */
  leaks(): string[] {
    const leaks: string[] = []
    for (const { id, disk, driver } of this.#mesh.peers.values()) {
      const { pointer, registry } = driver
      const facts = disk.durableFacts
      if (!pointer || !registry || !facts) continue
      const needed = (key: LogKey) =>
        registry.journals.has(key) || key === pointer.key || key === pointer.parent?.key
      for (const log of Object.values(facts.logs))
        if (!log.retired && !needed(log.key) && !isRecent(log, pointer))
          leaks.push(`${id} keeps ${log.class} ${log.key.slice(0, 6)} order ${log.order}`)
      for (const [key, blocks] of disk.writtenLogs)
        if (!needed(key) && (!facts.logs[key] || facts.logs[key].retired))
          leaks.push(`${id} has ${blocks.length} blocks of ${key.slice(0, 6)} that nobody knows of`)
    }
    return leaks
  }
}

/** Registry logs of this term and the last, and what was first heard of by a seal of this term: the next one clears it. */
const isRecent = ({ class: of, order, promised }: LogFacts, { term }: Pointer): boolean =>
  of === 'registry' ? order >= term - 1 : order < 0 && (promised?.n ?? -1) >= term

const atLeast = (stored: Ballot | undefined, told: Ballot): boolean =>
  stored !== undefined && compareBallots(stored, told) >= 0
