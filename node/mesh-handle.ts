// What the actor runtime sees of the protocol: the committed registry, one command channel, journals, and calls' frames.
// The driver (driver.ts) implements it.

import type { ActorKey, BootId, LogKey, PeerId } from '../mesh/ids.ts'
import type { Member } from '../mesh/membership/types.ts'
import type { Command, CommandResult, JournalClass, RegistryState } from '../mesh/registry/types.ts'
import type { ServiceFrame } from './ports.ts'

/** One open journal of this boot. */
export interface OpenJournal {
  readonly key: LogKey
  readonly class: JournalClass
  /**
   * Appends one block; blocks take effect in call order, several may be in flight. Resolves with the block's index when
   * a majority of the keepers acknowledged it. Rejects with {@link Deposed} when this boot lost its journals: whether the
   * block survives is then unknown. Never settles when the journal was rolled and closed without the block: its
   * records are to be written again into the next journal.
   */
  append(block: Uint8Array): Promise<number>
  /** A confirmation round started after this call: resolves when a majority of the keepers says the log is not sealed. */
  confirm(): Promise<void>
  /**
   * Resolves when the block and all before it are on the disks of a majority of the keepers, each of which said so, whatever the journal's
   * class. Never settles when the journal was rolled and closed first.
   */
  sync(index: number): Promise<void>
  /** Peers that acknowledged the block so far; undefined when the journal was rolled. */
  holders(index: number): readonly PeerId[] | undefined
  /** True once the journal was rolled: append to `journal(class)` again instead. */
  readonly rolled: boolean
}

export interface MeshHandle {
  readonly self: PeerId
  /** The present boot; changes when this peer is deposed. */
  readonly boot: BootId
  /** The committed registry as applied here; undefined until the first record arrives. A new object after each change. */
  readonly registry: RegistryState | undefined
  /** True once this very boot is admitted in the registry. */
  readonly admitted: boolean
  members(): readonly Member[]
  head(): PeerId | undefined
  /** Why the actor has no home, in words; empty where it has one, or is about to get one. */
  whyNoHome(actor: ActorKey): string
  /**
   * Has the head commit a command, retrying with one id through any number of heads. Rejects with a MeshError
   * `MESH_UNAVAILABLE` after `timeoutMs` (the command may still take effect then).
   */
  command(command: Command, timeoutMs?: number): Promise<CommandResult>
  /** Resolves when this peer has applied everything that was committed when the call began, as confirmed by the head. */
  catchUp(timeoutMs?: number): Promise<void>
  /** This boot's open journal of that class, opened on first use. Rejects with {@link Deposed} or MESH_UNAVAILABLE. */
  journal(wanted: JournalClass): Promise<OpenJournal>

  sendService(to: PeerId, frame: ServiceFrame): boolean
  queued(to: PeerId): number
  onService(service: string, listener: (from: PeerId, boot: BootId, body: unknown) => void): void
  onRegistry(listener: (state: RegistryState) => void): void
  /** A peer's stream opened or closed. */
  onPeer(listener: (peer: PeerId, boot: BootId, connected: boolean) => void): void
  /** This boot was deposed: forget every actor at once, without acknowledging anything more. `boot` is the new one. */
  onDeposed(listener: (old: BootId, boot: BootId) => void): void
  /** A journal was rolled: actors whose newest record is in `from` should be copied into `to` in the background. */
  onRolled(listener: (from: LogKey, to: LogKey) => void): void
}

/** This boot may not write any more; what was in flight has an unknown outcome. */
export class Deposed extends Error {
  override name = 'Deposed'
  constructor(boot: BootId) {
    super(`this boot (${boot}) was deposed: its journals are sealed`)
  }
}
