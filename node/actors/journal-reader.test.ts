import { expect, test } from 'vitest'
import { JournalIndexes } from '../../checkpoint/journal-index.ts'
import { MemoryDisk } from '../../checkpoint/memory-disk.ts'
import { openMemoryStore } from '../../checkpoint/memory-store.ts'
import { cut, encodeBlock, PART_BYTES } from '../../checkpoint/records.ts'
import { actorKey, bootId, peerId } from '../../mesh/ids.ts'
import type { MeshHandle } from '../mesh-handle.ts'
import { BlockCache } from './block-cache.ts'
import { JournalReader } from './journal-reader.ts'

test('R10 readBeyondL: what this store holds beyond the length at which a journal ended is not read', async () => {
  const store = await openMemoryStore({ disk: new MemoryDisk(), random: () => '0'.repeat(32) })
  const life = { actor: actorKey('T', 'a'), incarnation: 1, epoch: 1 }
  const journal = await store.createLog()
  for (const sequence of [1, 2]) {
    const record = {
      head: { ...life, sequence, kind: 'snapshot' as const },
      body: new Uint8Array([sequence]),
    }
    await store.append(journal, encodeBlock(cut(record, PART_BYTES)))
  }
  const self = peerId('a')
  const mesh = { self, boot: bootId(self, '0'.repeat(32)), onService: () => {} } as unknown as MeshHandle
  const clock = { now: () => 0, wall: () => 0, setTimer: () => ({ cancel: () => {} }) }
  const reader = new JournalReader({
    mesh,
    store,
    clock,
    indexes: new JournalIndexes(store),
    cache: new BlockCache(1024),
  })
  const first = await store.read(journal, 0, 1)
  expect(await reader.read({ journal, length: 1, epoch: 1, order: 1 }, life)).toEqual(first)
})
