// The protocol of one peer as a state machine: `step(input, now) → effects`. It owns the roles and passes each input to
// those it concerns; what follows from the change is derived once per step, in `#evaluate`. It knows no clock, socket,
// disk or promise: see input.ts and effect.ts for the only ways in and out.

import { Addresses } from './addresses.ts'
import { Admission } from './admission.ts'
import { Apart } from './apart.ts'
import type { Effect } from './effect.ts'
import { Election } from './election.ts'
import { type Codec, Env, type Random } from './env.ts'
import { foundMesh } from './founding.ts'
import { generationOf } from './generation.ts'
import { type ActorKey, type BootId, type LogKey, type PeerId, peerOfBoot } from './ids.ts'
import type { Input } from './input.ts'
import { Journals } from './journals.ts'
import { Leaving } from './leaving.ts'
import type { Pointer, StoreFacts } from './log-types.ts'
import { Keeper } from './logs/keeper.ts'
import { KeptLogs } from './logs/kept-logs.ts'
import { Membership } from './membership/membership.ts'
import type { Fact, Member, MembershipInput, PeerDescription } from './membership/types.ts'
import type { MeshMessage } from './messages.ts'
import { PointerStore } from './pointer.ts'
import type { WaitingRecovery } from './recovery.ts'
import { Candidate } from './registry/candidate.ts'
import { Follower } from './registry/follower.ts'
import { Head } from './registry/head.ts'
import { Issuer } from './registry/issuer.ts'
import { Plan } from './registry/plan.ts'
import { Rescue, type RescueOwner } from './registry/rescue.ts'
import { Steward } from './registry/steward.ts'
import type { RegistryState } from './registry/types.ts'
import type { MeshSettings } from './settings.ts'
import { retireUnneededLogs } from './unneeded-logs.ts'

export interface CoreInit {
  readonly self: PeerId
  readonly boot: BootId
  readonly startedAt: number
  readonly description: PeerDescription
  /** As loaded from the store, with the contiguous length of each log in it. */
  readonly facts: StoreFacts
  readonly lengths: ReadonlyMap<LogKey, number>
  readonly systemBoot: string
  /** Founds a mesh when the store knows none. Never set together with a join address. */
  readonly found: boolean
  readonly settings: MeshSettings
  readonly codec: Codec
  readonly random: Random
}

export class MeshCore {
  readonly #env: Env
  readonly #init: CoreInit
  readonly #membership: Membership
  readonly #pointers: PointerStore
  readonly #logs: KeptLogs
  readonly #keeper: Keeper
  readonly #follower: Follower
  readonly #issuer: Issuer
  readonly #candidate: Candidate
  readonly #head: Head
  readonly #journals: Journals
  readonly #plan: Plan
  readonly #steward: Steward
  readonly #leaving: Leaving
  readonly #addresses: Addresses
  readonly #admission: Admission
  readonly #election: Election
  readonly #rescue: Rescue
  readonly #apart: Apart
  readonly #commandTokens = new Map<number, number>()
  #description: PeerDescription
  #tickedAt: number | undefined
  #headTold: string | undefined

  constructor(init: CoreInit) {
    const { self, boot, facts, settings, codec, random } = init
    this.#init = init
    this.#description = init.description
    const env = new Env({ self, boot, store: facts.storeId, settings, codec, random })
    this.#env = env
    const fact: Fact = {
      peer: self,
      boot,
      startedAt: init.startedAt,
      incarnation: 0,
      liveness: 'alive',
      by: self,
      description: init.description,
      load: 0,
    }
    this.#membership = new Membership({ self: fact, settings: settings.membership, random: random.number })
    this.#follower = new Follower(env)
    this.#pointers = new PointerStore(env, facts.pointer, (pointer, before) =>
      this.#pointerMoved(pointer, before),
    )
    if (facts.pointer) this.#follower.moveTo(facts.pointer)
    this.#logs = new KeptLogs(env, facts, init.systemBoot, init.lengths)
    this.#keeper = new Keeper(env, this.#pointers, this.#logs, (log, ballot) => {
      if (log === this.#pointers.current?.key) this.#candidate.rivalled(ballot)
    })
    this.#addresses = new Addresses(
      { env, membership: this.#membership, pointers: this.#pointers, follower: this.#follower },
      facts.peers,
    )
    this.#issuer = new Issuer(env, this.#pointers, this.#follower)
    this.#plan = new Plan(env, this.#membership)
    this.#head = new Head(env, this.#follower, {
      decide: (commands) =>
        this.#follower.state ? this.#steward.decide(this.#follower.state, commands) : commands,
      applied: () => this.#registryMoved(),
      sealed: () => this.#steward.reset(),
      keeperLost: () => this.#candidate.campaign('consent'),
    })
    const registryLogs: RescueOwner = {
      chooseKeepers: (table, avoid) => {
        const keepers = this.#plan.registryKeepers(table, this.#pointers.current?.keepers ?? [], avoid)
        // Before anybody is admitted, and after everybody else is gone, the candidate's own store is what there is.
        return keepers.length > 0 ? keepers : [{ peer: self, store: env.store }]
      },
      isGone: (peer) => {
        // Its stream may be open still: that of a frozen process, or of a cable that was pulled.
        const liveness = this.#membership.get(peer)?.liveness
        return liveness === 'dead' || liveness === 'left'
      },
      addresses: (keepers) => this.#addresses.of([self, ...keepers.map(({ peer }) => peer)]),
      holds: (log, term, then) => this.#logs.hold(log, 'registry', term, then),
      chosen: (pointer: Pointer, length: number | undefined) => this.#chosen(pointer, length),
      depose: () => this.#depose(),
    }
    this.#candidate = new Candidate(env, this.#pointers, this.#follower, registryLogs)
    this.#journals = new Journals(env, this.#follower, this.#issuer, {
      deposed: () => this.#depose(),
      holds: (log, logClass, order, then) => this.#logs.hold(log, logClass, order, then),
      forgoes: (log) => this.#logs.forgo(log),
    })
    const parts = {
      env,
      membership: this.#membership,
      follower: this.#follower,
      head: this.#head,
      issuer: this.#issuer,
      candidate: this.#candidate,
      plan: this.#plan,
      pointers: this.#pointers,
    }
    this.#steward = new Steward(parts)
    this.#leaving = new Leaving({ ...parts, journals: this.#journals })
    this.#election = new Election(parts)
    this.#rescue = new Rescue(env, { ...parts, logs: this.#logs }, registryLogs)
    this.#apart = new Apart(env, this.#pointers)
    this.#admission = new Admission(
      {
        ...parts,
        description: () => this.#description,
        deposed: () => this.#depose(),
      },
      facts.boots,
    )
  }

  get boot(): BootId {
    return this.#env.boot
  }
  /** The committed registry as applied here. */
  get registry(): RegistryState | undefined {
    return this.#follower.state
  }
  get pointer(): Pointer | undefined {
    return this.#pointers.current
  }
  get isHead(): boolean {
    return this.#head.established
  }
  /** The peer that holds the registry as far as known here. */
  get headPeer(): PeerId | undefined {
    const pointer = this.#pointers.current
    return pointer && this.#follower.applied > 0 ? peerOfBoot(pointer.writer) : undefined
  }
  get admitted(): boolean {
    return this.#follower.state?.boots.get(this.#env.boot)?.status === 'live'
  }
  /** Monotonic time of the last sign that there is a head which has its majority. */
  get headHeardAt(): number {
    return this.#follower.progressAt
  }
  /** As seen from here now, no other keepers of the registry would outlive the loss of more peers than the present ones. */
  get registrySafe(): boolean {
    const state = this.#follower.state
    const keepers = this.#pointers.current?.keepers
    return state !== undefined && !!keepers && this.#plan.registryNeedsChange(state, keepers, 0) === false
  }
  members(): readonly Member[] {
    return this.#membership.members()
  }
  /** Peers that are connected and refused, because they belong to another mesh, or to another rescue of this one. */
  get apart(): ReadonlyMap<PeerId, string> {
    return this.#apart.peers
  }
  journalHolders(journal: LogKey, index: number): readonly PeerId[] | undefined {
    return this.#journals.holders(journal, index)
  }
  /** Why actors of lost boots are not back yet; only the head knows. */
  recoveries(): ReadonlyMap<BootId, WaitingRecovery> {
    return this.#steward.waiting()
  }

  /** Why that actor has no home, in words; empty where it has one, or is about to get one. */
  whyNoHome(actor: ActorKey): string {
    const state = this.#follower.state
    const entry = state?.actors.get(actor)
    if (!state || !entry || entry.home !== null || entry.status.kind !== 'running') return ''
    return this.#plan.whyNoHome(state, entry, this.headPeer)
  }

  step(input: Input, now: number, wall: number): Effect[] {
    const env = this.#env
    env.now = now
    env.wall = wall
    this.#handle(input)
    this.#drainLocal()
    this.#evaluate()
    this.#drainLocal()
    return env.takeEffects()
  }

  #drainLocal(): void {
    const env = this.#env
    for (let message = env.takeLocal(); message; message = env.takeLocal())
      this.#message(env.self, env.boot, message)
  }

  #handle(input: Input): void {
    const env = this.#env
    switch (input.type) {
      case 'start':
        return this.#start()
      case 'tick':
        return this.#tick()
      case 'connected':
        return this.#connected(input.peer, input.boot)
      case 'disconnected':
        if (env.connected.get(input.peer) === input.boot) {
          env.connected.delete(input.peer)
          env.relays.disconnected(input.peer)
        }
        return this.#member(input)
      case 'message':
        return this.#message(input.from, input.boot, input.message)
      case 'gossip':
        return this.#apart.has(input.from) ? undefined : this.#member(input)
      case 'stored':
        return env.completed(input.op, input.result)
      case 'storeVoid':
        return env.voided(input.op)
      case 'command':
        return this.#command(input.token, input.command)
      case 'forget': {
        const n = this.#commandTokens.get(input.token)
        this.#commandTokens.delete(input.token)
        return n === undefined ? undefined : this.#issuer.forget(n)
      }
      case 'openJournal':
        return this.#journals.want(input.class, input.token)
      case 'appendJournal':
        return this.#journals.append(input.journal, input.block, input.token)
      case 'confirmJournal':
        return this.#journals.confirm(input.journal, input.token)
      case 'syncJournal':
        return this.#journals.sync(input.journal, input.index, input.token)
      case 'describe':
        this.#description = input.description
        return this.#member(input)
      case 'load':
        return this.#member(input)
      case 'leave':
        return this.#leaving.begin()
      case 'rescue':
        return this.#rescue.begin(input)
    }
  }

  #message(from: PeerId, boot: BootId, message: MeshMessage): void {
    if (this.#apart.refuses(from, message)) {
      if (this.#env.connected.delete(from))
        this.#member({ type: 'disconnected', peer: from, boot, refused: false })
      return
    }
    switch (message.kind) {
      case 'view':
      case 'ping':
      case 'pong':
      case 'pingReq':
      case 'pingAck':
        return this.#member({ type: 'message', from, message })
      case 'app':
      case 'seal':
      case 'accept':
      case 'fill':
      case 'confirm':
      case 'fetch':
        return this.#keeper.handle(from, message)
      case 'fetched':
        if (message.id === 0) return this.#keeper.handle(from, message)
        this.#rescue.handle(from, message)
        return this.#candidate.handle(from, message)
      case 'ack':
      case 'confirmed':
      case 'logSealed':
      case 'unknown':
        this.#journals.handle(message)
        this.#head.handle(message)
        this.#rescue.handle(from, message)
        return this.#candidate.handle(from, message)
      case 'sealed':
      case 'held':
        this.#steward.handle(from, message)
        return this.#candidate.handle(from, message)
      case 'nack':
      case 'accepted':
      case 'busy':
        return this.#candidate.handle(from, message)
      case 'pointer':
        // Relayed it may be late, and the disk that it was on lost meanwhile.
        if (this.#env.connected.get(from) === boot) this.#head.told(from, message.pointer.key)
        return this.#pointers.adopt(message.pointer)
      case 'records':
        if (from === this.#env.self) return
        if (this.#follower.records(from, message).length > 0 || message.blocks.length > 0)
          this.#registryMoved()
        return
      case 'follow':
        return this.#follower.serve(from, message)
      case 'cmd':
        if (this.#head.writing) return this.#head.submit(from, boot, message.issued)
        return this.#tellPointer(from)
      case 'done':
        return this.#issuer.answered(message)
      case 'offer':
        if (message.log === this.#pointers.current?.key && !this.#leaving.active)
          this.#candidate.campaign('consent')
        return
      case 'roll':
        return this.#journals.roll(message.journal)
      case 'survey':
        return this.#rescue.survey(from, message)
      case 'surveyed':
        return this.#rescue.surveyed(from, message)
      case 'relay':
        return this.#env.send(message.to, { kind: 'relayed', from, boot, message: message.message })
      case 'relayed': {
        const { from: sender, boot: of } = message
        if (!this.#isPresent(sender, of)) return // L2
        this.#env.relays.heard(sender, from)
        return this.#message(sender, of, message.message)
      }
    }
  }

  /** As far as seen from here that is the newest boot of another peer. */
  #isPresent(peer: PeerId, boot: BootId): boolean {
    const { self, connected } = this.#env
    return (
      peer !== self && this.#membership.get(peer)?.boot === boot && (connected.get(peer) ?? boot) === boot
    )
  }

  #start(): void {
    this.#admission.tryBoot()
    this.#logs.tidy()
    this.#follower.progressed()
    if (this.#pointers.current || !this.#init.found) return
    const { self } = this.#env
    const addresses = this.#addresses.of([self])
    foundMesh(this.#env, this.#logs, addresses, (pointer, length) => this.#chosen(pointer, length))
  }

  #chosen(pointer: Pointer, length: number | undefined): void {
    const env = this.#env
    const mine = pointer.writer === env.boot
    this.#pointers.adopt(pointer, () => {
      for (const peer of env.connected.keys()) env.send(peer, { kind: 'pointer', pointer })
      if (
        mine &&
        length !== undefined &&
        this.#pointers.current?.key === pointer.key &&
        pointer.writer === env.boot
      ) {
        this.#head.begin(pointer, length)
        this.#steward.reset()
      }
    })
  }

  #pointerMoved(pointer: Pointer, before: Pointer | undefined): void {
    this.#candidate.reset()
    this.#rescue.reset()
    this.#head.resign()
    this.#steward.reset()
    this.#follower.moveTo(pointer)
    this.#election.reset()
    if (!before || generationOf(before.term) === generationOf(pointer.term)) return
    // No boot lives on in another generation than its own, but the one that carried the rescue out and writes there.
    if (pointer.writer !== this.#env.boot) this.#depose()
    for (const peer of this.#env.connected.keys()) this.#tellPointer(peer)
  }

  #connected(peer: PeerId, boot: BootId): void {
    this.#env.connected.set(peer, boot)
    this.#env.relays.connected(peer)
    this.#apart.connected(peer)
    // First of all, so that two that belong apart find out before they tell each other anything else.
    this.#tellPointer(peer)
    this.#member({ type: 'connected', peer, boot })
    this.#journals.reconnected(peer)
    this.#head.reconnected(peer)
    this.#candidate.reconnected(peer)
    this.#rescue.reconnected(peer)
    this.#issuer.reconnected(peer)
    this.#steward.reconnected()
    this.#steward.touch()
  }

  #tellPointer(peer: PeerId): void {
    const pointer = this.#pointers.current
    if (pointer) this.#env.send(peer, { kind: 'pointer', pointer })
  }

  #member(input: MembershipInput): void {
    const env = this.#env
    for (const effect of this.#membership.step(input, env.now)) {
      if (effect.type === 'send') env.send(effect.to, effect.message)
      else if (effect.type === 'publish') env.emit(effect)
      else {
        this.#steward.touch()
        const boot = this.#membership.get(effect.peer)?.boot
        if (boot && effect.before !== effect.after)
          env.event({ kind: 'peer', peer: effect.peer, boot, before: effect.before, after: effect.after })
      }
    }
  }

  #command(token: number, command: Parameters<Issuer['issue']>[0]): void {
    const n = this.#issuer.issue(command, (result) => {
      this.#commandTokens.delete(token)
      this.#env.emit({ type: 'commandDone', token, result })
    })
    this.#commandTokens.set(token, n)
  }

  #registryMoved(): void {
    this.#steward.touch()
    const state = this.#follower.state
    const own = state?.boots.get(this.#env.boot)
    const isOver = own !== undefined && own.status !== 'live'
    // What a boot is told that is over is that it is over (A5 in apply.ts): who asked has to ask as the next one.
    if (!isOver) this.#issuer.settle()
    // Before anything is given up: who asked early is told that a log is sealed, which says more than "unknown".
    if (own?.status === 'live') this.#keeper.admitted()
    const pointer = this.#pointers.current
    if (pointer) retireUnneededLogs(this.#logs, this.#follower, pointer, this.#env.store)
    if (isOver) this.#depose()
  }

  #depose(): void {
    const env = this.#env
    const old = env.boot
    this.#admission.renew()
    this.#journals.reset()
    this.#issuer.reset()
    this.#candidate.reset()
    this.#head.resign()
    this.#steward.reset()
    this.#commandTokens.clear()
    this.#member({ type: 'reboot', boot: env.boot, startedAt: env.wall })
    env.emit({ type: 'deposed', old, boot: env.boot })
    env.event({ kind: 'deposed', old, boot: env.boot })
  }

  #tick(): void {
    const env = this.#env
    const stalled = this.#tickedAt !== undefined && env.now - this.#tickedAt > env.settings.headTimeoutMs / 2
    this.#tickedAt = env.now
    // After a stall of its own event loop a peer has heard nothing because it did not listen: judge nobody by that.
    if (stalled) {
      this.#follower.progressed()
      this.#election.reset()
    }
    this.#member({ type: 'tick' })
    this.#follower.tick()
    this.#issuer.tick()
    this.#journals.tick()
    this.#candidate.tick()
    this.#rescue.tick()
    this.#head.tick()
    if (!this.#leaving.active) {
      this.#election.tick()
      this.#admission.tick()
    }
    this.#leaving.tick()
    this.#addresses.tick()
  }

  #evaluate(): void {
    this.#steward.tick()
    this.#head.flush()
    this.#tellHead()
  }

  #tellHead(): void {
    const pointer = this.#pointers.current
    const peer = this.headPeer
    if (!pointer || !peer || this.#headTold === pointer.key) return
    this.#headTold = pointer.key
    this.#env.event({ kind: 'head', peer, term: pointer.term })
  }
}
