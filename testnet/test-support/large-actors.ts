// A state of 100 MB that is written as a whole whenever it was not called for a moment.

import { Actor } from 'actor-mesh'

const BLOB_BYTES = 512 * 1024

export class Large extends Actor<{ blobs: Map<number, Uint8Array>; tokens: string[] }> {
  static readonly options = { idleMs: 2000, readOnly: ['blobsWhole'] }
  override state = { blobs: new Map<number, Uint8Array>(), tokens: [] as string[] }
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
