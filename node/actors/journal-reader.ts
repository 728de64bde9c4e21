// Reads what a journal says about one actor: from this peer's own copy where it is complete, else from a peer that keeps
// one, block by block, each verified against the journal's key.
//
//  R10 Only blocks below the length that the registry names are read, wherever they come from.

import { blocksUpTo } from '../../checkpoint/history.ts'
import type { ActorLife, JournalIndexes } from '../../checkpoint/journal-index.ts'
import type { LogStore } from '../../checkpoint/port.ts'
import { type BlockEntry, readHeader } from '../../checkpoint/records.ts'
import type { LogKey, PeerId } from '../../mesh/ids.ts'
import type { Source } from '../../mesh/registry/types.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import type { Clock } from '../ports.ts'
import type { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import {
  RESTORE_SERVICE,
  RESTORED_SERVICE,
  type RestoreAnswer,
  type RestoreQuestion,
  readAnswer,
} from './restore-frames.ts'
import { Tokens } from './tokens.ts'

/** A holder that does not answer one question within this time is passed over for this attempt. */
const ANSWER_TIMEOUT_MS = 3000
const ASK_BLOCKS = 64

/** Nobody who is reachable could read the journal. `message` says who was asked and what they said. */
export class SourceUnreachable extends Error {
  override name = 'SourceUnreachable'
}

const isBeginning = (entry: BlockEntry, { actor, incarnation, epoch }: ActorLife): boolean =>
  entry.actor === actor &&
  entry.incarnation === incarnation &&
  entry.epoch === epoch &&
  entry.kind !== 'delta' &&
  entry.part === 0

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

export class JournalReader {
  readonly #mesh: MeshHandle
  readonly #store: LogStore
  readonly #clock: Clock
  readonly #indexes: JournalIndexes
  readonly #cache: BlockCache
  readonly #tokens: Tokens
  /** By peer and journal, while blocks are on their way. */
  readonly #fetches = new Map<string, BlockFetch>()
  readonly #asked = new Map<string, (answer: RestoreAnswer) => void>()

  constructor(parts: {
    mesh: MeshHandle
    store: LogStore
    clock: Clock
    indexes: JournalIndexes
    cache: BlockCache
  }) {
    this.#mesh = parts.mesh
    this.#tokens = new Tokens(parts.mesh.boot)
    this.#store = parts.store
    this.#clock = parts.clock
    this.#indexes = parts.indexes
    this.#cache = parts.cache
    this.#mesh.onService(RESTORED_SERVICE, (_from, _boot, body) => {
      const answer = readAnswer(body)
      if (answer !== undefined) this.#asked.get(answer.id)?.(answer)
    })
  }

  /** The blocks that the life's state needs, in order; none when the source has no record of it. */
  async read(source: Source, life: ActorLife): Promise<readonly Uint8Array[]> {
    const own = await this.#indexes.of(source.journal).find(life, source.length)
    if (own !== undefined) return this.#readOwn(source.journal, own)
    return this.fromHolder(source.journal, (peer) => this.#readFrom(peer, source, life))
  }

  /** What the first keeper of a journal says that can say it. Throws SourceUnreachable. */
  async fromHolder<T>(journal: LogKey, ask: (peer: PeerId) => Promise<T>): Promise<T> {
    const refusals: string[] = []
    for (const peer of this.#holders(journal)) {
      try {
        return await ask(peer)
      } catch (error) {
        refusals.push(`${peer}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    const said = refusals.length === 0 ? 'none of its keepers is connected' : refusals.join('; ')
    throw new SourceUnreachable(`journal ${journal.slice(0, 8)} can't be read: ${said}`)
  }

  /** The blocks that the life's state as of one record needs, in order; none when the source does not have it all. */
  async readUpTo(source: Source, life: ActorLife, sequence: number): Promise<readonly Uint8Array[]> {
    const { journal, length } = source
    const own = await blocksUpTo(this.#store, journal, life, { length, sequence })
    if (own !== undefined) return this.#readOwn(journal, own)
    return this.fromHolder(journal, (peer) => this.#readFrom(peer, source, life, sequence))
  }

  /** The blocks of a snapshot whose last part lies in block `index` of a journal of this very store, in order. */
  async readSnapshot(journal: LogKey, index: number, life: ActorLife): Promise<readonly Uint8Array[]> {
    const blocks: Uint8Array[] = []
    for (let at = index; at >= 0; at--) {
      const [block] = await this.#readOwn(journal, [at])
      blocks.unshift(block!)
      if (readHeader(block!).some((entry) => isBeginning(entry, life))) break
    }
    return blocks
  }

  async #readOwn(journal: LogKey, indexes: readonly number[]): Promise<readonly Uint8Array[]> {
    const blocks: Uint8Array[] = []
    for (const index of indexes) {
      const block = this.#cache.get(journal, index) ?? (await this.#store.read(journal, index, index + 1))[0]
      if (block === undefined)
        throw new SourceUnreachable(`block ${index} of ${journal} is gone from this store`)
      this.#cache.set(journal, index, block)
      blocks.push(block)
    }
    return blocks
  }

  /**
   * Keepers as the registry has them, those that are held to be alive first. One of them is usually the writer that was
   * lost: where it only stands still its stream is open, and a question to it is waited for.
   */
  #holders(journal: LogKey): readonly PeerId[] {
    const keepers = this.#mesh.registry?.journals.get(journal)?.keepers ?? []
    const peers = [...new Set(keepers.map(({ peer }) => peer))].filter((peer) => peer !== this.#mesh.self)
    const alive = new Set(
      this.#mesh.members().flatMap(({ peer, liveness }) => (liveness === 'alive' ? [peer] : [])),
    )
    return [...peers.filter((peer) => alive.has(peer)), ...peers.filter((peer) => !alive.has(peer))]
  }

  async #readFrom(
    peer: PeerId,
    { journal, length }: Source,
    life: ActorLife,
    sequence?: number,
  ): Promise<readonly Uint8Array[]> {
    const upTo = sequence === undefined ? {} : { sequence }
    const found = await this.ask(peer, { q: 'find', journal, length, ...life, ...upTo })
    if (found.a !== 'found') throw new Error('answered something else')
    const wanted = found.blocks
    if (wanted.some((index) => index >= length)) throw new Error(`named a block beyond ${length}`) // R10
    const have = new Map<number, Uint8Array>()
    for (const index of wanted) {
      const block = this.#cache.get(journal, index)
      if (block !== undefined) have.set(index, block)
    }
    const missing = wanted.filter((index) => !have.has(index))
    const fetched = missing.length === 0 ? [] : await this.#fetchOf(peer, journal).get(missing)
    for (const [n, block] of fetched.entries()) have.set(missing[n]!, block)
    return wanted.map((index) => have.get(index)!)
  }

  #fetchOf(peer: PeerId, journal: LogKey): BlockFetch {
    const key = `${peer} ${journal}`
    for (const [other, fetch] of this.#fetches) if (fetch.idle && other !== key) this.#fetches.delete(other)
    let fetch = this.#fetches.get(key)
    if (fetch === undefined) {
      fetch = new BlockFetch((indexes) => this.#askBlocks(peer, journal, indexes), ASK_BLOCKS)
      this.#fetches.set(key, fetch)
    }
    return fetch
  }

  async #askBlocks(
    peer: PeerId,
    journal: LogKey,
    indexes: readonly number[],
  ): Promise<ReadonlyMap<number, Uint8Array>> {
    const answer = await this.ask(peer, { q: 'blocks', journal, indexes })
    const brought = new Map<number, Uint8Array>()
    for (const proof of answer.a === 'blocks' ? answer.proofs : []) {
      const { index, block } = await this.#store.verify(journal, proof)
      brought.set(index, block)
      this.#cache.set(journal, index, block)
    }
    return brought
  }

  /** One question to one peer. Rejects with why there is no answer. */
  ask(peer: PeerId, question: WithoutId<RestoreQuestion>): Promise<RestoreAnswer> {
    const id = this.#tokens.next()
    return new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel()
        this.#asked.delete(id)
      }
      const timer = this.#clock.setTimer(ANSWER_TIMEOUT_MS, () => {
        end()
        reject(new Error('does not answer'))
      })
      this.#asked.set(id, (answer) => {
        end()
        if (answer.a === 'no') reject(new Error(answer.why))
        else resolve(answer)
      })
      if (this.#mesh.sendService(peer, { service: RESTORE_SERVICE, body: { ...question, id } })) return
      end()
      reject(new Error('not connected'))
    })
  }
}
