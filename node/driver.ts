// The one driver of the protocol: feeds what happens into the core's `step` and carries out the effects on a store and a
// network. The same loop runs on hypercore and libp2p, and in the simulator. It decides nothing.

import { decode, encode } from '../checkpoint/codec.ts'
import { InvalidProofError, NotHeldError } from '../checkpoint/errors.ts'
import type { LogStore } from '../checkpoint/port.ts'
import { MeshCore } from '../mesh/core.ts'
import type { Effect, MeshEvent, StoreEffect, StoreResults } from '../mesh/effect.ts'
import type { Random } from '../mesh/env.ts'
import { type ActorKey, type BootId, bootId, type LogKey, type PeerId } from '../mesh/ids.ts'
import type { Input } from '../mesh/input.ts'
import type { Pointer } from '../mesh/log-types.ts'
import type { Fact, Member, PeerDescription } from '../mesh/membership/types.ts'
import type { MeshMessage } from '../mesh/messages.ts'
import type { WaitingRecovery } from '../mesh/recovery.ts'
import { classKey } from '../mesh/registry/class.ts'
import type { RescueResult } from '../mesh/registry/rescue.ts'
import type { Command, CommandResult, JournalClass, RegistryState } from '../mesh/registry/types.ts'
import type { MeshSettings } from '../mesh/settings.ts'
import { DriverJournal } from './driver-journal.ts'
import { MeshUnavailableError, WrongKeyError } from './errors.ts'
import { Deposed, type MeshHandle, type OpenJournal } from './mesh-handle.ts'
import type { Clock, Network, NetworkListener, ServiceFrame } from './ports.ts'
import { Tokens } from './tokens.ts'

export interface DriverOptions {
  readonly self: PeerId
  readonly store: LogStore
  readonly clock: Clock
  readonly random: Random
  readonly settings: MeshSettings
  /** Founds a mesh when the store knows none. */
  readonly found: boolean
  readonly onEvent: (event: MeshEvent) => void
  /** The store failed, or turned out to be a copy: this peer must stop, nothing it says counts any more. */
  readonly onFatal: (error: Error) => void
}

const REPEATABLE = new Set<Command['kind']>(['noop', 'stop', 'kill', 'delete', 'move'])

/**
 * Whether a command may be issued again under a new boot: repeating it changes nothing more. What was made again under a name
 * that was stopped may have been stopped since, and a loss that was accepted may be over, with more that could be lost since.
 */
const isRepeatable = (command: Command): boolean =>
  command.kind === 'create' ? !command.again : REPEATABLE.has(command.kind)

const DEFAULT_COMMAND_TIMEOUT_MS = 30_000

export class MeshDriver implements MeshHandle, NetworkListener {
  readonly self: PeerId
  readonly #options: DriverOptions
  #core: MeshCore | undefined
  #network: Network | undefined
  readonly #early: Input[] = []
  readonly #inputs: Input[] = []
  #stepping = false
  #stopped = false
  #boot: BootId
  #timer: { cancel(): void } | undefined
  readonly #tokens = new Tokens()
  /** Apart from the others: a rescue goes on through the deposition that is part of it. */
  readonly #rescues = new Tokens()
  readonly #journals = new Map<LogKey, DriverJournal>()
  readonly #wantedJournals = new Map<string, Promise<OpenJournal>>()
  readonly #services = new Map<string, (from: PeerId, boot: BootId, body: unknown) => void>()
  readonly #registryListeners: ((state: RegistryState) => void)[] = []
  readonly #peerListeners: ((peer: PeerId, boot: BootId, connected: boolean) => void)[] = []
  readonly #deposedListeners: ((old: BootId, boot: BootId) => void)[] = []
  readonly #rolledListeners: ((from: LogKey, to: LogKey) => void)[] = []
  #left: ((clean: boolean) => void) | undefined
  #sent = 0
  #received = 0

  constructor(options: DriverOptions) {
    this.#options = options
    this.self = options.self
    this.#boot = bootId(options.self, options.random.id())
  }

  /** Begins to take part. The network may have delivered before; that was kept. */
  async start(network: Network, description: PeerDescription): Promise<void> {
    const { store, clock, random, settings, found, self } = this.#options
    this.#network = network
    const { facts } = store
    const lengths = new Map<LogKey, number>()
    for (const log of Object.values(facts.logs))
      if (!log.retired) lengths.set(log.key, await store.length(log.key))
    if (this.#stopped) return
    this.#core = new MeshCore({
      self,
      boot: this.#boot,
      startedAt: clock.wall(),
      description,
      facts,
      lengths,
      systemBoot: store.systemBoot,
      found,
      settings,
      codec: { encode, decode },
      random,
    })
    this.#input({ type: 'start' })
    for (const input of this.#early.splice(0)) this.#input(input)
    this.#tick()
  }

  /** Stops at once, as a crash would: nothing more is sent, stored or answered. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#failAll(new MeshUnavailableError('this node was closed'))
  }

  /** Hands over what can be handed over; resolves with whether nothing was left behind. */
  leave(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#stopped || !this.#core) return resolve(false)
      this.#left = resolve
      this.#input({ type: 'leave' })
    })
  }

  describe(description: PeerDescription): void {
    this.#input({ type: 'describe', description })
  }
  load(actors: number): void {
    this.#input({ type: 'load', load: actors })
  }

  get boot(): BootId {
    return this.#boot
  }
  get registry(): RegistryState | undefined {
    return this.#core?.registry
  }
  get admitted(): boolean {
    return this.#core?.admitted === true
  }
  /** Monotonic time of the last sign of a head with its majority; see MeshCore. */
  get headHeardAt(): number {
    return this.#core?.headHeardAt ?? Number.NEGATIVE_INFINITY
  }
  /** The registry is kept as well as it can be; see MeshCore. */
  get registrySafe(): boolean {
    return this.#core?.registrySafe === true
  }
  get isHead(): boolean {
    return this.#core?.isHead === true
  }
  get pointer(): Pointer | undefined {
    return this.#core?.pointer ?? this.#options.store.facts.pointer
  }
  get messages(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received }
  }
  members(): readonly Member[] {
    return this.#core?.members() ?? []
  }
  head(): PeerId | undefined {
    return this.#core?.headPeer
  }
  /** Peers that are connected and refused, and why. */
  apart(): ReadonlyMap<PeerId, string> {
    return this.#core?.apart ?? new Map()
  }
  whyNoHome(actor: ActorKey): string {
    return this.#core?.whyNoHome(actor) ?? ''
  }
  recoveries(): ReadonlyMap<BootId, WaitingRecovery> {
    return this.#core?.recoveries() ?? new Map()
  }

  async command(command: Command, timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS): Promise<CommandResult> {
    const deadline = this.#options.clock.now() + timeoutMs
    for (;;) {
      const left = deadline - this.#options.clock.now()
      try {
        return await this.#once<CommandResult>(
          (token) => ({ type: 'command', token, command }),
          left,
          'no head committed the command in time: too few peers that keep the registry can be reached',
        )
      } catch (error) {
        if (!(error instanceof Deposed) || !isRepeatable(command)) throw error
      }
    }
  }

  /** Past a registry whose majority is lost (ADR 0009); without `acceptLoss` only what that would do. */
  rescue(acceptLoss: boolean): Promise<RescueResult> {
    if (this.#stopped) return Promise.reject(new MeshUnavailableError('this node was closed'))
    return new Promise<RescueResult>((resolve, reject) =>
      this.#input({ type: 'rescue', token: this.#rescues.add(resolve, reject), acceptLoss }),
    )
  }

  async catchUp(timeoutMs?: number): Promise<void> {
    await this.command({ kind: 'noop' }, timeoutMs)
  }

  journal(wanted: JournalClass): Promise<OpenJournal> {
    const name = classKey(wanted)
    for (const journal of this.#journals.values())
      if (!journal.rolled && classKey(journal.class) === name) return Promise.resolve(journal)
    const opening = this.#wantedJournals.get(name)
    if (opening) return opening
    const promise = this.#once<OpenJournal>(
      (token) => ({ type: 'openJournal', token, class: wanted }),
      DEFAULT_COMMAND_TIMEOUT_MS,
      'no journal could be opened in time: too few peers that may keep it, or that keep the registry, can be reached',
    ).finally(() => this.#wantedJournals.delete(name))
    this.#wantedJournals.set(name, promise)
    return promise
  }

  sendService(to: PeerId, frame: ServiceFrame): boolean {
    if (this.#stopped) return false
    this.#sent++
    return this.#network?.sendService(to, frame) ?? false
  }
  queued(to: PeerId): number {
    return this.#network?.queued(to) ?? 0
  }
  onService(service: string, listener: (from: PeerId, boot: BootId, body: unknown) => void): void {
    this.#services.set(service, listener)
  }
  onRegistry(listener: (state: RegistryState) => void): void {
    this.#registryListeners.push(listener)
  }
  onPeer(listener: (peer: PeerId, boot: BootId, connected: boolean) => void): void {
    this.#peerListeners.push(listener)
  }
  onDeposed(listener: (old: BootId, boot: BootId) => void): void {
    this.#deposedListeners.push(listener)
  }
  onRolled(listener: (from: LogKey, to: LogKey) => void): void {
    this.#rolledListeners.push(listener)
  }

  connected(peer: PeerId, boot: BootId): void {
    this.#input({ type: 'connected', peer, boot })
    for (const listener of this.#peerListeners) listener(peer, boot, true)
  }
  disconnected(peer: PeerId, boot: BootId, refused: boolean): void {
    this.#input({ type: 'disconnected', peer, boot, refused })
    for (const listener of this.#peerListeners) listener(peer, boot, false)
  }
  message(from: PeerId, boot: BootId, message: MeshMessage): void {
    this.#received++
    this.#input({ type: 'message', from, boot, message })
  }
  gossip(from: PeerId, facts: readonly Fact[]): void {
    this.#received++
    this.#input({ type: 'gossip', from, facts })
  }
  service(from: PeerId, boot: BootId, { service, body }: ServiceFrame): void {
    this.#received++
    if (!this.#stopped) this.#services.get(service)?.(from, boot, body)
  }
  warning(code: string, text: string): void {
    this.#options.onEvent({ kind: 'warning', code, text })
  }

  #once<Result>(input: (token: number) => Input, timeoutMs: number, late: string): Promise<Result> {
    if (this.#stopped) return Promise.reject(new MeshUnavailableError('this node was closed'))
    return new Promise<Result>((resolve, reject) => {
      const timer = this.#options.clock.setTimer(Math.max(0, timeoutMs), () => {
        this.#tokens.drop(token)
        this.#input({ type: 'forget', token })
        reject(new MeshUnavailableError(late))
      })
      const token = this.#tokens.add<Result>(
        (result) => {
          timer.cancel()
          resolve(result)
        },
        (error) => {
          timer.cancel()
          reject(error)
        },
      )
      this.#input(input(token))
    })
  }

  #tick(): void {
    this.#timer = this.#options.clock.setTimer(this.#options.settings.tickMs, () => {
      this.#input({ type: 'tick' })
      if (!this.#stopped) this.#tick()
    })
  }

  #input(input: Input): void {
    if (this.#stopped) return
    if (!this.#core) {
      this.#early.push(input)
      return
    }
    if (this.#stepping) {
      this.#inputs.push(input)
      return
    }
    this.#stepping = true
    try {
      for (let next: Input | undefined = input; next && !this.#stopped; next = this.#inputs.shift()) {
        const effects = this.#core.step(next, this.#options.clock.now(), this.#options.clock.wall())
        for (const effect of effects) this.#perform(effect)
      }
    } finally {
      this.#stepping = false
    }
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        this.#sent++
        this.#network?.send(effect.to, effect.message)
        return
      case 'publish':
        this.#sent++
        return this.#network?.publish(effect.facts)
      case 'want':
        return this.#network?.want(effect.peers)
      case 'registry': {
        const { registry } = this
        if (registry) for (const listener of this.#registryListeners) listener(registry)
        return
      }
      case 'rescued':
        return this.#rescues.resolve(effect.token, effect.result)
      case 'commandDone':
        return this.#tokens.resolve(effect.token, effect.result)
      case 'journalOpened':
        return this.#tokens.resolve(effect.token, this.#opened(effect.key, effect.class))
      case 'journalFailed':
        return this.#tokens.reject(
          effect.token,
          new MeshUnavailableError(`a journal could not be opened: ${effect.why}`),
        )
      case 'appended':
        return this.#tokens.resolve(effect.token, effect.index)
      case 'abandoned':
        return this.#tokens.drop(effect.token)
      case 'confirmed':
      case 'journalSynced':
        return this.#tokens.resolve(effect.token, undefined)
      case 'rolled':
        this.#journals.get(effect.from)?.markRolled()
        for (const listener of this.#rolledListeners) listener(effect.from, effect.to)
        return
      case 'deposed':
        return this.#deposed(effect.old, effect.boot)
      case 'event':
        return this.#options.onEvent(effect.event)
      case 'storeForeign':
        return this.#fail(new Error(effect.detail))
      case 'keyRefused':
        return this.#fail(new WrongKeyError(effect.detail))
      case 'leaveDone':
        return this.#left?.(effect.clean)
      default:
        return this.#store(effect)
    }
  }

  #opened(key: LogKey, journalClass: JournalClass): OpenJournal {
    const journal =
      this.#journals.get(key) ??
      new DriverJournal(key, journalClass, {
        append: (block) =>
          this.#inJournal(key, (token) => ({ type: 'appendJournal', token, journal: key, block })),
        confirm: () => this.#inJournal(key, (token) => ({ type: 'confirmJournal', token, journal: key })),
        sync: (index) =>
          this.#inJournal(key, (token) => ({ type: 'syncJournal', token, journal: key, index })),
        holders: (index) => this.#core?.journalHolders(key, index),
      })
    this.#journals.set(key, journal)
    return journal
  }

  /** A promise that only the core, a deposition or a stop settles. A journal of an older boot is gone already. */
  #inJournal<Result>(key: LogKey, input: (token: number) => Input): Promise<Result> {
    if (this.#stopped) return Promise.reject(new MeshUnavailableError('this node was closed'))
    if (!this.#journals.has(key)) return Promise.reject(new Deposed(this.#boot))
    return new Promise<Result>((resolve, reject) => this.#input(input(this.#tokens.add(resolve, reject))))
  }

  #deposed(old: BootId, boot: BootId): void {
    this.#boot = boot
    this.#journals.clear()
    this.#wantedJournals.clear()
    for (const listener of this.#deposedListeners) listener(old, boot)
    this.#tokens.rejectAll(new Deposed(old))
  }

  #failAll(error: Error): void {
    this.#tokens.rejectAll(error)
    this.#rescues.rejectAll(error)
    this.#left?.(false)
  }

  #fail(error: Error): void {
    if (this.#stopped) return
    this.stop()
    this.#options.onFatal(error)
  }

  #store(effect: StoreEffect): void {
    this.#run(effect).then(
      (result) => this.#input({ type: 'stored', op: effect.op, result }),
      (error: unknown) => {
        if (effect.type === 'ingest' && error instanceof InvalidProofError)
          return this.#input({ type: 'stored', op: effect.op, result: null })
        // The log was retired while the operation waited for its turn: what it was for is gone as well.
        if (error instanceof NotHeldError) return this.#input({ type: 'storeVoid', op: effect.op })
        return this.#fail(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  async #run(effect: StoreEffect): Promise<StoreResults[keyof StoreResults]> {
    const { store } = this.#options
    switch (effect.type) {
      case 'createLog':
        return store.createLog()
      case 'append':
        return store.append(effect.log, effect.block)
      case 'ingest':
        return store.ingest(effect.log, effect.proofs)
      case 'prove':
        return store.prove(effect.log, effect.from, effect.to, effect.maxBytes)
      case 'read':
        return store.read(effect.log, effect.from, effect.to)
      case 'hash':
        return store.hash(effect.log, effect.length)
      case 'sync':
        await store.sync()
        return undefined
      case 'persist':
        await store.persist(effect.patch)
        return undefined
      case 'drop':
        await store.drop(effect.log)
        return undefined
    }
  }
}
