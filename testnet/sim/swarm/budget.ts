// Which disks may be lost: G1 promises nothing once the majority of a log's keepers is gone. What the registries know is
// only part of what must be counted. Keepers are chosen before anybody hears of it, and go on being chosen until whoever
// chooses has noticed the loss.

import { decode } from '../../../checkpoint/codec.ts'
import type { LogKey, PeerId } from '../../../mesh/ids.ts'
import type { Keeper, Pointer } from '../../../mesh/log-types.ts'
import type { RegistryBlock } from '../../../mesh/registry/blocks.ts'
import type { SimMesh, SimPeer } from '../mesh.ts'

interface KeptSet {
  readonly key: LogKey
  readonly keepers: readonly Keeper[]
}

/** With as many to choose from, every log that is begun outlives the loss of one. */
const OUTLIVES_ONE = 3

/** Sets that are on some disk and may be committed yet: journals opened in blocks from `committed` on, and accepted successors. */
export function decidedSets({ peers }: SimMesh, { key: log }: Pointer, committed: number): KeptSet[] {
  const sets: KeptSet[] = []
  for (const { disk } of peers.values()) {
    const successor = disk.durableLog(log)?.accepted?.successor
    if (successor) sets.push(successor)
    for (const { block } of disk.writtenLogs.get(log)?.slice(committed) ?? []) {
      const content = decode(block) as RegistryBlock
      if (content.kind !== 'commands') continue
      for (const { command } of content.commands)
        if (command.kind === 'open') sets.push({ key: command.journal, keepers: command.keepers })
    }
  }
  return sets
}

/**
 * Every log that is begun before the head has noticed the loss of this peer's disk outlives it. Beside those that are
 * leaving: one that does not keep anything new is no loss to what is begun.
 */
export function outlivesLossOf(id: PeerId, head: SimPeer, leaving: ReadonlySet<PeerId>): boolean {
  const entries = head.driver.registry?.peers
  const able = head.driver.members().filter(({ peer, liveness, connected }) => {
    const isHere = peer === head.id || (connected && (liveness === 'alive' || liveness === 'suspect'))
    return isHere && entries?.get(peer)?.leaving === false && !leaving.has(peer)
  })
  return able.length >= OUTLIVES_ONE || able.every(({ peer }) => peer !== id)
}

/** Somebody holds a disk for there that is gone, and may choose it. */
export function believesInLostDisk({ peers, disks }: SimMesh): boolean {
  return [...peers.values()].some(({ id: self, driver }) =>
    driver.members().some(({ peer, connected, description: { store } }) => {
      const disk = disks.get(peer)
      return peer !== self && connected && (disk?.storeId !== store || disk.isDamaged)
    }),
  )
}
