// A state of many MB that is written as a whole whenever it was not called for a moment.

import { Actor } from 'actor-mesh'

export const BLOB_BYTES = 512 * 1024

export const LARGE_IDLE_MS = 2000

export class Large extends Actor<{ blobs: Map<number, Uint8Array>; tokens: string[] }> {
  static readonly options = { idleMs: LARGE_IDLE_MS, readOnly: ['blobsWhole', 'callsOfObject'] }
  override state = { blobs: new Map<number, Uint8Array>(), tokens: [] as string[] }
  #calls = 0
  /** How many of these calls this object has had: 1 says that it is another one than before. */
  callsOfObject(): number {
    return ++this.#calls
  }
  fill(from: number, to: number): number {
    for (let n = from; n < to; n++) this.state.blobs.set(n, new Uint8Array(BLOB_BYTES).fill(n))
    return this.state.blobs.size
  }
  add(token: string): readonly string[] {
    this.state.tokens.push(token)
    return [...this.state.tokens]
  }
  /** How many have their length and begin and end with their number, of those in the range. */
  blobsWhole(from: number, to: number): number {
    let whole = 0
    for (let n = from; n < to; n++) {
      const blob = this.state.blobs.get(n)
      if (blob?.length === BLOB_BYTES && blob[0] === n && blob.at(-1) === n) whole++
    }
    return whole
  }
}
