// What a role inside the core may do: send, ask the store, tell. One Env per core; `now` is set at each step. Store
// operations take what to do with their result; the continuation captures what it was issued under and checks it (R6).

import type { Effect, MeshEvent, StoreEffect, StoreResults } from './effect.ts'
import type { BootId, LogKey, PeerId, StoreId } from './ids.ts'
import type { FactsPatch } from './log-types.ts'
import type { MeshMessage } from './messages.ts'
import { Relays } from './relays.ts'
import type { MeshSettings } from './settings.ts'

/** Encoding of registry blocks: injected, so that mesh/ imports no codec. Decoding may throw on foreign bytes. */
export interface Codec {
  encode(value: unknown): Uint8Array
  decode(bytes: Uint8Array): unknown
}

export interface Random {
  /** 128 random bits in hex. */
  id(): string
  /** Uniform in [0, 1). */
  number(): number
}

export class Env {
  now = 0
  /** Wall-clock milliseconds of this step, for people only. */
  wall = 0
  boot: BootId
  store: StoreId
  readonly self: PeerId
  readonly settings: MeshSettings
  readonly codec: Codec
  readonly random: Random
  /** Peers with an open stream, and the boot at its other end. */
  readonly connected = new Map<PeerId, BootId>()
  readonly relays: Relays
  #effects: Effect[] = []
  /** Messages to this very peer: handled in the same step, after the handler that sent them. */
  #local: MeshMessage[] = []
  #pending = new Map<number, (result: never) => void>()
  #nextOp = 1

  constructor(init: {
    self: PeerId
    boot: BootId
    store: StoreId
    settings: MeshSettings
    codec: Codec
    random: Random
  }) {
    this.self = init.self
    this.boot = init.boot
    this.store = init.store
    this.settings = init.settings
    this.codec = init.codec
    this.random = init.random
    this.relays = new Relays(this)
  }

  emit(effect: Effect): void {
    this.#effects.push(effect)
  }

  event(event: MeshEvent): void {
    this.#effects.push({ type: 'event', event })
  }

  send(to: PeerId, message: MeshMessage): void {
    this.trySend(to, message)
  }

  /** False when there was nobody to give it to; true promises nothing. */
  trySend(to: PeerId, message: MeshMessage): boolean {
    if (to === this.self) {
      this.#local.push(message)
      return true
    }
    const sending = this.relays.sending(to, message)
    if (sending) this.#effects.push({ type: 'send', ...sending })
    return sending !== undefined
  }

  /** There is a direct link: who can only be reached through others is given nothing new to do. */
  reaches(peer: PeerId): boolean {
    return peer === this.self || this.connected.has(peer)
  }

  createLog(then: (key: LogKey) => void): void {
    this.#operation<'createLog'>((op) => ({ type: 'createLog', op }), then)
  }
  append(log: LogKey, block: Uint8Array, then: (result: StoreResults['append']) => void): void {
    this.#operation<'append'>((op) => ({ type: 'append', op, log, block }), then)
  }
  ingest(log: LogKey, proofs: readonly Uint8Array[], then: (length: number | null) => void): void {
    this.#operation<'ingest'>((op) => ({ type: 'ingest', op, log, proofs }), then)
  }
  prove(log: LogKey, from: number, to: number, then: (proofs: readonly Uint8Array[]) => void): void {
    const maxBytes = this.settings.catchUpBytes
    this.#operation<'prove'>((op) => ({ type: 'prove', op, log, from, to, maxBytes }), then)
  }
  read(log: LogKey, from: number, to: number, then: (blocks: readonly Uint8Array[]) => void): void {
    this.#operation<'read'>((op) => ({ type: 'read', op, log, from, to }), then)
  }
  hash(log: LogKey, length: number, then: (hash: string) => void): void {
    this.#operation<'hash'>((op) => ({ type: 'hash', op, log, length }), then)
  }
  sync(then: () => void): void {
    this.#operation<'sync'>((op) => ({ type: 'sync', op }), then)
  }
  persist(patch: FactsPatch, then: () => void): void {
    this.#operation<'persist'>((op) => ({ type: 'persist', op, patch }), then)
  }
  drop(log: LogKey, then: () => void = () => {}): void {
    this.#operation<'drop'>((op) => ({ type: 'drop', op, log }), then)
  }

  #operation<Type extends keyof StoreResults>(
    make: (op: number) => StoreEffect & { type: Type },
    then: (result: StoreResults[Type]) => void,
  ): void {
    const op = this.#nextOp++
    this.#pending.set(op, then as (result: never) => void)
    this.#effects.push(make(op))
  }

  /** Runs the continuation of a completed store operation. */
  completed(op: number, result: StoreResults[keyof StoreResults]): void {
    const then = this.#pending.get(op)
    this.#pending.delete(op)
    then?.(result as never)
  }

  /** The operation can never complete: nothing happens, and no answer is an answer that counts for nothing. */
  voided(op: number): void {
    this.#pending.delete(op)
  }

  takeLocal(): MeshMessage | undefined {
    return this.#local.shift()
  }

  takeEffects(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
