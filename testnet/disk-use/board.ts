// An actor whose state has one size however often it is written: what a disk holds beyond that is history.

import { encode } from '../../checkpoint/codec.ts'
import { Actor } from '../../node/index.ts'

const SLOTS = 1000
const SLOT_CHARACTERS = 100

export class Board extends Actor<{ slots: string[] }> {
  override state = { slots: Array.from({ length: SLOTS }, () => '.'.repeat(SLOT_CHARACTERS)) }

  /** Overwrites one slot; tokens that follow each other go to different ones. */
  put(token: string): void {
    const n = Number(token.slice(token.lastIndexOf('-') + 1))
    this.state.slots[n % SLOTS] = token.padEnd(SLOT_CHARACTERS, '.')
  }

  /** Of the state as it would be written. */
  bytes(): number {
    return encode(this.state).byteLength
  }
}
