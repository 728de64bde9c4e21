// Which blocks of a journal an actor's state needs: per actor, incarnation and epoch the blocks from its last complete
// snapshot on. Built by reading headers, once per block, as far as asked.
//
//  R10 A question names the journal's committed length; nothing at or beyond it is ever part of an answer.

import type { ActorKey, LogKey } from './mesh-types.ts'
import type { LogStore } from './port.ts'
import { type BlockEntry, readHeader } from './records.ts'

/** One life of an actor at one home. */
export interface ActorLife {
  readonly actor: ActorKey
  readonly incarnation: number
  readonly epoch: number
}

/** Blocks read at a time while scanning: bounds memory, not correctness. */
const SCAN_BYTES = 8 * 1024 * 1024

interface Chain {
  /** Blocks since the first part of the last complete snapshot, ascending, without duplicates. */
  blocks: number[]
  /** Blocks of a snapshot whose later parts were not seen yet. */
  open: number[]
  complete: boolean
}

const lifeKey = (life: ActorLife): string => `${life.epoch} ${life.incarnation} ${life.actor}`

export class JournalIndex {
  readonly #journal: LogKey
  readonly #store: LogStore
  #chains = new Map<string, Chain>()
  #scanned = 0
  #scanning: Promise<void> = Promise.resolve()

  constructor(journal: LogKey, store: LogStore) {
    this.#journal = journal
    this.#store = store
  }

  /**
   * The blocks that the life's state needs, ascending; empty when the journal has no complete record of it. Undefined
   * when this store does not hold `length` blocks: that is no answer.
   */
  find(life: ActorLife, length: number): Promise<readonly number[] | undefined> {
    const answer = this.#scanning.then(async () => {
      if (!(await this.#scanTo(length))) return undefined
      const chain = this.#chains.get(lifeKey(life))
      return chain?.complete ? [...chain.blocks] : []
    })
    this.#scanning = answer.then(
      () => {},
      () => {},
    )
    return answer
  }

  async #scanTo(length: number): Promise<boolean> {
    // A chain forgets what came before its last snapshot, so an index that read on cannot answer for a shorter journal.
    if (this.#scanned > length) {
      this.#chains = new Map()
      this.#scanned = 0
    }
    if (this.#scanned === length) return true
    if ((await this.#store.length(this.#journal)) < length) return false
    while (this.#scanned < length) {
      const blocks = await this.#store.read(this.#journal, this.#scanned, length, SCAN_BYTES) // R10
      if (blocks.length === 0) return false
      for (const block of blocks) {
        for (const entry of readHeader(block)) this.#add(entry, this.#scanned)
        this.#scanned++
      }
    }
    return true
  }

  #add(entry: BlockEntry, block: number): void {
    const key = lifeKey(entry)
    let chain = this.#chains.get(key)
    if (chain === undefined) {
      chain = { blocks: [], open: [], complete: false }
      this.#chains.set(key, chain)
    }
    if (entry.kind === 'delta') {
      push(chain.blocks, block)
      return
    }
    if (entry.part === 0) chain.open = []
    push(chain.open, block)
    if (entry.part < entry.parts - 1) return
    chain.blocks = chain.open
    chain.open = []
    chain.complete = true
  }
}

function push(blocks: number[], block: number): void {
  if (blocks.at(-1) !== block) blocks.push(block)
}

/** The indexes of a store's journals, made on first use and forgotten when a journal is. */
export class JournalIndexes {
  readonly #store: LogStore
  readonly #indexes = new Map<LogKey, JournalIndex>()

  constructor(store: LogStore) {
    this.#store = store
  }

  of(journal: LogKey): JournalIndex {
    let index = this.#indexes.get(journal)
    if (index === undefined) {
      index = new JournalIndex(journal, this.#store)
      this.#indexes.set(journal, index)
    }
    return index
  }

  keepOnly(wanted: (journal: LogKey) => boolean): void {
    for (const journal of this.#indexes.keys()) if (!wanted(journal)) this.#indexes.delete(journal)
  }
}
