// What a runtime offers beside calls to its actors' methods: their past, copies of them, and reads that may be a little old;
// and its answers to other peers' questions about the same.

import type { Cipher } from '../../checkpoint/cipher.ts'
import type { JournalIndexes } from '../../checkpoint/journal-index.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import type { MakeRef } from '../../checkpoint/reference.ts'
import type { LogKey } from '../../mesh/ids.ts'
import type { CallOptions } from '../api.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import { BoundedReads, type Life } from './bounded-reads.ts'
import type { Client } from './client.ts'
import type { Target } from './creation.ts'
import { fork } from './forking.ts'
import type { Home } from './home.ts'
import type { JournalReader } from './journal-reader.ts'
import type { Result } from './outgoing-call.ts'
import { RESTORE } from './own-calls.ts'
import { Past } from './past.ts'
import type { Invoke } from './ref.ts'
import type { Newest } from './restore-frames.ts'
import { serveRestores } from './restore-service.ts'

export interface BesideCallsInit {
  readonly mesh: MeshHandle
  readonly store: LogStore
  readonly clock: Clock
  readonly indexes: JournalIndexes
  readonly reader: JournalReader
  readonly makeRef: MakeRef
  readonly cipher: Cipher | undefined
  /** Of the present boot. */
  readonly home: () => Home
  readonly client: () => Client
  /** Throws when the node is closed. */
  readonly checkOpen: () => void
}

/** Of a call that gives what it gives. */
const plain = ({ receipt: _receipt, reads: _reads, ...rest }: CallOptions): CallOptions => rest

export class BesideCalls {
  readonly #init: BesideCallsInit
  readonly past: Past
  readonly #bounded: BoundedReads

  constructor(init: BesideCallsInit) {
    this.#init = init
    const { mesh, store, clock, indexes, reader, makeRef, home } = init
    const acknowledged = (journal: LogKey): number | undefined => home().journals.acknowledged(journal)
    const newest = (life: Life): Promise<Newest | undefined> => this.#newest(life)
    serveRestores(mesh, { store, indexes, acknowledged, newest })
    this.past = new Past({ mesh, store, reader, acknowledged, cipher: init.cipher })
    const context: Home['context'] = (entry) => home().context(entry)
    this.#bounded = new BoundedReads({ mesh, clock, reader, makeRef, newest, context })
  }

  /** A call of a method, at its host unless it may be answered here. */
  async call(
    target: Target,
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    this.#init.checkOpen()
    const ask = (): Promise<unknown> =>
      this.#init
        .client()
        .call(target, method, args, options)
        .finally(() => this.#bounded.answered(target.key))
    return options.reads === undefined ? ask() : this.#bounded.read(target, method, args, options, ask)
  }

  /** A call of a method by an actor of this peer, which runs in another thread. */
  callBytes(target: Target, method: string, args: Uint8Array, options: CallOptions): Promise<Result> {
    this.#init.checkOpen()
    return this.#init
      .client()
      .callBytes(target, method, args, options)
      .finally(() => this.#bounded.answered(target.key))
  }

  membersOf(target: Target): Pick<Invoke, 'history' | 'restore' | 'fork'> {
    const { past } = this
    const { mesh, clock, makeRef, cipher, client, checkOpen } = this.#init
    return {
      history: async (options) => past.list(await past.entryOf(target.key), options),
      restore: async ({ record }, options) => {
        // Sent at once, where that is known: calls of one caller keep their order.
        if (mesh.registry?.actors.has(target.key) !== true) await past.entryOf(target.key)
        return (await this.call(target, RESTORE, [record], plain(options))) as number
      },
      fork: async (name, from = {}, options = {}) => {
        checkOpen()
        const entry = await past.entryOf(target.key)
        await fork(
          { mesh, clock, client: client(), past, makeRef, cipher },
          { origin: target, entry, name, from, options: plain(options) },
        )
      },
    }
  }

  /** D1 in bounded-reads.ts: looked at first, and confirmed then. */
  async #newest(life: Life): Promise<Newest | undefined> {
    const { mesh, home } = this.#init
    const { host, journals } = home()
    const newest = host.newest(life)
    const entry = mesh.registry?.actors.get(life.key)
    if (newest === undefined || entry === undefined) return undefined
    await journals.confirm(entry.options.class)
    return newest
  }
}
