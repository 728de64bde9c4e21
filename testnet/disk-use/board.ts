// An actor whose state has one size however often it is written: what a disk holds beyond that is history.

import { encode } from '../../checkpoint/codec.ts'
import { Actor } from '../../node/index.ts'

const SLOT_CHARACTERS = 100
const KIB = 1024

export class Board extends Actor<{ slots: string[] }> {
  override state = { slots: [] as string[] }

  /** Makes the state so large; returns its size in bytes as it is written. */
  fill(kib: number): number {
    const slots = Math.ceil((kib * KIB) / SLOT_CHARACTERS)
    this.state.slots = Array.from({ length: slots }, () => '.'.repeat(SLOT_CHARACTERS))
    return encode(this.state).byteLength
  }

  /** Overwrites one slot; tokens that follow each other go to different ones. */
  put(token: string): void {
    const n = Number(token.slice(token.lastIndexOf('-') + 1))
    this.state.slots[n % this.state.slots.length] = token.padEnd(SLOT_CHARACTERS, '.')
  }
}
