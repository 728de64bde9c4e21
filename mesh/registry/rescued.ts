// What a rescue makes of the longest copy of a registry whose majority is lost (ADR 0009). Nothing that was true of a boot
// is believed any more: the copy may be older than what the boots did since. What is left of each is recovered with
// whatever keepers answer, and every peer is admitted anew.

import { firstOf, generationOf } from '../generation.ts'
import type { BootId } from '../ids.ts'
import { giveUp } from './recover.ts'
import { addReport } from './reports.ts'
import type { RegistryTable } from './state.ts'

export interface RescueNotice {
  /** The generation that begins. */
  readonly generation: number
  /** The boot that carries the rescue out. */
  readonly boot: BootId
  /** Wall-clock milliseconds. */
  readonly at: number
  readonly cause: string
}

/** Edits the table in place. */
export function rescueRegistry(table: RegistryTable, { generation, boot, at, cause }: RescueNotice): void {
  const known = generationOf(table.nextOrder)
  for (let lost = table.lostOrders.length; lost < generation; lost++)
    table.lostOrders.push(lost === known ? table.nextOrder : firstOf(lost))
  table.nextOrder = firstOf(generation)
  for (const entry of table.peers.values()) table.peers.set(entry.peer, { ...entry, outdated: true })
  const writers = new Set([...table.journals.values()].map((journal) => journal.boot))
  for (const entry of table.boots.values()) {
    const isOver = entry.status === 'dead' && !writers.has(entry.boot)
    // The disks may have been admitted under newer boots than this copy knows.
    table.boots.set(entry.boot, { ...(isOver ? entry : giveUp(entry)), store: null })
  }
  addReport(table, { kind: 'rescue', at, boot, cause }, [])
}
