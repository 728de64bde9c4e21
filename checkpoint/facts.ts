// The facts of a store while it is open: patches are folded in, snapshots go to the journal.

import { Encoder } from 'cbor-x'
import type { FactsPatch, LogFacts, LogKey, StoreFacts } from './mesh-types.ts'

export class FactsTable {
  readonly #logs: Map<string, LogFacts>
  readonly #peers: Map<string, readonly string[]>
  #boots: StoreFacts['boots']
  #pointer: StoreFacts['pointer']
  #journalFloor: StoreFacts['journalFloor']
  readonly #storeId: StoreFacts['storeId']

  constructor(facts: StoreFacts) {
    this.#storeId = facts.storeId
    this.#boots = facts.boots
    this.#pointer = facts.pointer
    this.#journalFloor = facts.journalFloor
    this.#logs = new Map(Object.entries(facts.logs))
    this.#peers = new Map(Object.entries(facts.peers))
  }

  apply(patch: FactsPatch): void {
    if (patch.boots !== undefined) this.#boots = patch.boots
    if (patch.pointer !== undefined) this.#pointer = patch.pointer
    if (patch.journalFloor !== undefined) this.#journalFloor = patch.journalFloor
    for (const [log, facts] of Object.entries(patch.logs ?? {})) {
      if (facts === null) this.#logs.delete(log)
      else this.#logs.set(log, facts)
    }
    for (const [peer, addresses] of Object.entries(patch.peers ?? {})) this.#peers.set(peer, addresses)
  }

  get pointer(): StoreFacts['pointer'] {
    return this.#pointer
  }
  get journalFloor(): StoreFacts['journalFloor'] {
    return this.#journalFloor
  }
  get storeId(): StoreFacts['storeId'] {
    return this.#storeId
  }

  log(log: LogKey): LogFacts | undefined {
    return this.#logs.get(log)
  }

  snapshot(): StoreFacts {
    return {
      storeId: this.#storeId,
      boots: this.#boots,
      ...(this.#pointer === undefined ? {} : { pointer: this.#pointer }),
      logs: Object.fromEntries(this.#logs),
      ...(this.#journalFloor === undefined ? {} : { journalFloor: this.#journalFloor }),
      peers: Object.fromEntries(this.#peers),
    }
  }
}

/** One entry of the journal: the first is a snapshot, each later one the patches that shared a sync. */
export type FactsEntry =
  | { readonly kind: 'snapshot'; readonly facts: StoreFacts }
  | { readonly kind: 'patches'; readonly patches: readonly FactsPatch[] }

const codec = new Encoder({ useRecords: false, mapsAsObjects: true })

export function encodeFactsEntry(entry: FactsEntry): Buffer {
  return codec.encode(entry)
}

/** Undefined for bytes that are no entry; never throws. Only called on bytes whose checksum held. */
export function decodeFactsEntry(bytes: Uint8Array): FactsEntry | undefined {
  try {
    const entry = codec.decode(bytes) as FactsEntry
    const sound =
      entry.kind === 'snapshot'
        ? typeof entry.facts.storeId === 'string' && Array.isArray(entry.facts.boots)
        : entry.kind === 'patches' && Array.isArray(entry.patches)
    return sound ? entry : undefined
  } catch {
    return undefined
  }
}
