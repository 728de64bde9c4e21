// When a journal is rolled for its size: what is alive in it is copied into the next one, and its history goes. Measured by
// what was alive, so that disk use follows live state, and copying costs no more than what was written meanwhile.

import type { MeshSettings } from './settings.ts'

export interface Size {
  readonly blocks: number
  readonly bytes: number
}

export const NOTHING: Size = { blocks: 0, bytes: 0 }

export const added = (one: Size, other: Size): Size => ({
  blocks: one.blocks + other.blocks,
  bytes: one.bytes + other.bytes,
})

/** `alive`: of `size`, what a copy would have to hold, or more. */
export function isMostlyHistory(
  size: Size,
  alive: Size,
  settings: Pick<MeshSettings, 'journalMaxBlocks' | 'journalMaxBytes' | 'journalGrowth'>,
): boolean {
  const { journalMaxBlocks, journalMaxBytes, journalGrowth } = settings
  return (
    size.blocks >= Math.max(journalMaxBlocks, journalGrowth * alive.blocks) ||
    size.bytes >= Math.max(journalMaxBytes, journalGrowth * alive.bytes)
  )
}
