// One peer of the fake mesh: the MeshHandle that a runtime under test holds.

import type { LogStore } from '../../../checkpoint/port.ts'
import type { BootId, LogKey, PeerId } from '../../../mesh/ids.ts'
import type { Member } from '../../../mesh/membership/types.ts'
import { classKey } from '../../../mesh/registry/class.ts'
import type { Command, CommandResult, JournalClass, RegistryState } from '../../../mesh/registry/types.ts'
import { Deposed, type MeshHandle, type OpenJournal } from '../../mesh-handle.ts'
import type { ServiceFrame } from '../../ports.ts'
import type { FakeLog } from './fake-log.ts'
import type { FakeMesh } from './fake-mesh.ts'

export class FakePeer implements MeshHandle {
  readonly self: PeerId
  readonly types: readonly string[]
  boot: BootId
  store: LogStore | undefined
  registry: RegistryState | undefined
  /** Position in the fake registry log that `registry` stands at. */
  applied = -1
  alive = true
  readonly journals = new Map<string, FakeLog>()
  readonly #mesh: FakeMesh
  readonly #opening = new Map<string, Promise<OpenJournal>>()
  readonly #services = new Map<string, (from: PeerId, boot: BootId, body: unknown) => void>()
  readonly #onRegistry: ((state: RegistryState) => void)[] = []
  readonly #onPeer: ((peer: PeerId, boot: BootId, connected: boolean) => void)[] = []
  readonly #onDeposed: ((old: BootId, boot: BootId) => void)[] = []
  readonly #onRolled: ((from: LogKey, to: LogKey) => void)[] = []

  constructor(mesh: FakeMesh, self: PeerId, boot: BootId, types: readonly string[], store: LogStore) {
    this.#mesh = mesh
    this.self = self
    this.boot = boot
    this.types = types
    this.store = store
  }

  get admitted(): boolean {
    return this.registry?.boots.get(this.boot)?.status === 'live'
  }
  members(): readonly Member[] {
    return this.#mesh.membersSeenBy(this)
  }
  head(): PeerId | undefined {
    return undefined
  }
  whyNoHome(): string {
    return ''
  }

  async command(command: Command, timeoutMs = 30_000): Promise<CommandResult> {
    const { boot } = this
    const result = await this.#mesh.commit(this, boot, command, timeoutMs)
    if (this.boot !== boot) throw new Deposed(boot)
    return result
  }
  async catchUp(timeoutMs = 30_000): Promise<void> {
    await this.command({ kind: 'noop' }, timeoutMs)
  }

  async journal(wanted: JournalClass): Promise<OpenJournal> {
    const key = classKey(wanted)
    const open = this.journals.get(key)
    if (open !== undefined) return open
    const opening =
      this.#opening.get(key) ?? this.#mesh.openJournal(this, wanted).finally(() => this.#opening.delete(key))
    this.#opening.set(key, opening)
    return opening
  }

  sendService(to: PeerId, frame: ServiceFrame): boolean {
    return this.#mesh.send(this, to, frame)
  }
  queued(): number {
    return 0
  }
  onService(service: string, listener: (from: PeerId, boot: BootId, body: unknown) => void): void {
    this.#services.set(service, listener)
  }
  onRegistry(listener: (state: RegistryState) => void): void {
    this.#onRegistry.push(listener)
  }
  onPeer(listener: (peer: PeerId, boot: BootId, connected: boolean) => void): void {
    this.#onPeer.push(listener)
  }
  onDeposed(listener: (old: BootId, boot: BootId) => void): void {
    this.#onDeposed.push(listener)
  }
  onRolled(listener: (from: LogKey, to: LogKey) => void): void {
    this.#onRolled.push(listener)
  }

  receive(from: PeerId, boot: BootId, frame: ServiceFrame): void {
    if (this.alive) this.#services.get(frame.service)?.(from, boot, frame.body)
  }
  apply(position: number, state: RegistryState): void {
    if (!this.alive || position <= this.applied) return
    this.applied = position
    this.registry = state
    for (const listener of this.#onRegistry) listener(state)
    if (state.boots.get(this.boot)?.status === 'dead') this.#mesh.boundToEnd(this)
  }
  peerChanged(peer: PeerId, boot: BootId, connected: boolean): void {
    if (this.alive) for (const listener of this.#onPeer) listener(peer, boot, connected)
  }
  rolledJournal(from: LogKey, to: LogKey): void {
    for (const listener of this.#onRolled) listener(from, to)
  }

  /** Drops its journals and goes on as a new boot. */
  depose(boot: BootId): void {
    const old = this.boot
    const logs = [...this.journals.values()]
    this.boot = boot
    this.journals.clear()
    this.#opening.clear()
    for (const listener of this.#onDeposed) listener(old, boot)
    for (const log of logs) log.fail()
  }
}
