// The port between the protocol and a disk. One LogStore is one keeper's disk: its replicated logs and its facts.
//
// Contract, which the conformance suite (conformance.ts) holds both implementations to:
//  - Operations on one log take effect in the order they were called. Operations on different logs may overlap.
//  - `append` and `ingest` resolve when the operating system has the bytes; they do not sync. `persist` always syncs.
//  - `sync` resolves when everything written before it was called will survive a power failure. Calls made while a
//    sync runs share the next one. A failed sync is fatal: the store rejects it and everything after it (StoreFailed).
//  - A proof carries one block, its Merkle proof, and when it extends the log the writer's signature. `ingest` accepts
//    a run of proofs that extends the contiguous prefix held here; blocks already held are skipped; a gap changes
//    nothing and resolves with the length held; a proof that does not verify rejects with InvalidProof and changes nothing.
//  - Writer keys live in memory only. After `close` or a crash nobody can append to a log again, only `ingest`.
//  - Nothing of a new log is on the disk before its first block. Its owner writes down what the log is in between, so
//    that no log is ever there that no fact names, whenever the process ends.
//  - Nothing a peer sent can make a method throw synchronously.

import type { FactsPatch, LogKey, StoreFacts } from './mesh-types.ts'

export interface LogStore {
  /** As loaded at open; the owner keeps its own copy current from what it persists. */
  readonly facts: StoreFacts
  /** Identifies the present start of the operating system; written data of an older one may be lost (tainted). */
  readonly systemBoot: string

  /** A new log with a fresh key pair, writable until close; in memory alone until its first `append`. */
  createLog(): Promise<LogKey>
  /** Appends one block (at most {@link MAX_BLOCK_BYTES}); resolves with the new length and the block's proof. */
  append(log: LogKey, block: Uint8Array): Promise<{ readonly length: number; readonly proof: Uint8Array }>
  /** Verifies and stores; resolves with the contiguous length now held. The log need not exist before. */
  ingest(log: LogKey, proofs: readonly Uint8Array[]): Promise<number>
  /** Contiguous blocks held from 0; 0 for a log never heard of. */
  length(log: LogKey): Promise<number>
  /** Tree hash (hex) of the first `length` blocks, which must be held. The empty string for length 0. */
  hash(log: LogKey, length: number): Promise<string>
  /** Blocks `from` ≤ i < `to` that are held, in order, stopping early at `maxBytes` but never before the first block. */
  read(log: LogKey, from: number, to: number, maxBytes?: number): Promise<readonly Uint8Array[]>
  /** The same blocks as proofs that `ingest` of a store holding exactly `from` blocks accepts. */
  prove(log: LogKey, from: number, to: number, maxBytes?: number): Promise<readonly Uint8Array[]>
  /** Verifies a single block's proof against the log key without storing anything. */
  verify(log: LogKey, proof: Uint8Array): Promise<{ readonly index: number; readonly block: Uint8Array }>

  sync(): Promise<void>
  /** Changes the facts atomically and syncs. */
  persist(patch: FactsPatch): Promise<void>
  /** Deletes a log's blocks here, for good. */
  drop(log: LogKey): Promise<void>
  close(): Promise<void>
}

/** Hypercore takes blocks up to 15 MB; the rest is for the batch's frame. */
export const MAX_BLOCK_BYTES = 14 * 1024 * 1024
