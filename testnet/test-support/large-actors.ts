// A state of many MB that is written as a whole whenever it was not called for a moment.

import { writeFileSync } from 'node:fs'
import { Actor } from 'actor-mesh'

export const BLOB_BYTES = 512 * 1024

/** In every blob. No run of bytes in it that a compressing storage engine would shorten. */
export const MARK = 'kJ9-plain-x2Qv7Rt0'
const mark = new TextEncoder().encode(MARK)

export const LARGE_IDLE_MS = 2000

export class Large extends Actor<{ blobs: Map<number, Uint8Array>; tokens: string[] }> {
  static readonly options = { idleMs: LARGE_IDLE_MS, readOnly: ['blobsWhole', 'callsOfObject'] }
  override state = { blobs: new Map<number, Uint8Array>(), tokens: [] as string[] }
  #calls = 0
  #resting: string | undefined
  /** How many of these calls this object has had: 1 says that it is another one than before. */
  callsOfObject(): number {
    return ++this.#calls
  }
  fill(from: number, to: number): number {
    for (let n = from; n < to; n++) {
      const blob = new Uint8Array(BLOB_BYTES).fill(n)
      blob.set(mark, BLOB_BYTES / 2)
      this.state.blobs.set(n, blob)
    }
    return this.state.blobs.size
  }
  /** Changes something, so that all is written when it rests; and has a file made when that begins. */
  changeAndTell(file: string): void {
    this.fill(0, 1)
    this.#resting = file
  }
  protected override onDeactivate(): void {
    if (this.#resting !== undefined) writeFileSync(this.#resting, '')
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
