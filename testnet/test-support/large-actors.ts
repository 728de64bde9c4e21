// A state of many megabytes that is written as a whole whenever it was not called for a moment.

import { Actor } from 'actor-mesh'

const BLOB_BYTES = 512 * 1024

export class Large extends Actor<{ blobs: Map<number, Uint8Array>; tokens: string[] }> {
  static readonly options = { idleMs: 1200 }
  override state = { blobs: new Map<number, Uint8Array>(), tokens: [] as string[] }
  fill(from: number, to: number): number {
    for (let n = from; n < to; n++) this.state.blobs.set(n, new Uint8Array(BLOB_BYTES).fill(n))
    return this.state.blobs.size
  }
  add(token: string): number {
    return this.state.tokens.push(token)
  }
  look(): { readonly tokens: readonly string[]; readonly sums: readonly number[] } {
    const sums = [...this.state.blobs.values()].map(
      (blob) => blob.reduce((sum, byte) => sum + byte, 0) / BLOB_BYTES,
    )
    return { tokens: [...this.state.tokens], sums }
  }
}
